-- name: enter
SELECT pg_try_advisory_lock_shared(%s);

-- name: be_alone
SELECT pg_try_advisory_lock(%s);

-- name: source
SELECT cluster_id, ballots_topic_id, ledger_id::text FROM ledger_source;

-- name: remember_source
-- Whoever comes second waits for the first, and finds that one's row.
INSERT INTO ledger_source (cluster_id, ballots_topic_id) VALUES (%s, %s) ON CONFLICT DO NOTHING;

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
