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
