-- name: alone
-- A page must not take the processors of those who count.
SET LOCAL max_parallel_workers_per_gather = 0;

-- name: sums
-- What the cells add up to for each candidate.
SELECT election_id, candidate_id, sum(votes)::bigint FROM cells WHERE generation = %s GROUP BY election_id, candidate_id;

-- name: decided
-- Ballots, and votes among them.
SELECT coalesce(sum(next_offset), 0)::bigint, coalesce(sum(accepted), 0)::bigint FROM recorded;

-- name: ledger
-- Every row is looked at. `cuts`: per partition of the ballots, the offset behind the last ballot that counts here; sums of places tell
-- two votes that were exchanged.
SELECT election_id, candidate_id, count(*) FILTER (WHERE is_before),
       coalesce(sum(ballot_offset * %(per_offset)s::bigint + ballot_partition) FILTER (WHERE is_before), 0), count(*)
FROM (
    SELECT election_id, candidate_id, ballot_partition, ballot_offset,
           coalesce(ballot_offset < (%(cuts)s::bigint[])[ballot_partition + 1], false) AS is_before
    FROM votes
) AS x
GROUP BY election_id, candidate_id;

-- name: rewritten
-- Another answer as soon as a row of the ledger has been changed, deleted, or the table emptied. No row ever is, in normal work.
SELECT pg_stat_get_tuples_updated('votes'::regclass) + pg_stat_get_tuples_deleted('votes'::regclass), pg_relation_filenode('votes'::regclass);

-- name: stored_by
-- The transaction that stored the newest batch.
SELECT xmin::text FROM tally_generations WHERE generation = %s;

-- name: rewritten_totals
-- Rows of the tally that are younger than the batch that was seen last, though they say that no later batch has changed them: how many, and
-- their newest transaction. In normal work there are none.
SELECT count(*), coalesce(max(writer::text::bigint), 0)
FROM (
    SELECT xmin AS writer FROM cells
    WHERE generation = %(generation)s AND batch <= %(batch)s AND age(xmin) < age(%(stored_by)s::xid)
    UNION ALL
    SELECT xmin FROM group_totals
    WHERE generation = %(generation)s AND batch <= %(batch)s AND age(xmin) < age(%(stored_by)s::xid)
) AS x;

-- name: unlike_cells
-- Totals of groups that are not the sums of their cells. What cells.sql adds batch by batch is worked out here from all cells, and on
-- purpose in words of its own: a witness that shared the statement would share its faults.
WITH sums AS (
    SELECT election_id,
           CASE
               WHEN grouping(city) = 0 THEN 'region'
               WHEN grouping(state) = 0 THEN 'state'
               WHEN grouping(gender) = 0 THEN 'gender'
               WHEN grouping(age_group) = 0 THEN 'age'
               ELSE 'candidate'
           END AS view,
           CASE
               WHEN grouping(city) = 0 THEN city
               WHEN grouping(state) = 0 THEN state
               WHEN grouping(gender) = 0 THEN gender
               WHEN grouping(age_group) = 0 THEN age_group
               ELSE candidate_id
           END AS group_1,
           CASE WHEN grouping(city) = 0 THEN state ELSE '' END AS group_2,
           CASE WHEN grouping(state, gender, age_group) = 7 OR grouping(candidate_id) = 1 THEN '' ELSE candidate_id END AS candidate_id,
           sum(votes) AS votes
    FROM cells
    WHERE generation = %(generation)s
    GROUP BY GROUPING SETS (
        (election_id, candidate_id),
        (election_id, state), (election_id, state, candidate_id),
        (election_id, state, city), (election_id, state, city, candidate_id),
        (election_id, gender), (election_id, gender, candidate_id),
        (election_id, age_group), (election_id, age_group, candidate_id)
    )
)
SELECT election_id, view, group_1, group_2, candidate_id, coalesce(t.votes, 0), coalesce(s.votes, 0)::bigint
FROM sums s
FULL JOIN (SELECT * FROM group_totals WHERE generation = %(generation)s) AS t USING (election_id, view, group_1, group_2, candidate_id)
WHERE coalesce(t.votes, 0) <> coalesce(s.votes, 0)
ORDER BY election_id, view, group_1, group_2, candidate_id
LIMIT %(limit)s;
