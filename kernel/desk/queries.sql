-- name: house_setting_list :many
SELECT name, value FROM setting ORDER BY name;

-- name: house_setting_put :exec
INSERT INTO setting (name, value, changed_at) VALUES (:name, :value, :changed_at)
ON CONFLICT (name) DO UPDATE SET value = excluded.value, changed_at = excluded.changed_at;

-- name: house_setting_remove :exec
DELETE FROM setting WHERE name = :name;

-- name: house_job_find :one
SELECT last_run FROM job WHERE name = :name;

-- name: house_job_add :exec
INSERT INTO job (name, last_run, claimed_until) VALUES (:name, 0, 0) ON CONFLICT (name) DO NOTHING;

-- Takes a job that nobody ran since it was due and nobody holds. A claim in the far future is of a clock that was
-- set back since: it does not count.
-- name: house_job_claim :exec
-- parameter: due INTEGER
-- parameter: now INTEGER
-- parameter: until INTEGER
UPDATE job SET claimed_until = :until
WHERE name = :name AND (last_run < :due OR last_run > :now) AND (claimed_until <= :now OR claimed_until > :until);

-- name: house_job_done :exec
UPDATE job SET last_run = :last_run, claimed_until = 0 WHERE name = :name;
