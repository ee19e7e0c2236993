-- name: make_repeated
-- Ballots of a batch that were decided before.
CREATE TEMPORARY TABLE IF NOT EXISTS repeated (
    number integer NOT NULL,
    ballot_partition integer NOT NULL,
    ballot_offset bigint NOT NULL,
    voter_id varchar(255) COLLATE "C",
    election_id text COLLATE "C"
) ON COMMIT DELETE ROWS;

-- name: plan_by_index
-- A batch is small and the roll is large: hashing or sorting the roll for every batch would cost more than the batch.
SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false);

-- name: take_positions
-- How far these partitions are decided. Until the transaction ends nobody else decides there.
SELECT ballot_partition, next_offset, head FROM recorded WHERE ballot_partition = ANY (%s) ORDER BY ballot_partition FOR UPDATE;

-- name: begin_partition
INSERT INTO recorded (ballot_partition, next_offset, accepted, rejected, head) VALUES (%s, 0, 0, 0, %s) ON CONFLICT DO NOTHING;

-- name: hold_hours
-- Whoever changes an election's hours waits for the batches that are being decided by the old ones.
SELECT pg_advisory_xact_lock_shared(%s);

-- name: elections
-- When each is open, and who may vote in it.
SELECT election_id, (extract(epoch FROM opens_at) * 1000000)::bigint, (extract(epoch FROM closes_at) * 1000000)::bigint, roll, roll_states
FROM elections;

-- name: listed
SELECT election_id, candidate_id, (extract(epoch FROM listed_at) * 1000000)::bigint FROM candidates;

-- name: ask
-- Of these voters, those on the roll where everybody is: what a vote of theirs is made of, whom they voted for already, and, if that was not before the batch,
-- since when they are on it. Written so that there is one way only, each voter by index: a plan that was made while the ledger was empty is
-- kept, and as a join it read what one election had so far, again for every voter. The view `on_roll` says the same for those with time.
SELECT q.number, v.message,
       (SELECT x.candidate_id FROM votes x WHERE x.voter_id = q.voter_id AND x.election_id = %(election_id)s),
       CASE WHEN v.registered_at > %(first)s THEN (extract(epoch FROM v.registered_at) * 1000000)::bigint END
FROM json_array_elements_text(%(voters)s) WITH ORDINALITY AS q (voter_id, number)
CROSS JOIN LATERAL (SELECT message, registered_at FROM voters WHERE voters.voter_id = q.voter_id AND is_general OFFSET 0) AS v;

-- name: ask_states
-- The same where only those may vote who live in some states.
SELECT q.number, v.message,
       (SELECT x.candidate_id FROM votes x WHERE x.voter_id = q.voter_id AND x.election_id = %(election_id)s),
       CASE WHEN v.registered_at > %(first)s THEN (extract(epoch FROM v.registered_at) * 1000000)::bigint END
FROM json_array_elements_text(%(voters)s) WITH ORDINALITY AS q (voter_id, number)
CROSS JOIN LATERAL (
    SELECT message, registered_at FROM voters
    WHERE voters.voter_id = q.voter_id AND is_general AND address_state = ANY (%(states)s) OFFSET 0
) AS v;

-- name: ask_list
-- The same where only those may vote who are on a list.
SELECT q.number, v.message,
       (SELECT x.candidate_id FROM votes x WHERE x.voter_id = q.voter_id AND x.election_id = %(election_id)s),
       CASE WHEN v.since > %(first)s THEN (extract(epoch FROM v.since) * 1000000)::bigint END
FROM json_array_elements_text(%(voters)s) WITH ORDINALITY AS q (voter_id, number)
CROSS JOIN LATERAL (
    SELECT voters.message, greatest(voters.registered_at, entries.listed_at) AS since
    FROM roll_entries entries JOIN voters ON voters.voter_id = entries.voter_id
    WHERE entries.voter_id = q.voter_id AND entries.election_id = %(election_id)s OFFSET 0
) AS v;

-- name: wait_for_registrations
-- Registrations and changes of elections hold this lock shared: once we have it, all that began before have ended.
SELECT pg_advisory_xact_lock(%s);

-- name: ask_again
COPY repeated (number, ballot_partition, ballot_offset, voter_id, election_id) FROM STDIN (FORMAT binary);

-- name: stored
-- A ballot was accepted if and only if the ledger's row came from this very partition and offset.
SELECT a.number, v.message, r.reason, r.detail
FROM repeated a
LEFT JOIN votes x ON x.voter_id = a.voter_id AND x.election_id = a.election_id
                 AND x.ballot_partition = a.ballot_partition AND x.ballot_offset = a.ballot_offset
LEFT JOIN voters v ON v.voter_id = x.voter_id
LEFT JOIN rejections r ON r.ballot_partition = a.ballot_partition AND r.ballot_offset = a.ballot_offset;

-- name: store_votes
COPY votes (voter_id, candidate_id, voting_time, election_id, ballot_partition, ballot_offset) FROM STDIN (FORMAT binary);

-- name: store_rejections
COPY rejections (ballot_partition, ballot_offset, election_id, voter_id, reason, detail, appended_at) FROM STDIN (FORMAT binary);

-- name: add_link
INSERT INTO chain (ballot_partition, first_offset, next_offset, accepted, rejected, head_before, head)
VALUES (%(partition)s, %(first_offset)s, %(next_offset)s, %(accepted)s, %(rejected)s, %(head_before)s, %(head)s);

-- name: advance
UPDATE recorded
SET next_offset = %(next_offset)s, accepted = accepted + %(accepted)s, rejected = rejected + %(rejected)s, head = %(head)s
WHERE ballot_partition = %(partition)s;

-- name: allow_changes
-- The one way in which our own program changes the ledger: the owner of the tables, in the transaction of a rebuild.
ALTER TABLE votes DISABLE TRIGGER only_added_to;
ALTER TABLE rejections DISABLE TRIGGER only_added_to;
ALTER TABLE chain DISABLE TRIGGER only_added_to;

-- name: refuse_changes
ALTER TABLE votes ENABLE ALWAYS TRIGGER only_added_to;
ALTER TABLE rejections ENABLE ALWAYS TRIGGER only_added_to;
ALTER TABLE chain ENABLE ALWAYS TRIGGER only_added_to;

-- name: keep_for_comparison
CREATE TEMPORARY TABLE votes_before ON COMMIT DROP AS TABLE votes;
CREATE TEMPORARY TABLE rejections_before ON COMMIT DROP AS TABLE rejections;

-- name: changed
SELECT ballot_partition, count(DISTINCT ballot_offset)
FROM (
    SELECT ballot_partition, ballot_offset FROM (TABLE votes_before EXCEPT TABLE votes) AS gone
    UNION ALL SELECT ballot_partition, ballot_offset FROM (TABLE votes EXCEPT TABLE votes_before) AS come
    UNION ALL SELECT ballot_partition, ballot_offset FROM (TABLE rejections_before EXCEPT TABLE rejections) AS gone
    UNION ALL SELECT ballot_partition, ballot_offset FROM (TABLE rejections EXCEPT TABLE rejections_before) AS come
) AS different
GROUP BY ballot_partition
ORDER BY ballot_partition;

-- name: empty
-- Not TRUNCATE: somebody who looks meanwhile, with an older snapshot, would see an empty ledger.
DELETE FROM votes;
DELETE FROM rejections;
DELETE FROM chain;
DELETE FROM recorded;
