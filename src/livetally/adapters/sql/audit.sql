-- name: votes
-- One partition of the ledger, in the order of the ballots.
SELECT ballot_offset, election_id, voter_id, candidate_id, voting_time FROM votes WHERE ballot_partition = %s AND ballot_offset < %s ORDER BY ballot_offset;

-- name: rejections
SELECT ballot_offset, reason FROM rejections WHERE ballot_partition = %s AND ballot_offset < %s ORDER BY ballot_offset;

-- name: votes_elsewhere
-- Votes whose ballots would lie in partitions that do not exist.
SELECT count(*) FROM votes WHERE ballot_partition <> ALL (%s);

-- name: parties
SELECT candidate_id, party_affiliation FROM candidates;
