-- name: elections
-- Of every election with a past, or with an alert that is raised: where the rules have come to, and its first minute.
-- An alert may outlast the minutes in which it was found: they become hours.
SELECT election_id, (extract(epoch FROM j.up_to) / 60)::bigint, (extract(epoch FROM least(h.first, a.first)) / 60)::bigint
FROM (
    SELECT election_id, min(from_time) AS first FROM history
    WHERE generation = %(generation)s AND state = '' AND span_minutes = 1
    GROUP BY election_id
) AS h
FULL JOIN (SELECT election_id, min(from_time) AS first FROM alerts WHERE state = 'raised' GROUP BY election_id) AS a USING (election_id)
LEFT JOIN judged j USING (election_id);

-- name: reached
SELECT extract(epoch FROM reached)::bigint FROM tally_generations WHERE generation = %s;

-- name: newest_repeat
-- The index knows which parts of the table are as new as that; all others are passed over.
SELECT floor(extract(epoch FROM max(appended_at)))::bigint FROM rejections
WHERE appended_at >= to_timestamp(%(since)s) AND reason = ANY(%(reasons)s);

-- name: next_activity
-- An alert that is raised is asked about in every minute, until it is over.
SELECT (floor(extract(epoch FROM least(
    (
        SELECT min(from_time) FROM history
        WHERE generation = %(generation)s AND election_id = %(election_id)s AND state <> '' AND span_minutes = 1
            AND from_time >= to_timestamp(%(since)s * 60)
    ),
    (
        SELECT min(appended_at) FROM rejections
        WHERE election_id = %(election_id)s AND reason = ANY(%(reasons)s) AND appended_at >= to_timestamp(%(since)s * 60)
    ),
    (SELECT to_timestamp(%(since)s * 60) FROM alerts WHERE election_id = %(election_id)s AND state = 'raised' LIMIT 1)
)) / 60))::bigint;

-- name: votes
SELECT (extract(epoch FROM from_time) / 60)::bigint, state, candidate_id, votes
FROM history
WHERE generation = %(generation)s AND election_id = %(election_id)s AND state <> '' AND span_minutes = 1
    AND from_time >= to_timestamp(%(first)s * 60) AND from_time <= to_timestamp(%(last)s * 60);

-- name: repeats
-- Ballots of people who had voted already, by where they live.
SELECT (floor(extract(epoch FROM r.appended_at) / 60))::bigint AS minute, v.address_state, count(*)
FROM rejections r JOIN voters v ON v.voter_id = r.voter_id
WHERE r.election_id = %(election_id)s AND r.reason = ANY(%(reasons)s)
    AND r.appended_at >= to_timestamp(%(first)s * 60) AND r.appended_at < to_timestamp((%(last)s + 1) * 60)
GROUP BY minute, v.address_state;

-- name: registered
SELECT group_1, voters FROM registered_groups WHERE election_id = %s AND view = 'state';

-- name: known
SELECT rule, subject, place, candidate_id, state, severity, seen, expected,
       (extract(epoch FROM from_time) / 60)::bigint, (extract(epoch FROM to_time) / 60)::bigint - 1, base, evidence,
       election_id, generation, batch
FROM alerts
WHERE (%(election_id)s::text IS NULL OR election_id = %(election_id)s)
    AND (%(since)s::bigint IS NULL OR state = 'raised' OR to_time >= to_timestamp(%(since)s * 60))
ORDER BY from_time, rule, subject;

-- name: store
INSERT INTO alerts
    (rule, subject, place, candidate_id, state, severity, seen, expected, from_time, to_time, base, evidence, election_id, generation, batch)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, to_timestamp(%s * 60), to_timestamp((%s + 1) * 60), %s, %s, %s, %s, %s)
ON CONFLICT (election_id, rule, subject, from_time) DO UPDATE
SET state = excluded.state, severity = excluded.severity, seen = excluded.seen, expected = excluded.expected, to_time = excluded.to_time,
    evidence = excluded.evidence, generation = excluded.generation, batch = excluded.batch;

-- name: mark_judged
INSERT INTO judged (election_id, up_to) VALUES (%s, to_timestamp(%s * 60))
ON CONFLICT (election_id) DO UPDATE SET up_to = excluded.up_to;
