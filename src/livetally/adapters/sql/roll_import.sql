-- name: make_brought
-- A file's rows, good and bad, as they come in. `line` is where a row begins.
CREATE TEMPORARY TABLE brought (
    line integer NOT NULL,
    voter_id text COLLATE "C", voter_name text, date_of_birth text, gender text, nationality text, registration_number text,
    address_street text, address_city text, address_state text, address_country text, address_postcode text,
    email text, phone_number text, cell_number text, picture text, registered_age integer,
    message text, -- as the person would be announced
    fault text -- why there is no person in this row
) ON COMMIT DROP;

-- name: bring_in
COPY brought FROM STDIN;

-- name: make_judged
-- What each row comes to, against those before it and those who are registered. An empty field of the file says nothing, and differs from nothing.
CREATE TEMPORARY TABLE repeated ON COMMIT DROP AS
SELECT voter_id, min(line) AS first_line FROM brought WHERE fault IS NULL GROUP BY voter_id HAVING count(*) > 1;
ANALYZE brought;
ANALYZE repeated;

CREATE TEMPORARY VIEW judged AS
SELECT b.line, b.voter_id, b.voter_name,
       CASE
           WHEN b.fault IS NOT NULL THEN b.fault
           WHEN b.line > d.first_line AND b.message = f.message THEN format('it is line %s again', d.first_line)
           WHEN b.line > d.first_line THEN format('line %s has the same voter_id for somebody else', d.first_line)
           WHEN v.voter_id IS NOT NULL THEN 'somebody else is registered under this voter_id: another ' || nullif(concat_ws(
               ', ',
               CASE WHEN b.voter_name <> v.voter_name THEN 'voter_name' END,
               CASE WHEN b.date_of_birth <> '' AND b.date_of_birth <> left(v.date_of_birth, 10) THEN 'date_of_birth' END,
               CASE WHEN b.gender <> '' AND b.gender <> v.gender THEN 'gender' END,
               CASE WHEN b.nationality <> '' AND b.nationality <> v.nationality THEN 'nationality' END,
               CASE WHEN b.registration_number <> '' AND b.registration_number <> v.registration_number THEN 'registration_number' END,
               CASE WHEN b.address_street <> '' AND b.address_street <> v.address_street THEN 'street' END,
               CASE WHEN b.address_city <> '' AND b.address_city <> v.address_city THEN 'city' END,
               CASE WHEN b.address_state <> '' AND b.address_state <> v.address_state THEN 'state' END,
               CASE WHEN b.address_country <> '' AND b.address_country <> v.address_country THEN 'country' END,
               CASE WHEN b.address_postcode <> '' AND b.address_postcode <> v.address_postcode THEN 'postcode' END,
               CASE WHEN b.email <> '' AND b.email <> v.email THEN 'email' END,
               CASE WHEN b.phone_number <> '' AND b.phone_number <> v.phone_number THEN 'phone_number' END,
               CASE WHEN b.cell_number <> '' AND b.cell_number <> v.cell_number THEN 'cell_number' END
           ), '')
       END AS fault,
       v.voter_id IS NOT NULL AS is_known,
       r.voter_id IS NOT NULL AS is_listed
FROM brought b
LEFT JOIN repeated d ON d.voter_id = b.voter_id
LEFT JOIN brought f ON f.line = d.first_line AND d.first_line < b.line
LEFT JOIN voters v ON v.voter_id = b.voter_id
LEFT JOIN roll_entries r ON r.voter_id = b.voter_id AND r.election_id = current_setting('livetally.roll');

-- name: begin
-- Which roll it is; and room to sort and compare a million ids in memory, for this transaction.
SELECT set_config('livetally.roll', %s, true), set_config('work_mem', '128MB', true);

-- name: keep_lists
-- Until the end of the transaction nobody is deleted with the list of another draft.
SELECT pg_advisory_xact_lock_shared(%s);

-- name: counts
-- Rows, people whom nobody knew, people who are registered already, people who are on the roll already, rows that are wrong.
SELECT count(*), count(*) FILTER (WHERE fault IS NULL AND NOT is_known), count(*) FILTER (WHERE fault IS NULL AND is_known AND NOT is_listed),
       count(*) FILTER (WHERE fault IS NULL AND is_listed), count(fault)
FROM judged;

-- name: faults
SELECT line, fault FROM judged WHERE fault IS NOT NULL ORDER BY line LIMIT %s;

-- name: judged
SELECT line, voter_id, voter_name, fault, is_known, is_listed FROM judged ORDER BY line;

-- name: store_people
-- Not on the general register, and in none of its counters. In the order of their ids, in which they are put on the roll and announced
-- afterwards: to look a million people up all over the table takes twice as long.
INSERT INTO voters (voter_id, voter_name, date_of_birth, gender, nationality, registration_number, address_street, address_city, address_state,
                    address_country, address_postcode, email, phone_number, cell_number, picture, registered_age, registered_at, message, is_general)
SELECT b.voter_id, b.voter_name, b.date_of_birth, b.gender, b.nationality, b.registration_number, b.address_street, b.address_city,
       b.address_state, b.address_country, b.address_postcode, b.email, b.phone_number, b.cell_number, b.picture, b.registered_age,
       %(now)s, b.message, false
FROM brought b
WHERE NOT EXISTS (SELECT FROM voters v WHERE v.voter_id = b.voter_id)
ORDER BY b.voter_id;

-- name: store_entries
INSERT INTO roll_entries (voter_id, election_id, listed_at)
SELECT b.voter_id, %(election_id)s, %(now)s
FROM brought b
WHERE NOT EXISTS (SELECT FROM roll_entries r WHERE r.voter_id = b.voter_id AND r.election_id = %(election_id)s)
ORDER BY b.voter_id; -- as the index has them

-- name: add_to_size
INSERT INTO roll_sizes AS s (election_id, voters) VALUES (%s, %s)
ON CONFLICT (election_id) DO UPDATE SET voters = s.voters + excluded.voters;

-- name: unannounced
-- Those who came with this list (others were announced when they were registered), in the order in which they are announced. Entries are
-- put in order before people are looked up: to sort a million announcements would take longer than to find them one by one.
SELECT v.voter_id, v.message
FROM (SELECT voter_id, listed_at FROM roll_entries WHERE election_id = %s ORDER BY listed_at, voter_id) AS r
CROSS JOIN LATERAL (
    SELECT voter_id, message FROM voters WHERE voters.voter_id = r.voter_id AND NOT is_general AND registered_at = r.listed_at OFFSET 0
) AS v
ORDER BY r.listed_at, r.voter_id
OFFSET %s;
