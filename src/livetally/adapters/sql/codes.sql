-- name: known_key
SELECT fingerprint FROM codes_key;

-- name: know_key
INSERT INTO codes_key (fingerprint) VALUES (%s) ON CONFLICT DO NOTHING;

-- name: election
-- One issue at a time: this row is held until its end.
SELECT name, kind, status, roll FROM elections WHERE election_id = %s FOR NO KEY UPDATE;

-- name: without_code
-- Those on the roll who have no valid code: the general register, some states of it, or a list.
DECLARE without_code NO SCROLL CURSOR FOR
SELECT v.voter_id, v.voter_name, v.address_street, v.address_postcode, v.address_city, v.address_state, v.address_country
FROM elections e
CROSS JOIN voters v
WHERE e.election_id = %(election_id)s
  AND ((e.roll = 'all' AND v.is_general)
       OR (e.roll = 'states' AND v.is_general AND v.address_state = ANY (e.roll_states))
       OR (e.roll = 'list' AND EXISTS (SELECT FROM roll_entries r WHERE r.voter_id = v.voter_id AND r.election_id = e.election_id)))
  AND NOT EXISTS (SELECT FROM voting_codes c WHERE c.election_id = e.election_id AND c.voter_id = v.voter_id AND c.voided_at IS NULL)
ORDER BY v.voter_id;

-- name: next_without_code
FETCH 10000 FROM without_code;

-- name: one_on_roll
SELECT v.voter_id, v.voter_name, v.address_street, v.address_postcode, v.address_city, v.address_state, v.address_country
FROM elections e
JOIN voters v ON v.voter_id = %(voter_id)s
WHERE e.election_id = %(election_id)s
  AND ((e.roll = 'all' AND v.is_general)
       OR (e.roll = 'states' AND v.is_general AND v.address_state = ANY (e.roll_states))
       OR (e.roll = 'list' AND EXISTS (SELECT FROM roll_entries r WHERE r.voter_id = v.voter_id AND r.election_id = e.election_id)));

-- name: store_codes
COPY voting_codes (code_hash, election_id, voter_id) FROM STDIN (FORMAT binary);

-- name: void
-- The time of the voided one's issue; no row if there is none.
UPDATE voting_codes SET voided_at = clock_timestamp()
WHERE election_id = %s AND voter_id = %s AND voided_at IS NULL
RETURNING issued_at;
