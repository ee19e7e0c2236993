-- name: take_lock
-- One tally at a time; held until the connection ends.
SELECT pg_try_advisory_lock(%s);

-- name: is_locked
-- Taken for the length of this statement only.
SELECT NOT pg_try_advisory_xact_lock(%s);

-- name: newest_generation
SELECT generation, fingerprint, state, batch FROM tally_generations ORDER BY generation DESC LIMIT 1;

-- name: add_generation
-- The first generation is shown from its first vote; a recount is shown when it has caught up.
INSERT INTO tally_generations (fingerprint, reason, state)
SELECT %s, %s, CASE WHEN EXISTS (SELECT FROM tally_generations WHERE state = 'shown') THEN 'counting' ELSE 'shown' END
RETURNING generation, state;

-- name: drop_unshown
-- A recount that was begun and is not gone on with.
DELETE FROM tally_generations WHERE state = 'counting' RETURNING generation;

-- name: lock_generation
SELECT batch FROM tally_generations WHERE generation = %s FOR UPDATE;

-- name: make_changed
CREATE TEMPORARY TABLE IF NOT EXISTS changed (
    election_id text, candidate_id text, state text, city text, gender text, age_group text, votes bigint
) ON COMMIT DELETE ROWS;

-- name: bring_in
COPY changed (election_id, candidate_id, state, city, gender, age_group, votes) FROM STDIN;

-- name: store_cells
-- Absolute numbers with their version: a batch that comes again changes nothing, an older one is refused.
INSERT INTO cells AS c (generation, election_id, candidate_id, state, city, gender, age_group, votes, batch)
SELECT %(generation)s, election_id, candidate_id, state, city, gender, age_group, votes, %(batch)s FROM changed
ON CONFLICT (generation, election_id, candidate_id, state, city, gender, age_group) DO UPDATE
SET votes = excluded.votes, batch = excluded.batch
WHERE c.batch <= excluded.batch;

-- name: store_position
INSERT INTO tally_positions (generation, votes_partition, next_offset) VALUES (%s, %s, %s)
ON CONFLICT (generation, votes_partition) DO UPDATE SET next_offset = excluded.next_offset;

-- name: store_batch
UPDATE tally_generations SET batch = %s WHERE generation = %s;

-- name: retire_others
DELETE FROM tally_generations WHERE generation <> %s;

-- name: show_generation
UPDATE tally_generations SET state = 'shown' WHERE generation = %s;

-- name: totals
-- Every total of every view that a batch (or a later one) has touched: sums of cells, in one pass over them.
SELECT CASE
           WHEN grouping(c.candidate_id) = 0 THEN 'candidate'
           WHEN grouping(p.party) = 0 THEN 'party'
           WHEN grouping(c.city) = 0 THEN 'region'
           WHEN grouping(c.state) = 0 THEN 'state'
           WHEN grouping(c.gender) = 0 THEN 'gender'
           ELSE 'age'
       END AS view,
       c.election_id, c.candidate_id, p.party, c.state, c.city, c.gender, c.age_group, sum(c.votes)::bigint, max(c.batch)
FROM cells c
LEFT JOIN candidates k ON k.candidate_id = c.candidate_id
CROSS JOIN LATERAL (SELECT coalesce(nullif(k.party_affiliation, ''), 'unknown') AS party) AS p
WHERE c.generation = %s
GROUP BY GROUPING SETS (
    (c.election_id, c.candidate_id), (c.election_id, p.party), (c.election_id, c.state),
    (c.election_id, c.state, c.city), (c.election_id, c.gender), (c.election_id, c.age_group)
)
HAVING max(c.batch) >= %s;

-- name: candidates
SELECT candidate_id, candidate_name, party_affiliation, photo_url FROM candidates;

-- name: registered
SELECT CASE
           WHEN grouping(city) = 0 THEN 'region'
           WHEN grouping(state) = 0 THEN 'state'
           ELSE 'gender'
       END AS view,
       state, city, gender, sum(voters)::bigint
FROM electorate
GROUP BY GROUPING SETS ((state), (state, city), (gender));

-- name: shown
SELECT generation, batch, state FROM tally_generations WHERE state = 'shown';

-- name: last_change
SELECT coalesce(max(batch), -1) FROM cells WHERE generation = %s;

-- name: counting
-- A recount that is under way, and why.
SELECT generation, reason FROM tally_generations WHERE state = 'counting' ORDER BY generation DESC LIMIT 1;

-- name: positions
SELECT votes_partition, next_offset FROM tally_positions WHERE generation = %s;

-- name: cells
SELECT election_id, candidate_id, state, city, gender, age_group, votes FROM cells WHERE generation = %s;

-- name: total
SELECT coalesce(sum(votes), 0)::bigint FROM cells c JOIN tally_generations g USING (generation) WHERE g.state = 'shown';

-- name: results
-- The board: every candidate of an election with the votes that the tally shows, most first.
SELECT k.candidate_id, k.candidate_name, k.party_affiliation, coalesce(sum(c.votes), 0)::bigint AS total_votes
FROM candidates k
LEFT JOIN tally_generations g ON g.state = 'shown'
LEFT JOIN cells c ON c.generation = g.generation AND c.election_id = k.election_id AND c.candidate_id = k.candidate_id
WHERE k.election_id = %s
GROUP BY k.candidate_id, k.candidate_name, k.party_affiliation
ORDER BY total_votes DESC, k.candidate_name, k.candidate_id;

-- name: results_at
-- The same for a moment, from the ledger: every vote with a voting_time up to it.
SELECT k.candidate_id, k.candidate_name, k.party_affiliation, count(x.voter_id) AS total_votes
FROM candidates k
LEFT JOIN votes x ON x.election_id = k.election_id AND x.candidate_id = k.candidate_id AND x.voting_time <= %(at)s
WHERE k.election_id = %(election_id)s
GROUP BY k.candidate_id, k.candidate_name, k.party_affiliation
ORDER BY total_votes DESC, k.candidate_name, k.candidate_id;

-- name: request_recount
UPDATE tally_generations SET fingerprint = 'recount requested' WHERE generation = (SELECT max(generation) FROM tally_generations);
