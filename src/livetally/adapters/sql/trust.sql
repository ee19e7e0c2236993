-- name: decided
SELECT ballot_partition, next_offset FROM recorded;

-- name: rejected
-- Of one partition, between two offsets: those that were decided since somebody asked last.
SELECT coalesce(election_id, ''), reason, count(*) FROM rejections
WHERE ballot_partition = %(partition)s AND ballot_offset >= %(first)s AND ballot_offset < %(next)s
GROUP BY election_id, reason;

-- name: stages
-- Who of ours is connected to this database. Behind a comma the name says the limits of the session.
SELECT DISTINCT split_part(substring(application_name FROM 11), ',', 1) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE 'livetally %';
