-- What commands ask across rooms.

-- Whether anybody is on record, whatever became of them.
-- name: anybody_find :one
-- column: people INTEGER
SELECT count(*) AS people FROM (SELECT id FROM person LIMIT 1) AS first;
