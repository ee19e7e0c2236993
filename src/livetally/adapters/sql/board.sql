-- name: one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: result_at
-- Every candidate's votes from ballots cast before a moment, from the past as the tally has kept it: by the minute, what is long ago by the hour.
SELECT k.candidate_id, k.candidate_name, k.party_affiliation, coalesce(h.votes, 0)::bigint AS total_votes
FROM candidates k
LEFT JOIN (
    SELECT candidate_id, sum(h.votes + h.late) AS votes FROM history h JOIN tally_generations g USING (generation)
    WHERE g.state = 'shown' AND h.election_id = %(election_id)s AND h.state = ''
        AND h.from_time + make_interval(mins => h.span_minutes) <= %(at)s
    GROUP BY candidate_id
) AS h USING (candidate_id)
WHERE k.election_id = %(election_id)s
ORDER BY total_votes DESC, k.candidate_name, k.candidate_id;

-- name: groups
-- Every group of one view of an election: votes, and who is registered in it.
SELECT group_1, group_2, votes, registered FROM group_turnout WHERE election_id = %s AND view = %s ORDER BY group_1, group_2;

-- name: groups_by_candidate
SELECT view, group_1, group_2, candidate_id, votes FROM shown_totals
WHERE election_id = %s AND candidate_id <> '' ORDER BY view, group_1, group_2, candidate_id;

-- name: newest_rejections
SELECT ballot_partition, ballot_offset, appended_at, reason, detail FROM rejections
WHERE election_id = %s ORDER BY appended_at DESC, ballot_partition DESC, ballot_offset DESC LIMIT %s;

-- name: reached
-- The newest time of voting that the count has seen.
SELECT reached FROM tally_generations WHERE state = 'shown';

-- name: rejection_counts
SELECT reason, count(*) FROM rejections WHERE election_id = %s GROUP BY reason ORDER BY count(*) DESC, reason;
