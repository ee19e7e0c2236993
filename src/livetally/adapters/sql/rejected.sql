-- name: source
SELECT cluster_id, ballots_topic_id FROM ledger_source;

-- name: counts
SELECT reason, count(*) FROM rejections
WHERE %(reason)s::text IS NULL OR reason = %(reason)s
GROUP BY reason ORDER BY count(*) DESC, reason;

-- name: by_time
-- The newest so many, oldest first.
SELECT *
FROM (
    SELECT ballot_partition, ballot_offset, appended_at, reason, detail, election_id, voter_id FROM rejections
    WHERE %(reason)s::text IS NULL OR reason = %(reason)s
    ORDER BY appended_at DESC, ballot_partition DESC, ballot_offset DESC LIMIT %(newest)s::bigint
) AS newest
ORDER BY appended_at, ballot_partition, ballot_offset;

-- name: by_place
-- The same, or all of them, in the order of partition and offset.
SELECT *
FROM (
    SELECT ballot_partition, ballot_offset, appended_at, reason, detail, election_id, voter_id FROM rejections
    WHERE %(reason)s::text IS NULL OR reason = %(reason)s
    ORDER BY appended_at DESC, ballot_partition DESC, ballot_offset DESC LIMIT %(newest)s::bigint
) AS newest
ORDER BY ballot_partition, ballot_offset;

-- name: in_partition
SELECT ballot_partition, ballot_offset, appended_at, reason, detail, election_id, voter_id FROM rejections
WHERE reason = %(reason)s AND ballot_partition = %(partition)s
ORDER BY ballot_offset;

-- name: later_ones
-- Rejected ballots of people of whom an earlier one was rejected for this reason: if that one was cast again, a later one may be its copy.
-- By sorting, not by a join: right after many rejections the planner knows nothing of them yet, and would compare each with each.
SELECT ballot_partition, ballot_offset, appended_at, reason, detail, election_id, voter_id
FROM (
    SELECT *, min(ballot_offset) FILTER (WHERE reason = %(reason)s) OVER (PARTITION BY voter_id) AS first_offset
    FROM rejections
    WHERE ballot_partition = %(partition)s AND reason = ANY (%(castable)s)
) AS theirs
WHERE ballot_offset > first_offset
ORDER BY ballot_offset;

-- name: next_undecided
SELECT coalesce(max(next_offset), 0)::bigint FROM recorded WHERE ballot_partition = %s;

-- name: take_lock
SELECT pg_try_advisory_lock(%s);

-- name: plan_by_index
-- A few thousand ballots are asked about at a time, and roll and ledger are large: hashing them each time would take longer than all the rest.
SELECT set_config('enable_hashjoin', 'off', false), set_config('enable_mergejoin', 'off', false),
       set_config('enable_seqscan', 'off', false), set_config('jit', 'off', false);

-- name: outlook
-- What would become of ballots that were cast now. A forecast for people, never a verdict: that is *record*'s, by the time on the ballot.
SELECT CASE
           WHEN x.voter_id IS NOT NULL THEN 'has_voted'
           WHEN e.election_id IS NULL THEN 'unknown_election'
           WHEN e.opens_at IS NULL OR now() < e.opens_at OR now() >= e.closes_at THEN 'not_open'
           WHEN c.candidate_id IS NULL THEN 'unknown_candidate'
           WHEN v.voter_id IS NULL THEN 'unknown_voter'
       END
FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS b (election_id, voter_id, candidate_id, number)
LEFT JOIN elections e ON e.election_id = b.election_id
LEFT JOIN candidates c ON c.candidate_id = b.candidate_id AND c.election_id = b.election_id AND c.listed_at <= now()
LEFT JOIN LATERAL (
    SELECT r.voter_id FROM on_roll r WHERE r.voter_id = b.voter_id AND r.election_id = b.election_id AND r.since <= now() OFFSET 0
) AS v ON true
LEFT JOIN votes x ON x.voter_id = b.voter_id AND x.election_id = b.election_id
ORDER BY b.number;

-- name: mark_receipts
-- These ballots are about to be cast again: whoever follows a receipt of theirs finds the vote in either place.
UPDATE receipts r SET cast_again = true
FROM unnest(%s::text[], %s::text[], %s::integer[], %s::bigint[]) AS q (election_id, voter_id, ballot_partition, ballot_offset)
WHERE (r.election_id, r.voter_id, r.ballot_partition, r.ballot_offset)
    = (q.election_id, q.voter_id, q.ballot_partition, q.ballot_offset);
