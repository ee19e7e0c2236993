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
-- People on the roll of each election in each group whose members do not change with time. Who does not say their group is in "unknown".
SELECT CASE WHEN grouping(city) = 0 THEN 'region' WHEN grouping(state) = 0 THEN 'state' ELSE 'gender' END,
       election_id,
       CASE WHEN grouping(city) = 0 THEN city WHEN grouping(state) = 0 THEN state ELSE gender END,
       CASE WHEN grouping(city) = 0 THEN state ELSE '' END,
       sum(voters)::bigint
FROM (
    SELECT e.election_id, p.voters, coalesce(nullif(p.state, ''), 'unknown') AS state, coalesce(nullif(p.city, ''), 'unknown') AS city,
           coalesce(nullif(p.gender, ''), 'unknown') AS gender
    FROM roll_elections e JOIN roll_places p ON p.roll = e.roll
) AS people
GROUP BY GROUPING SETS ((election_id, state), (election_id, state, city), (election_id, gender));

-- name: details
SELECT election_id, detail FROM elections;

-- name: strangers
-- Votes of people who were not on the roll when the ballot was appended, whatever kind of roll it is.
SELECT x.ballot_partition, x.ballot_offset, x.election_id, x.voter_id
FROM votes x
LEFT JOIN elections e ON e.election_id = x.election_id
LEFT JOIN voters v ON v.voter_id = x.voter_id AND v.registered_at <= x.voting_time AT TIME ZONE 'UTC'
LEFT JOIN roll_entries r ON r.voter_id = x.voter_id AND r.election_id = x.election_id AND r.listed_at <= x.voting_time AT TIME ZONE 'UTC'
WHERE v.voter_id IS NULL OR e.election_id IS NULL OR NOT CASE e.roll
    WHEN 'all' THEN v.is_general
    WHEN 'states' THEN v.is_general AND v.address_state = ANY (e.roll_states)
    ELSE r.voter_id IS NOT NULL
END
LIMIT %s;
