-- name: votes
-- One partition of the ledger, in the order of the ballots.
SELECT ballot_offset, election_id, voter_id, candidate_id, voting_time FROM votes WHERE ballot_partition = %s AND ballot_offset < %s ORDER BY ballot_offset;

-- name: rejections
SELECT ballot_offset, reason FROM rejections WHERE ballot_partition = %s AND ballot_offset < %s ORDER BY ballot_offset;

-- name: strays
-- Rows of ballots that have not been decided, or of partitions in which nothing has.
SELECT source, ballot_partition, ballot_offset
FROM (
    SELECT 'votes' AS source, ballot_partition, ballot_offset FROM votes
    UNION ALL
    SELECT 'rejections', ballot_partition, ballot_offset FROM rejections
) AS outcome
LEFT JOIN recorded r USING (ballot_partition)
WHERE r.next_offset IS NULL OR ballot_offset >= r.next_offset
LIMIT %s;

-- name: parties
SELECT candidate_id, party_affiliation FROM candidates;

-- name: links
SELECT number, first_offset, next_offset, accepted, rejected, head_before, head FROM chain WHERE ballot_partition = %s ORDER BY next_offset;

-- name: chained
-- Every verdict of a partition as the chain has it, times in microseconds since 1970.
SELECT ballot_offset, (extract(epoch FROM voting_time AT TIME ZONE 'UTC') * 1000000)::bigint AS appended_us,
       election_id, voter_id, candidate_id, NULL AS reason, NULL AS detail
FROM votes WHERE ballot_partition = %(partition)s
UNION ALL
SELECT ballot_offset, (extract(epoch FROM appended_at) * 1000000)::bigint, election_id, voter_id, NULL, reason, detail
FROM rejections WHERE ballot_partition = %(partition)s
ORDER BY ballot_offset, reason NULLS FIRST;

-- name: group_totals
SELECT view, election_id, group_1, group_2, candidate_id, votes FROM group_totals WHERE generation = %s;

-- name: history
-- Every vote of the past, by place and candidate.
SELECT election_id, state, candidate_id, sum(votes + late)::bigint FROM history WHERE generation = %s GROUP BY election_id, state, candidate_id;

-- name: electorate
-- People registered in each group whose members do not change with time.
SELECT CASE WHEN grouping(city) = 0 THEN 'region' WHEN grouping(state) = 0 THEN 'state' ELSE 'gender' END,
       CASE WHEN grouping(city) = 0 THEN city WHEN grouping(state) = 0 THEN state ELSE gender END,
       CASE WHEN grouping(city) = 0 THEN state ELSE '' END,
       sum(voters)::bigint
FROM electorate
GROUP BY GROUPING SETS ((state), (state, city), (gender));
