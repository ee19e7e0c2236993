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

-- name: late
-- Votes of an election that the pace does not know: they came when their minute was closed, or say no time.
SELECT t.votes - coalesce(h.votes, 0)
FROM (
    SELECT coalesce(sum(votes), 0)::bigint AS votes FROM shown_totals WHERE election_id = %(election_id)s AND view = 'candidate'
) AS t,
(
    SELECT coalesce(sum(h.votes), 0)::bigint AS votes FROM history h JOIN tally_generations g USING (generation)
    WHERE g.state = 'shown' AND h.election_id = %(election_id)s AND h.state = ''
) AS h;
