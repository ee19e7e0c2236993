-- name: has_foreign_tables
-- Tables with the reference's names, but without our own list of migrations: somebody else's data.
-- Asked of pg_class: to_regclass may answer from what this session saw before it waited for another one that was making them.
SELECT count(*) > 0 AND NOT bool_or(relname = 'schema_migrations')
FROM pg_class
WHERE relname IN ('schema_migrations', 'candidates', 'voters', 'votes') AND pg_table_is_visible(oid);

-- name: make_migrations_table
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: has_migrations_table
SELECT to_regclass('schema_migrations') IS NOT NULL;

-- name: applied_migrations
SELECT number FROM schema_migrations ORDER BY number;

-- name: migration_applied
SELECT number FROM schema_migrations WHERE number = %s;

-- name: remember_migration
INSERT INTO schema_migrations (number, name) VALUES (%s, %s);

-- name: migrations_beyond
SELECT max(number) FROM schema_migrations HAVING max(number) > %s;

-- name: become
-- Where the schema has not been made yet the role may be missing.
SELECT set_config('role', %(role)s, false) WHERE to_regrole(%(role)s) IS NOT NULL;

-- name: end_overdue
-- PostgreSQL forgets its own time limit while it waits for a client in the middle of a COPY, or of an answer: a stage that was
-- stopped just then would hold its rows, and its partition, until it wakes. Whoever connects puts an end to that.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = session_user
  AND application_name LIKE %(named)s AND xact_start < clock_timestamp() - %(limit_ms)s * interval '1 ms';

-- name: has_schema
SELECT to_regclass('elections') IS NOT NULL;
