-- name: note
INSERT INTO acts (who, what, subject, election_id, detail, came_from) VALUES (%s, %s, %s, %s, %s, %s);

-- name: newest
-- Of one election, or of all of them.
SELECT number, at, who, what, subject, election_id, detail, came_from FROM acts
WHERE %(election_id)s::text IS NULL OR election_id = %(election_id)s
ORDER BY number DESC LIMIT %(limit)s;
