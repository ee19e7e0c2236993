-- name: take_lock
-- One tally at a time; held until the connection ends.
SELECT pg_try_advisory_lock(%s);

-- name: beat
SELECT;

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
SELECT batch, extract(epoch FROM reached)::bigint FROM tally_generations WHERE generation = %s FOR UPDATE;

-- name: make_changed
-- What a batch adds: votes by cell and minute of voting (since 1970), or by cell with no minute, or by minute with no city, gender, age group.
-- A row with a city adds to its cell; one with a minute to its minute.
CREATE TEMPORARY TABLE IF NOT EXISTS changed (
    election_id text, candidate_id text, state text, city text, gender text, age_group text, minute bigint, votes bigint
) ON COMMIT DELETE ROWS;

-- name: bring_in
COPY changed (election_id, candidate_id, state, city, gender, age_group, minute, votes) FROM STDIN (FORMAT csv);

-- name: add_to_totals
-- To cells, and to the views, each of which is a sum of cells. Answers with the new totals that are announced.
WITH touched AS MATERIALIZED (
    SELECT election_id, candidate_id, state, city, gender, age_group, sum(votes)::bigint AS votes
    FROM changed
    WHERE city IS NOT NULL
    GROUP BY election_id, candidate_id, state, city, gender, age_group
), kept AS (
    INSERT INTO cells AS c (generation, election_id, candidate_id, state, city, gender, age_group, votes, batch)
    SELECT %(generation)s, election_id, candidate_id, state, city, gender, age_group, votes, %(batch)s FROM touched
    ON CONFLICT (city, candidate_id, age_group, gender, state, election_id, generation) DO UPDATE
    SET votes = c.votes + excluded.votes, batch = excluded.batch
), added AS (
    INSERT INTO group_totals AS t (generation, election_id, view, group_1, group_2, candidate_id, votes, batch)
    SELECT %(generation)s, election_id,
           CASE
               WHEN grouping(city) = 0 THEN 'region'
               WHEN grouping(state) = 0 THEN 'state'
               WHEN grouping(gender) = 0 THEN 'gender'
               WHEN grouping(age_group) = 0 THEN 'age'
               ELSE 'candidate'
           END,
           CASE
               WHEN grouping(city) = 0 THEN city
               WHEN grouping(state) = 0 THEN state
               WHEN grouping(gender) = 0 THEN gender
               WHEN grouping(age_group) = 0 THEN age_group
               ELSE candidate_id
           END,
           CASE WHEN grouping(city) = 0 THEN state ELSE '' END,
           CASE WHEN grouping(state, gender, age_group) = 7 OR grouping(candidate_id) = 1 THEN '' ELSE candidate_id END,
           sum(votes), %(batch)s
    FROM touched
    GROUP BY GROUPING SETS (
        (election_id, candidate_id),
        (election_id, state), (election_id, state, candidate_id),
        (election_id, state, city), (election_id, state, city, candidate_id),
        (election_id, gender), (election_id, gender, candidate_id),
        (election_id, age_group), (election_id, age_group, candidate_id)
    )
    ON CONFLICT (group_1, candidate_id, view, group_2, election_id, generation) DO UPDATE
    SET votes = t.votes + excluded.votes, batch = excluded.batch
    RETURNING t.election_id, t.view, t.group_1, t.group_2, t.candidate_id, t.votes, t.batch
)
SELECT view, election_id, group_1, group_2, votes, batch FROM added WHERE candidate_id = '';

