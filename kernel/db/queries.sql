-- name: db_migration_list :many
SELECT room, number, name FROM schema_migration ORDER BY room, number;

-- name: db_migration_find :one
SELECT name FROM schema_migration WHERE room = :room AND number = :number;

-- name: db_migration_add :exec
INSERT INTO schema_migration (room, number, name, applied_at) VALUES (:room, :number, :name, :applied_at);

-- name: db_change_add :one
INSERT INTO change (kind, subject, at) VALUES (:kind, :subject, :at) RETURNING id;

-- The newest number of the sequence, 0 while nothing has changed.
-- name: db_change_newest :one
-- column: newest INTEGER
SELECT coalesce(max(id), 0) AS newest FROM change;

-- name: db_change_list :many
-- parameter: seen INTEGER
-- parameter: most INTEGER
SELECT id, kind, subject, at FROM change WHERE id > :seen ORDER BY id LIMIT :most;

-- name: db_change_trimmed :one
SELECT trimmed FROM change_trim WHERE id = 1;

-- Removes what is older than a time, but for the newest row, so that the sequence never goes back.
-- name: db_change_remove_old :exec
-- parameter: before INTEGER
DELETE FROM change WHERE at < :before AND id < (SELECT max(id) FROM change);

-- The highest id that db_change_remove_old would remove now.
-- name: db_change_oldest_to_remove :one
-- column: highest INTEGER
-- parameter: before INTEGER
SELECT coalesce(max(id), 0) AS highest FROM change WHERE at < :before AND id < (SELECT max(id) FROM change);

-- name: db_change_set_trimmed :exec
UPDATE change_trim SET trimmed = :trimmed WHERE id = 1 AND trimmed < :trimmed;
