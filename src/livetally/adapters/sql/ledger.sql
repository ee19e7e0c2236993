-- name: make_batch
-- Lives as long as the connection; every transaction finds it empty.
CREATE TEMPORARY TABLE IF NOT EXISTS batch (
    ballot_partition integer NOT NULL,
    ballot_offset bigint NOT NULL,
    appended_at timestamptz NOT NULL,
    election_id text,
    voter_id text,
    candidate_id text,
    malformed text, -- what is wrong with a ballot that cannot be read
    PRIMARY KEY (ballot_partition, ballot_offset)
) ON COMMIT DELETE ROWS;

-- name: plan_by_index
-- A batch is small and the roll is large: hashing or sorting the roll for every batch would cost more than the batch.
SET LOCAL enable_hashjoin = off;
SET LOCAL enable_mergejoin = off;
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off;

-- name: bring_in
COPY batch (ballot_partition, ballot_offset, appended_at, election_id, voter_id, candidate_id, malformed) FROM STDIN;

-- name: accept
-- Of the ballots that may count, the first of each voter becomes the vote, unless there is one already.
-- A stored rejection stands. One fixed order of insertion, or two recorders could wait for each other.
WITH inserted AS (
    INSERT INTO votes (voter_id, candidate_id, voting_time, election_id, ballot_partition, ballot_offset)
    SELECT voter_id, candidate_id, appended_at AT TIME ZONE 'UTC', election_id, ballot_partition, ballot_offset
    FROM (
        SELECT DISTINCT ON (b.election_id, b.voter_id) b.*
        FROM batch b
        JOIN elections e ON e.election_id = b.election_id AND e.opens_at <= b.appended_at
                        AND (e.closes_at IS NULL OR b.appended_at < e.closes_at)
        JOIN candidates c ON c.candidate_id = b.candidate_id AND c.election_id = b.election_id AND c.listed_at <= b.appended_at
        JOIN voters v ON v.voter_id = b.voter_id AND v.registered_at <= b.appended_at
        WHERE b.malformed IS NULL
          AND NOT EXISTS (
              SELECT FROM rejections r
              WHERE r.ballot_partition = b.ballot_partition AND r.ballot_offset = b.ballot_offset
          )
        ORDER BY b.election_id, b.voter_id, b.ballot_partition, b.ballot_offset
    ) AS first_of_each
    ORDER BY election_id, voter_id
    ON CONFLICT (election_id, voter_id) DO NOTHING
    RETURNING ballot_partition
)
SELECT ballot_partition, count(*) FROM inserted GROUP BY ballot_partition;

-- name: make_refused
CREATE TEMPORARY TABLE IF NOT EXISTS refused (LIKE rejections) ON COMMIT DELETE ROWS;

-- name: clear_refused
DELETE FROM refused;

-- name: refuse
-- Every ballot of the batch that is no vote and has no stored rejection, with the reason.
INSERT INTO refused
SELECT b.ballot_partition, b.ballot_offset, e.election_id, b.voter_id,
       CASE
           WHEN b.malformed IS NOT NULL THEN 'malformed'
           WHEN e.election_id IS NULL THEN 'unknown_election'
           WHEN e.opens_at IS NULL OR b.appended_at < e.opens_at OR b.appended_at >= e.closes_at THEN 'not_open'
           WHEN c.candidate_id IS NULL THEN 'unknown_candidate'
           WHEN v.voter_id IS NULL THEN 'unknown_voter'
           WHEN x.candidate_id = b.candidate_id THEN 'already_voted_same'
           ELSE 'already_voted_other'
       END,
       coalesce(b.malformed, ''),
       b.appended_at
FROM batch b
LEFT JOIN votes x ON x.election_id = b.election_id AND x.voter_id = b.voter_id
LEFT JOIN elections e ON e.election_id = b.election_id
LEFT JOIN candidates c ON c.candidate_id = b.candidate_id AND c.election_id = b.election_id AND c.listed_at <= b.appended_at
LEFT JOIN voters v ON v.voter_id = b.voter_id AND v.registered_at <= b.appended_at
WHERE (x.ballot_partition, x.ballot_offset) IS DISTINCT FROM (b.ballot_partition, b.ballot_offset)
  AND NOT EXISTS (
      SELECT FROM rejections r
      WHERE r.ballot_partition = b.ballot_partition AND r.ballot_offset = b.ballot_offset
  );