-- name: add_to_history
-- A vote whose minute was closed when its batch came is late. Minutes behind the last one that was reached have no rows yet, and are not looked up:
-- a backlog brings thousands. Answers with the new totals of the minutes over all states; where only the hour is kept, nobody knows them any more.
WITH counted AS MATERIALIZED (
    SELECT election_id, CASE WHEN grouping(state) = 1 THEN '' ELSE state END AS state, minute, candidate_id,
           coalesce(sum(votes) FILTER (WHERE minute > %(closed_minute)s), 0)::bigint AS votes,
           coalesce(sum(votes) FILTER (WHERE minute <= %(closed_minute)s), 0)::bigint AS late
    FROM changed
    WHERE minute IS NOT NULL
    GROUP BY GROUPING SETS ((election_id, minute, candidate_id), (election_id, minute, state, candidate_id))
), begun AS (
    INSERT INTO history (generation, election_id, state, from_time, candidate_id, span_minutes, votes, late, batch)
    SELECT %(generation)s, election_id, state, to_timestamp(minute * 60), candidate_id, 1, votes, late, %(batch)s
    FROM counted
    WHERE minute > %(reached_minute)s
), grown AS (
    INSERT INTO history AS h (generation, election_id, state, from_time, candidate_id, span_minutes, votes, late, batch)
    SELECT %(generation)s, election_id, state, to_timestamp(minute * 60), candidate_id, 1, votes, late, %(batch)s
    FROM counted
    WHERE minute <= %(reached_minute)s
    ON CONFLICT (from_time, state, candidate_id, election_id, generation) DO UPDATE
    SET votes = h.votes + excluded.votes, late = h.late + excluded.late, batch = excluded.batch
    RETURNING h.election_id, h.state, h.from_time, h.candidate_id, h.span_minutes, h.votes, h.batch
)
SELECT election_id, candidate_id, from_time, votes, batch FROM grown
WHERE state = '' AND span_minutes = 1 AND from_time >= to_timestamp(%(kept_minute)s * 60)
UNION ALL
SELECT election_id, candidate_id, to_timestamp(minute * 60), votes, %(batch)s FROM counted WHERE state = '' AND minute > %(reached_minute)s;

-- name: thin_history
-- Minutes before a moment become the hour that they lie in. A late vote for a minute of such an hour is added with the next thinning.
WITH old AS (
    DELETE FROM history
    WHERE generation = %(generation)s AND span_minutes = 1 AND from_time < %(before)s
    RETURNING election_id, state, from_time, candidate_id, votes, late, batch
)
INSERT INTO history AS h (generation, election_id, state, from_time, candidate_id, span_minutes, votes, late, batch)
SELECT %(generation)s, election_id, state, date_trunc('hour', from_time), candidate_id, 60, sum(votes), sum(late), max(batch)
FROM old
GROUP BY election_id, state, date_trunc('hour', from_time), candidate_id
ON CONFLICT (from_time, state, candidate_id, election_id, generation) DO UPDATE
SET votes = h.votes + excluded.votes, late = h.late + excluded.late, batch = greatest(h.batch, excluded.batch);

-- name: store_position
INSERT INTO tally_positions (generation, votes_partition, next_offset) VALUES (%s, %s, %s)
ON CONFLICT (generation, votes_partition) DO UPDATE SET next_offset = excluded.next_offset;

-- name: store_batch
UPDATE tally_generations SET batch = %(batch)s, reached = greatest(reached, to_timestamp(%(reached_s)s)) WHERE generation = %(generation)s;

-- name: retire_others
-- What they have announced and this one does not have is still to be taken back.
UPDATE tally_generations SET state = 'retired' WHERE state = 'shown' AND generation <> %s;

-- name: drop_retired
DELETE FROM tally_generations WHERE state = 'retired' RETURNING generation;

-- name: vanished_totals
-- Groups that a retired count has announced and this one does not have, parties among them.
WITH announced AS MATERIALIZED (
    SELECT DISTINCT t.generation = %(generation)s AS is_ours, t.election_id, t.view, t.group_1, t.group_2
    FROM group_totals t JOIN tally_generations g USING (generation)
    WHERE t.candidate_id = '' AND (g.state = 'retired' OR t.generation = %(generation)s)
), groups AS (
    SELECT * FROM announced
    UNION
    SELECT a.is_ours, a.election_id, 'party', coalesce(nullif(k.party_affiliation, ''), 'unknown'), ''
    FROM announced a LEFT JOIN candidates k ON k.candidate_id = a.group_1
    WHERE a.view = 'candidate'
)
SELECT view, election_id, group_1, group_2 FROM groups GROUP BY view, election_id, group_1, group_2 HAVING NOT bool_or(is_ours);

-- name: vanished_minutes
-- Likewise minutes. Where this count has only the hour, nobody knows any more what was in the minute.
SELECT DISTINCT h.election_id, h.candidate_id, h.from_time
FROM history h JOIN tally_generations g USING (generation)
WHERE g.state = 'retired' AND h.state = '' AND h.span_minutes = 1 AND NOT EXISTS (
    SELECT FROM history n
    WHERE n.generation = %(generation)s AND n.state = '' AND n.election_id = h.election_id AND n.candidate_id = h.candidate_id
        AND (n.from_time = h.from_time OR n.from_time = date_trunc('hour', h.from_time) AND n.span_minutes = 60)
);

