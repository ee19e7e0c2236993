-- name: span
-- Beginning and end of an election's past in the count that is shown, in whole units of the longest span in it, and that span.
SELECT date_trunc(CASE WHEN max(span_minutes) > 1 THEN 'hour' ELSE 'minute' END, min(from_time)),
       max(from_time + make_interval(mins => span_minutes)), max(span_minutes)
FROM history h JOIN tally_generations g USING (generation)
WHERE g.state = 'shown' AND h.election_id = %(election_id)s AND h.state = %(state)s;

-- name: series
-- Votes of each candidate up to the end of each step, where the candidate has won any in it.
SELECT step, candidate_id, (sum(won) OVER (PARTITION BY candidate_id ORDER BY step))::bigint
FROM (
    SELECT floor(extract(epoch FROM h.from_time - %(first)s) / %(step_s)s)::int AS step, h.candidate_id, sum(h.votes + h.late) AS won
    FROM history h JOIN tally_generations g USING (generation)
    WHERE g.state = 'shown' AND h.election_id = %(election_id)s AND h.state = %(state)s
    GROUP BY step, h.candidate_id
) AS steps
ORDER BY step, candidate_id;

-- name: off_pace
-- Votes for those who stand which the pace does not know: they came when their minute was closed, or say no time.
SELECT h.late, t.votes - h.votes - h.late
FROM (
    SELECT coalesce(sum(t.votes), 0)::bigint AS votes
    FROM candidates k JOIN shown_totals t ON t.election_id = k.election_id AND t.view = 'candidate' AND t.group_1 = k.candidate_id
    WHERE k.election_id = %(election_id)s
) AS t,
(
    SELECT coalesce(sum(h.votes), 0)::bigint AS votes, coalesce(sum(h.late), 0)::bigint AS late
    FROM candidates k JOIN history h USING (election_id, candidate_id) JOIN tally_generations g USING (generation)
    WHERE g.state = 'shown' AND k.election_id = %(election_id)s AND h.state = ''
) AS h;
