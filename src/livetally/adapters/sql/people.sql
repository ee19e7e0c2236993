-- name: person_of
-- Whom a credential stands for, and whether its rest is to be counted anew. Only while it, and the user, may be used.
SELECT u.user_name, u.role, u.elections, c.idle_until
FROM credentials AS c JOIN users AS u USING (user_name)
WHERE c.credential_hash = %(hash)s AND c.kind = %(kind)s AND c.revoked_at IS NULL AND c.expires_at > %(now)s
  AND (c.idle_until IS NULL OR c.idle_until > %(now)s) AND NOT u.is_disabled;

-- name: person_of_session
-- For those who may not read credentials.
SELECT user_name, role, elections FROM person_of_session(%(hash)s, %(now)s);

-- name: rest_again
UPDATE credentials SET idle_until = %s WHERE credential_hash = %s;

-- name: users
SELECT user_name, role, elections, is_disabled, created_at FROM users ORDER BY user_name;

-- name: user
SELECT user_name, role, elections, is_disabled, created_at FROM users WHERE user_name = %s;

-- name: password_hash
SELECT password_hash FROM users WHERE user_name = %s AND NOT is_disabled;

-- name: add_user
INSERT INTO users (user_name, role, elections, password_hash) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING user_name;

-- name: set_password
UPDATE users SET password_hash = %s WHERE user_name = %s RETURNING user_name;

-- name: set_disabled
UPDATE users SET is_disabled = %s WHERE user_name = %s RETURNING user_name;

-- name: set_role
UPDATE users SET role = %s, elections = %s WHERE user_name = %s RETURNING user_name;

-- name: has_admin
SELECT EXISTS (SELECT FROM users WHERE role = 'admin' AND elections IS NULL AND NOT is_disabled);

-- name: known_elections
-- They stay until the transaction ends: nobody is made an official of a draft that is being deleted.
SELECT election_id FROM elections WHERE election_id = ANY (%s) FOR KEY SHARE;

-- name: add_credential
INSERT INTO credentials (credential_hash, user_name, kind, label, created_at, expires_at, idle_until) VALUES (%s, %s, %s, %s, %s, %s, %s)
RETURNING number;

-- name: valid_credentials
-- How many of a kind somebody has.
SELECT count(*) FROM credentials WHERE user_name = %s AND kind = %s AND revoked_at IS NULL AND expires_at > %s;

-- name: tokens
SELECT number, user_name, label, created_at, expires_at, revoked_at FROM credentials
WHERE kind = 'token' AND user_name = %s ORDER BY number DESC LIMIT %s;

-- name: revoke
UPDATE credentials SET revoked_at = %s WHERE credential_hash = %s AND revoked_at IS NULL RETURNING user_name;

-- name: revoke_number
UPDATE credentials SET revoked_at = %s WHERE number = %s AND user_name = %s AND kind = 'token' AND revoked_at IS NULL RETURNING number;

-- name: revoke_all
UPDATE credentials SET revoked_at = %s WHERE user_name = %s AND revoked_at IS NULL;
