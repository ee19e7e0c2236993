-- name: has_foreign_tables
-- Tables with the reference's names, but without our own list of migrations: somebody else's data.
SELECT to_regclass('schema_migrations') IS NULL
   AND coalesce(to_regclass('candidates'), to_regclass('voters'), to_regclass('votes')) IS NOT NULL;

-- name: make_migrations_table
CREATE TABLE IF NOT EXISTS schema_migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: migration_applied
SELECT number FROM schema_migrations WHERE number = %s;

-- name: remember_migration
INSERT INTO schema_migrations (number, name) VALUES (%s, %s);

-- name: migrations_beyond
SELECT max(number) FROM schema_migrations HAVING max(number) > %s;

-- name: become_application
-- Where the schema has not been made yet the role may be missing.
SELECT set_config('role', 'livetally_app', false) WHERE to_regrole('livetally_app') IS NOT NULL;

-- name: has_schema
SELECT to_regclass('elections') IS NOT NULL;
