-- name: budget_find :one
SELECT tokens, filled_at FROM budget WHERE class = :class AND key = :key;

-- name: budget_put :exec
INSERT INTO budget (class, key, tokens, filled_at) VALUES (:class, :key, :tokens, :filled_at)
ON CONFLICT (class, key) DO UPDATE SET tokens = excluded.tokens, filled_at = excluded.filled_at;

-- Buckets nobody touched for a while are full again: they need no row.
-- name: budget_remove_old :exec
-- parameter: before INTEGER
DELETE FROM budget WHERE filled_at < :before;