-- name: refused_as_unknown
-- Whether a reason could still change because a registration that began earlier has not been committed.
SELECT EXISTS (SELECT FROM refused WHERE reason IN ('unknown_election', 'not_open', 'unknown_candidate', 'unknown_voter'));

-- name: wait_for_registrations
-- Registrations and changes of elections hold this lock shared: once we have it, all that began before have ended.
SELECT pg_advisory_xact_lock(%s);

-- name: store_refused
-- Counted are those that are new: another recorder may have stored some while this one was at it.
WITH inserted AS (
    INSERT INTO rejections SELECT * FROM refused ORDER BY ballot_partition, ballot_offset ON CONFLICT DO NOTHING
    RETURNING ballot_partition
)
SELECT ballot_partition, count(*) FROM inserted GROUP BY ballot_partition;

-- name: advance
INSERT INTO recorded AS r (ballot_partition, next_offset, accepted, rejected) VALUES (%s, %s, %s, %s)
ON CONFLICT (ballot_partition) DO UPDATE
SET next_offset = greatest(r.next_offset, excluded.next_offset),
    accepted = r.accepted + excluded.accepted,
    rejected = r.rejected + excluded.rejected;

-- name: verdicts
-- A ballot is accepted if and only if the ledger's row came from this very partition and offset.
SELECT b.ballot_partition, b.ballot_offset, b.voter_id, x.candidate_id, v.message, r.reason, r.detail
FROM batch b
LEFT JOIN votes x ON x.election_id = b.election_id AND x.voter_id = b.voter_id
                 AND x.ballot_partition = b.ballot_partition AND x.ballot_offset = b.ballot_offset
LEFT JOIN voters v ON v.voter_id = x.voter_id
LEFT JOIN rejections r ON r.ballot_partition = b.ballot_partition AND r.ballot_offset = b.ballot_offset
ORDER BY b.ballot_partition, b.ballot_offset;

-- name: take_slot
SELECT pg_try_advisory_lock(%s, %s);

-- name: source
SELECT cluster_id, ballots_topic_id, ledger_id::text FROM ledger_source;

-- name: remember_source
INSERT INTO ledger_source (cluster_id, ballots_topic_id) VALUES (%s, %s);

-- name: positions
SELECT ballot_partition, next_offset FROM recorded;

-- name: counts
SELECT coalesce(sum(next_offset), 0)::bigint, coalesce(sum(accepted), 0)::bigint, coalesce(sum(rejected), 0)::bigint FROM recorded;

-- name: votable
-- How many elections have opened (their hours decide each ballot, not this), and how many of them have candidates.
SELECT count(*) FILTER (WHERE opens_at IS NOT NULL),
       count(*) FILTER (WHERE opens_at IS NOT NULL AND EXISTS (SELECT FROM candidates c WHERE c.election_id = e.election_id))
FROM elections e;

-- name: interrupted_rebuild
SELECT what, since FROM rebuilding ORDER BY since LIMIT 1;

-- name: begin_rebuild
INSERT INTO rebuilding (what) VALUES (%s) ON CONFLICT DO NOTHING;

-- name: end_rebuild
DELETE FROM rebuilding WHERE what = %s;

-- name: empty_votes
-- Not TRUNCATE: somebody who looks meanwhile, with an older snapshot, would see an empty ledger.
DELETE FROM votes;

-- name: empty_rejections
DELETE FROM rejections;

-- name: empty_recorded
DELETE FROM recorded;

-- name: votes_in_order
-- The ledger in the order of one partition's ballots, each vote with its voter's announcement.
SELECT x.ballot_offset, x.voter_id, x.candidate_id, x.voting_time, v.message
FROM votes x JOIN voters v USING (voter_id)
WHERE x.ballot_partition = %s
ORDER BY x.ballot_offset;
