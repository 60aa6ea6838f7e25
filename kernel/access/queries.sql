-- name: budget_find :one
SELECT tokens, filled_at FROM budget WHERE class = :class AND key = :key;

-- name: budget_put :exec
INSERT INTO budget (class, key, tokens, filled_at) VALUES (:class, :key, :tokens, :filled_at)
ON CONFLICT (class, key) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at;

-- Buckets nobody touched for a while are full again: they need no row.
-- name: budget_remove_old :exec
-- parameter: before INTEGER
DELETE FROM budget WHERE filled_at < :before;

-- --- officers ---------------------------------------------------------------------------------------------------

-- name: officer_insert :one
INSERT INTO officer (public_id, login, name, permission, language, zone, password, totp_secret, totp_counter, setup_salt, setup_until, created_at)
VALUES (:public_id, :login, :name, :permission, :language, :zone, '', '', 0, :setup_salt, :setup_until, :created_at)
RETURNING id;

-- name: officer_find :one
-- row: officer_row
-- parameter: officer_id INTEGER
SELECT id, public_id, login, name, permission, language, zone, password, totp_secret, totp_counter, setup_salt, setup_until, disabled_at
FROM officer WHERE id = :officer_id;

-- name: officer_find_login :one
-- row: officer_row
SELECT id, public_id, login, name, permission, language, zone, password, totp_secret, totp_counter, setup_salt, setup_until, disabled_at
FROM officer WHERE login = :login;

-- name: officer_find_public :one
-- row: officer_row
SELECT id, public_id, login, name, permission, language, zone, password, totp_secret, totp_counter, setup_salt, setup_until, disabled_at
FROM officer WHERE public_id = :public_id;

-- name: officer_list :many
-- row: officer_row
SELECT id, public_id, login, name, permission, language, zone, password, totp_secret, totp_counter, setup_salt, setup_until, disabled_at
FROM officer ORDER BY name, id LIMIT 1000;

-- Password and second factor chosen by the set-up link: the link ends with it.
-- name: officer_set_up :exec
-- parameter: officer_id INTEGER
UPDATE officer SET password = :password, totp_secret = :totp_secret, totp_counter = :totp_counter, setup_salt = :setup_salt, setup_until = 0
WHERE id = :officer_id;

-- A new set-up link: what stood before keeps working until it is used.
-- name: officer_new_link :exec
-- parameter: officer_id INTEGER
UPDATE officer SET setup_salt = :setup_salt, setup_until = :setup_until WHERE id = :officer_id;

-- A code counts once: only a later time step moves the counter.
-- name: officer_use_totp :exec
-- parameter: officer_id INTEGER
UPDATE officer SET totp_counter = :totp_counter WHERE id = :officer_id AND totp_counter < :totp_counter;

-- name: officer_set_password :exec
-- parameter: officer_id INTEGER
UPDATE officer SET password = :password WHERE id = :officer_id;

-- name: officer_set_preferences :exec
-- parameter: officer_id INTEGER
UPDATE officer SET language = :language, zone = :zone WHERE id = :officer_id;

-- name: officer_disable :exec
-- parameter: officer_id INTEGER
UPDATE officer SET disabled_at = :disabled_at WHERE id = :officer_id AND disabled_at IS NULL;

-- name: officer_enable :exec
-- parameter: officer_id INTEGER
UPDATE officer SET disabled_at = NULL WHERE id = :officer_id;

-- name: officer_count :one
-- column: officers INTEGER
SELECT count(*) AS officers FROM officer;

-- --- recovery codes ---------------------------------------------------------------------------------------------

-- name: recovery_code_insert :exec
INSERT INTO recovery_code (officer_id, hash) VALUES (:officer_id, :hash);

-- name: recovery_code_remove_all :exec
DELETE FROM recovery_code WHERE officer_id = :officer_id;

-- name: recovery_code_use :exec
UPDATE recovery_code SET used_at = :used_at WHERE officer_id = :officer_id AND hash = :hash AND used_at IS NULL;

-- --- sessions ---------------------------------------------------------------------------------------------------

-- name: session_insert :one
INSERT INTO session (token_hash, officer_id, created_at, seen_at, stepped_up_at)
VALUES (:token_hash, :officer_id, :created_at, :created_at, :created_at) RETURNING id;

-- name: session_find :one
SELECT s.id, s.officer_id, s.created_at, s.seen_at, s.stepped_up_at, o.public_id, o.name, o.permission, o.language, o.zone
FROM session s JOIN officer o ON o.id = s.officer_id
WHERE s.token_hash = :token_hash AND s.ended_at IS NULL AND o.disabled_at IS NULL;

-- name: session_seen :exec
-- parameter: session_id INTEGER
UPDATE session SET seen_at = :seen_at WHERE id = :session_id AND seen_at < :seen_at;

-- name: session_end :exec
-- parameter: session_id INTEGER
UPDATE session SET ended_at = :ended_at WHERE id = :session_id AND ended_at IS NULL;

-- name: session_end_of :exec
-- parameter: session_id INTEGER
UPDATE session SET ended_at = :ended_at WHERE id = :session_id AND officer_id = :officer_id AND ended_at IS NULL;

-- All sessions of an officer but one (0: all).
-- name: session_end_others :exec
-- parameter: session_id INTEGER
UPDATE session SET ended_at = :ended_at WHERE officer_id = :officer_id AND id <> :session_id AND ended_at IS NULL;

-- name: session_list_of :many
SELECT id, created_at, seen_at FROM session WHERE officer_id = :officer_id AND ended_at IS NULL ORDER BY seen_at DESC LIMIT 100;

-- name: session_remove_old :exec
-- parameter: before INTEGER
DELETE FROM session WHERE seen_at < :before;
