-- name: wait_for_lists
-- Imports hold this lock shared: nobody is put on another list while it is looked at who is on none.
SELECT pg_advisory_xact_lock(%s);

-- name: cast_for
-- Ballots that were cast for it, and receipts that were given.
SELECT (SELECT count(*) FROM rejections WHERE election_id = %(election_id)s)
     + (SELECT count(*) FROM receipts WHERE election_id = %(election_id)s AND ballot_partition IS NULL);

-- name: remember_entries
CREATE TEMPORARY TABLE leaving ON COMMIT DROP AS SELECT voter_id FROM roll_entries WHERE election_id = %s;

-- name: look_at_leaving
ANALYZE leaving;

-- name: delete_codes
DELETE FROM voting_codes WHERE election_id = %s;

-- name: delete_entries
DELETE FROM roll_entries WHERE election_id = %s;

-- name: delete_people
-- Those who came with this list and are on no other; nobody of the general register.
DELETE FROM voters v USING leaving l
WHERE v.voter_id = l.voter_id AND NOT v.is_general AND NOT EXISTS (SELECT FROM roll_entries r WHERE r.voter_id = v.voter_id);

-- name: forget_registration
-- Whoever comes with a list of the same name later is announced from the first on.
UPDATE registrations SET stored = 0, announced = 0 WHERE source = %s;

-- name: delete_election
-- Its candidates, and how long its list was, go with it.
DELETE FROM elections WHERE election_id = %s;

-- name: forget_officials
-- Whoever was somebody for this election is not for another one of the same name. Who was for no other is for none: an empty list, while
-- null would mean all. Behind the deletion: who is made an official of it meanwhile has been waited for, or is refused.
UPDATE users SET elections = array_remove(elections, %(election_id)s) WHERE %(election_id)s = ANY (elections);
