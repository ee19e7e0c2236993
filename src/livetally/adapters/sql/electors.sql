-- name: voter
SELECT voter_name, registered_at FROM voters WHERE voter_id = %s;

-- name: elections_of
-- Every election, and what is known of one person in it. Whom they voted for is not asked, so that nobody can be told.
SELECT e.election_id, e.name, e.kind, e.status, e.roll,
       CASE e.roll
           WHEN 'list' THEN l.listed_at
           WHEN 'states' THEN CASE WHEN v.is_general AND v.address_state = ANY (e.roll_states) THEN v.registered_at END
           ELSE CASE WHEN v.is_general THEN v.registered_at END
       END AS on_roll_since,
       c.issued_at AS code_issued_at,
       coalesce(c.voided, 0) AS codes_voided,
       x.voting_time AT TIME ZONE 'UTC' AS voted_at,
       r.issued_at AS receipt_issued_at,
       r.ballot_partition IS NOT NULL AS is_acknowledged
FROM elections e
JOIN voters v ON v.voter_id = %(voter_id)s
LEFT JOIN roll_entries l ON l.election_id = e.election_id AND l.voter_id = v.voter_id
LEFT JOIN LATERAL (
    SELECT max(issued_at) FILTER (WHERE voided_at IS NULL) AS issued_at, count(*) FILTER (WHERE voided_at IS NOT NULL) AS voided
    FROM voting_codes k WHERE k.election_id = e.election_id AND k.voter_id = v.voter_id
) AS c ON true
LEFT JOIN votes x ON x.voter_id = v.voter_id AND x.election_id = e.election_id
LEFT JOIN receipts r ON r.voter_id = v.voter_id AND r.election_id = e.election_id
WHERE %(election_id)s::text IS NULL OR e.election_id = %(election_id)s
ORDER BY e.created_at DESC, e.election_id DESC;

-- name: rejections_of
-- That somebody voted again is told, and not whether for the same candidate: it would say something about the choice.
SELECT election_id, appended_at, CASE WHEN reason LIKE 'already_voted%%' THEN 'already_voted' ELSE reason END
FROM rejections WHERE voter_id = %(voter_id)s AND (%(election_id)s::text IS NULL OR election_id = %(election_id)s)
ORDER BY appended_at, ballot_partition, ballot_offset
LIMIT %(limit)s;

-- name: votes_in
-- In the ledger, tallied or not.
SELECT count(*) FROM votes WHERE election_id = %s;

-- name: rejections_in
SELECT reason, count(*) FROM rejections WHERE election_id = %s GROUP BY reason ORDER BY count(*) DESC, reason;

-- name: codes_in
-- Valid voting codes.
SELECT count(*) FROM voting_codes WHERE election_id = %s AND voided_at IS NULL;
