-- name: claim
-- What may be said to a batch of requests at once. A row of `receipts` decides who casts: whoever makes it, or takes over a claim that
-- has run out. All see the table as it was before the statement; whom somebody else has just overtaken is told so and asks again.
WITH asked AS MATERIALIZED (
    SELECT q.*, c.voter_id, c.election_id AS code_election_id, c.voided_at
    FROM unnest(%(code_hashes)s::bytea[], %(election_ids)s::text[], %(receipts)s::text[], %(keys)s::text[], %(may_cast)s::boolean[])
        WITH ORDINALITY AS q (code_hash, election_id, receipt, idempotency_key, may_cast, number)
    LEFT JOIN LATERAL (SELECT * FROM voting_codes WHERE voting_codes.code_hash = q.code_hash OFFSET 0) AS c ON true
), casting AS (
    SELECT DISTINCT ON (voter_id, election_id) receipt, election_id, voter_id, idempotency_key FROM asked
    WHERE may_cast AND voided_at IS NULL AND code_election_id = election_id
    ORDER BY voter_id, election_id, number
), made AS (
    INSERT INTO receipts (receipt, election_id, voter_id, idempotency_key, claimed_until)
    SELECT receipt, election_id, voter_id, idempotency_key, clock_timestamp() + %(claim_ms)s * interval '1 millisecond' FROM casting
    ORDER BY voter_id, election_id
    ON CONFLICT (election_id, voter_id) DO NOTHING
    RETURNING receipt, election_id, voter_id
), taken_over AS (
    UPDATE receipts r SET claimed_until = clock_timestamp() + %(claim_ms)s * interval '1 millisecond', cast_again = true
    FROM casting
    WHERE r.election_id = casting.election_id AND r.voter_id = casting.voter_id
      AND r.ballot_partition IS NULL AND (r.claimed_until IS NULL OR r.claimed_until < clock_timestamp())
    RETURNING r.receipt
)
SELECT a.number, a.voter_id, a.code_election_id, a.voided_at IS NOT NULL,
       coalesce(m.receipt, r.receipt), r.idempotency_key, m.receipt IS NOT NULL,
       r.ballot_partition IS NOT NULL, t.receipt IS NOT NULL
FROM asked a
LEFT JOIN made m ON m.receipt = a.receipt
LEFT JOIN LATERAL (
    SELECT * FROM receipts WHERE receipts.election_id = a.code_election_id AND receipts.voter_id = a.voter_id OFFSET 0
) AS r ON true
LEFT JOIN taken_over t ON t.receipt = r.receipt
ORDER BY a.number;

-- name: place
-- Kafka has acknowledged these.
UPDATE receipts r SET ballot_partition = q.partition, ballot_offset = q.ballot_offset, claimed_until = NULL
FROM unnest(%s::text[], %s::integer[], %s::bigint[]) AS q (receipt, partition, ballot_offset)
WHERE r.receipt = q.receipt AND r.ballot_partition IS NULL;

-- name: release
-- Kafka has not taken these, or nobody knows: whoever asks next may cast them.
UPDATE receipts SET claimed_until = NULL WHERE receipt = ANY (%s) AND ballot_partition IS NULL;

-- name: holder
-- Whom a code is for, and what has been cast with it.
SELECT c.election_id, c.voter_id, c.voided_at IS NOT NULL, r.receipt, r.issued_at, r.ballot_partition IS NOT NULL
FROM voting_codes c
LEFT JOIN receipts r ON r.election_id = c.election_id AND r.voter_id = c.voter_id
WHERE c.code_hash = %s;

-- name: follow
-- What became of a ballot, by the ledger's own rows. A ballot that had to be cast again may count from either place.
SELECT r.election_id, r.issued_at, r.cast_again, r.ballot_partition, r.ballot_offset,
       v.ballot_partition, v.ballot_offset, x.reason, h.number, h.head, w.number, w.head
FROM receipts r
LEFT JOIN votes v ON v.voter_id = r.voter_id AND v.election_id = r.election_id
LEFT JOIN rejections x ON x.ballot_partition = r.ballot_partition AND x.ballot_offset = r.ballot_offset
LEFT JOIN LATERAL (
    SELECT number, head FROM chain
    WHERE chain.ballot_partition = v.ballot_partition AND chain.next_offset > v.ballot_offset ORDER BY chain.next_offset LIMIT 1
) AS h ON true
LEFT JOIN LATERAL (
    SELECT number, head FROM chain
    WHERE chain.ballot_partition = r.ballot_partition AND chain.next_offset > r.ballot_offset ORDER BY chain.next_offset LIMIT 1
) AS w ON true
WHERE r.receipt = %s;

-- name: elections
-- What is asked of every ballot before anybody asks PostgreSQL about it. *record* decides by the same rows, at the time of the ballot.
SELECT election_id, name, kind, status, detail, opens_at, closes_at, opens_planned, closes_planned FROM elections;

-- name: candidates
SELECT candidate_id, candidate_name, party_affiliation, biography, campaign_platform, photo_url, election_id
FROM candidates ORDER BY election_id, candidate_id;
