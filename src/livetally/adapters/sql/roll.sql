-- name: announce_change
-- Shared among those who change the roll; *record* takes it alone, and so waits for all that began before.
SELECT pg_advisory_xact_lock_shared(%s);

-- name: now
SELECT clock_timestamp();

-- name: elections
SELECT election_id, name, kind, status, seed, opens_at, closes_at, visible, detail, roll, roll_states,
       opens_planned, closes_planned, published_at, certified_at
FROM elections ORDER BY created_at DESC, election_id DESC;

-- name: election
SELECT election_id, name, kind, status, seed, opens_at, closes_at, visible, detail, roll, roll_states,
       opens_planned, closes_planned, published_at, certified_at
FROM elections WHERE election_id = %s;

-- name: lock_election
-- Until the transaction ends nobody else changes it; people and candidates may still refer to it.
SELECT election_id, name, kind, status, seed, opens_at, closes_at, visible, detail, roll, roll_states,
       opens_planned, closes_planned, published_at, certified_at
FROM elections WHERE election_id = %s FOR NO KEY UPDATE;

-- name: add_election
INSERT INTO elections (election_id, name, kind, status, seed, opens_at, closes_at, visible, detail, roll, roll_states,
    opens_planned, closes_planned, published_at, certified_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (election_id) DO NOTHING;

-- name: open_election
-- At the planned time, or now if there is none or it is over: no ballot that was cast before may turn into a vote by it.
UPDATE elections SET status = 'open', opens_at = greatest(opens_planned, clock_timestamp()), closes_at = closes_planned
WHERE election_id = %s
RETURNING opens_at;

-- name: certify_election
UPDATE elections SET status = 'certified', certified_at = clock_timestamp() WHERE election_id = %s;

-- name: publish_election
UPDATE elections SET published_at = clock_timestamp() WHERE election_id = %s AND published_at IS NULL;

-- name: on_roll
SELECT voters FROM roll_lengths WHERE election_id = %s;

-- name: rolls
SELECT election_id, voters FROM roll_lengths;

-- name: states
-- Where people on the general register live.
SELECT DISTINCT state FROM electorate ORDER BY state;

-- name: plan
UPDATE elections SET voters_planned = %s WHERE election_id = %s;

-- name: planned
SELECT voters_planned FROM elections WHERE election_id = %s;

-- name: wait_for_batches
-- *record* holds this lock shared while it decides by the hours that it has read.
SELECT pg_advisory_xact_lock(%s);

-- name: close_election
-- A little ahead, so that no ballot that was judged already would be judged otherwise; never later than it would have closed by itself.
-- One that was to open later closes at its opening.
UPDATE elections SET status = 'closed', closes_at = greatest(opens_at, least(closes_at, clock_timestamp() + interval '2 seconds'))
WHERE election_id = %s AND status = 'open'
RETURNING closes_at;

-- name: candidates
SELECT candidate_id, candidate_name, party_affiliation, biography, campaign_platform, photo_url, election_id
FROM candidates WHERE election_id = %s ORDER BY listed_at, candidate_id;

-- name: candidate_count
SELECT count(*) FROM candidates WHERE election_id = %s;

-- name: candidate
SELECT candidate_id, candidate_name, party_affiliation, biography, campaign_platform, photo_url, election_id
FROM candidates WHERE candidate_id = %s;

-- name: add_candidate
INSERT INTO candidates (candidate_id, candidate_name, party_affiliation, biography, campaign_platform, photo_url, election_id, listed_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, clock_timestamp());

-- name: forget_candidates
DELETE FROM candidates WHERE election_id = %s;

-- name: taken_candidates
-- Ids that stand in another election already.
SELECT candidate_id, election_id FROM candidates WHERE candidate_id = ANY (%s) AND election_id <> %s ORDER BY candidate_id;

-- name: registered
SELECT coalesce(sum(voters), 0)::bigint FROM electorate;

-- name: registration
SELECT stored, announced FROM registrations WHERE source = %s AND seed = %s;

-- name: other_registrations
SELECT source, seed, stored FROM registrations WHERE (source, seed) <> (%s, %s) ORDER BY source, seed;

-- name: copy_voters
COPY voters (voter_id, voter_name, date_of_birth, gender, nationality, registration_number, address_street, address_city, address_state,
             address_country, address_postcode, email, phone_number, cell_number, picture, registered_age, registered_at, message)
FROM STDIN;

-- name: add_to_electorate
INSERT INTO electorate AS e (state, city, gender, voters) VALUES (%s, %s, %s, %s)
ON CONFLICT (state, city, gender) DO UPDATE SET voters = e.voters + excluded.voters;

-- name: add_births
INSERT INTO electorate_births AS e (date_of_birth, voters) SELECT * FROM unnest(%s::text[], %s::bigint[]) AS born (day, voters) ORDER BY day
ON CONFLICT (date_of_birth) DO UPDATE SET voters = e.voters + excluded.voters;

-- name: mark_stored
INSERT INTO registrations (source, seed, stored, announced) VALUES (%s, %s, %s, 0)
ON CONFLICT (source, seed) DO UPDATE SET stored = excluded.stored;

-- name: mark_announced
UPDATE registrations SET announced = %s WHERE source = %s AND seed = %s;
