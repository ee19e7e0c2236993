-- Rolls, as they can be asked: who is on which, since when, how long it is, and how it divides into groups.

-- Lists come by the hundred thousand, and are looked at as a whole: row by row, as a foreign key does it, took longer than any other step.
-- Nobody deletes voters or elections.
ALTER TABLE roll_entries DROP CONSTRAINT roll_entries_voter_id_fkey, DROP CONSTRAINT roll_entries_election_id_fkey;
CREATE FUNCTION refuse_entries_of_nobody() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM added a WHERE NOT EXISTS (SELECT FROM voters v WHERE v.voter_id = a.voter_id))
       OR EXISTS (SELECT FROM added a WHERE NOT EXISTS (SELECT FROM elections e WHERE e.election_id = a.election_id))
    THEN
        RAISE EXCEPTION 'on a roll are only people who are in `voters`, and elections that are in `elections`'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER of_somebody AFTER INSERT ON roll_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION refuse_entries_of_nobody();

-- Everybody on the roll of every election. Name the election, and the voter where one is meant: nobody needs all of it at once.
CREATE VIEW on_roll AS
SELECT e.election_id, v.voter_id, v.registered_at AS since
FROM elections e
JOIN voters v ON v.is_general AND (e.roll = 'all' OR (e.roll = 'states' AND v.address_state = ANY (e.roll_states)))
UNION ALL
SELECT e.election_id, v.voter_id, greatest(v.registered_at, r.listed_at)
FROM elections e
JOIN roll_entries r ON r.election_id = e.election_id
JOIN voters v ON v.voter_id = r.voter_id
WHERE e.roll = 'list';

-- How long each roll is, from what is counted when somebody is registered or listed. A state is a few hundred rows of `electorate`.
CREATE VIEW roll_lengths AS
SELECT e.election_id,
       CASE e.roll
           WHEN 'all' THEN (SELECT coalesce(sum(p.voters), 0) FROM electorate p)
           WHEN 'states' THEN (SELECT coalesce(sum(p.voters), 0) FROM electorate p WHERE p.state = ANY (e.roll_states))
           ELSE (SELECT coalesce(sum(s.voters), 0) FROM roll_sizes s WHERE s.election_id = e.election_id)
       END::bigint AS voters
FROM elections e;

-- The roll that an election goes by: its own, under its own name, or that of everybody, which has none; and the day on which it opens, or would.
CREATE VIEW roll_elections AS
SELECT election_id, CASE roll WHEN 'all' THEN '' ELSE election_id END AS roll,
       to_char(coalesce(opens_at, opens_planned, clock_timestamp()) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS opens_on
FROM elections;

-- How many of each roll live where.
CREATE VIEW roll_places AS
SELECT '' AS roll, state, city, gender, voters FROM electorate
UNION ALL
SELECT e.election_id, p.state, p.city, p.gender, p.voters
FROM elections e JOIN electorate p ON p.state = ANY (e.roll_states)
WHERE e.roll = 'states'
UNION ALL
SELECT r.election_id, v.address_state, v.address_city, v.gender, count(*)
FROM elections e JOIN roll_entries r ON r.election_id = e.election_id JOIN voters v ON v.voter_id = r.voter_id
WHERE e.roll = 'list'
GROUP BY r.election_id, v.address_state, v.address_city, v.gender;

-- The same by their days of birth. For states the voters are read, once for all such elections: to count each state's days of birth
-- would take almost as many rows as there are people.
CREATE VIEW roll_births AS
SELECT '' AS roll, date_of_birth, voters FROM electorate_births
UNION ALL
SELECT e.election_id, v.date_of_birth, sum(v.voters)::bigint
FROM elections e
JOIN (
    SELECT address_state, date_of_birth, count(*) AS voters
    FROM voters
    WHERE is_general AND address_state IN (SELECT unnest(roll_states) FROM elections WHERE roll = 'states')
    GROUP BY address_state, date_of_birth
) AS v ON v.address_state = ANY (e.roll_states)
WHERE e.roll = 'states'
GROUP BY e.election_id, v.date_of_birth
UNION ALL
SELECT r.election_id, v.date_of_birth, count(*)
FROM elections e JOIN roll_entries r ON r.election_id = e.election_id JOIN voters v ON v.voter_id = r.voter_id
WHERE e.roll = 'list'
GROUP BY r.election_id, v.date_of_birth;

GRANT SELECT ON on_roll, roll_lengths, roll_elections, roll_places, roll_births TO livetally_app;
