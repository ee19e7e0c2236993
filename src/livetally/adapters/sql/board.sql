-- name: one_moment
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY;

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