-- name: forget_dropped
DELETE FROM history WHERE NOT EXISTS (SELECT FROM tally_generations g WHERE g.generation = history.generation);

-- name: show_generation
UPDATE tally_generations SET state = 'shown' WHERE generation = %s;

-- name: totals
-- Every total that a batch (or a later one) has touched.
SELECT view, election_id, group_1, group_2, votes, batch FROM group_totals
WHERE generation = %s AND candidate_id = '' AND batch >= %s;

-- name: party_totals
SELECT t.election_id, p.party, sum(t.votes)::bigint, max(t.batch)
FROM group_totals t
LEFT JOIN candidates k ON k.candidate_id = t.group_1
CROSS JOIN LATERAL (SELECT coalesce(nullif(k.party_affiliation, ''), 'unknown') AS party) AS p
WHERE t.generation = %s AND t.view = 'candidate'
GROUP BY t.election_id, p.party
HAVING max(t.batch) >= %s;

-- name: minutes
-- Beside its hour, a minute holds nothing but what came too late for both.
SELECT h.election_id, h.candidate_id, h.from_time, h.votes, h.batch FROM history h
WHERE h.generation = %s AND h.state = '' AND h.span_minutes = 1 AND h.batch >= %s AND NOT EXISTS (
    SELECT FROM history n
    WHERE n.generation = h.generation AND n.state = '' AND n.election_id = h.election_id AND n.candidate_id = h.candidate_id
        AND n.from_time = date_trunc('hour', h.from_time) AND n.span_minutes = 60
);

-- name: candidates
SELECT candidate_id, candidate_name, party_affiliation, photo_url FROM candidates;

-- name: registered
SELECT view, election_id, group_1, group_2, voters FROM registered_groups;

-- name: registered_mark
-- People are only ever added, to the register and to lists, and so are elections; until one is open, its day and its roll may change.
SELECT (SELECT coalesce(sum(voters), 0)::bigint FROM electorate), (SELECT coalesce(sum(voters), 0)::bigint FROM roll_sizes),
       (SELECT coalesce(string_agg(concat_ws(' ', election_id, roll, opens_on), ',' ORDER BY election_id), '') FROM roll_elections),
       (SELECT coalesce(string_agg(roll_states::text, ',' ORDER BY election_id), '') FROM elections WHERE roll = 'states');

-- name: forget_registered
DELETE FROM registered_groups;

-- name: copy_registered
COPY registered_groups (election_id, view, group_1, group_2, voters) FROM STDIN;

-- name: shown
SELECT generation, batch, state FROM tally_generations WHERE state = 'shown';

-- name: last_change
SELECT coalesce(max(batch), -1) FROM cells WHERE generation = %s;

-- name: unreadable
-- Votes for nobody who stands: what could not be parsed, and what names no election or candidate that there is.
SELECT coalesce(sum(t.votes), 0)::bigint FROM shown_totals t
WHERE t.view = 'candidate' AND NOT EXISTS (SELECT FROM candidates k WHERE k.election_id = t.election_id AND k.candidate_id = t.group_1);

-- name: counting
-- A recount that is under way, why, and how much it has read of what the shown count has.
WITH read AS (
    SELECT g.generation, g.state, g.reason, coalesce(sum(p.next_offset), 0) AS offsets
    FROM tally_generations g LEFT JOIN tally_positions p USING (generation)
    GROUP BY g.generation, g.state, g.reason
)
SELECT c.reason, coalesce(least(100, floor(100 * c.offsets / nullif(s.offsets, 0))), 0)::int
FROM read c LEFT JOIN read s ON s.state = 'shown'
WHERE c.state = 'counting'
ORDER BY c.generation DESC LIMIT 1;

-- name: positions
SELECT votes_partition, next_offset FROM tally_positions WHERE generation = %s;

-- name: cells
SELECT election_id, candidate_id, state, city, gender, age_group, votes FROM cells WHERE generation = %s;

-- name: total
SELECT coalesce(sum(votes), 0)::bigint FROM group_totals t JOIN tally_generations g USING (generation)
WHERE g.state = 'shown' AND t.view = 'candidate';

-- name: results
-- The board: every candidate of an election with the votes that the tally shows, most first.
SELECT k.candidate_id, k.candidate_name, k.party_affiliation, coalesce(t.votes, 0) AS total_votes
FROM candidates k
LEFT JOIN shown_totals t ON t.election_id = k.election_id AND t.view = 'candidate' AND t.group_1 = k.candidate_id
WHERE k.election_id = %s
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
