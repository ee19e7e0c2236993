-- name: note
INSERT INTO acts (who, what, subject, election_id, detail, came_from) VALUES (%s, %s, %s, %s, %s, %s);

-- name: newest
SELECT number, at, who, what, subject, election_id, detail, came_from FROM acts
WHERE %(before)s::bigint IS NULL OR number < %(before)s
ORDER BY number DESC LIMIT %(limit)s;
