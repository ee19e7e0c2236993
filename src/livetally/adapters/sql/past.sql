-- name: positions
SELECT ballot_partition, next_offset FROM recorded;

-- name: counts
SELECT coalesce(sum(next_offset), 0)::bigint, coalesce(sum(accepted), 0)::bigint, coalesce(sum(rejected), 0)::bigint FROM recorded;

-- name: heads
SELECT ballot_partition, next_offset, head FROM recorded ORDER BY ballot_partition;

-- name: links
-- In the order in which they were made.
SELECT ballot_partition, next_offset FROM chain ORDER BY number;

-- name: votes_in_order
-- The ledger in the order of one partition's ballots, each vote with its voter's announcement.
SELECT x.ballot_offset, x.voter_id, x.candidate_id, x.voting_time, v.message
FROM votes x JOIN voters v USING (voter_id)
WHERE x.ballot_partition = %s
ORDER BY x.ballot_offset;
