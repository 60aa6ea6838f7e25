-- Appends one entry.
-- name: ledger_insert :exec
INSERT INTO ledger (at, officer_id, action, subject, detail) VALUES (:at, :officer_id, :action, :subject, :detail);

-- The newest entries about one subject.
-- name: ledger_list_of :many
-- parameter: most INTEGER
SELECT id, at, officer_id, action, subject, detail FROM ledger WHERE subject = :subject ORDER BY id DESC LIMIT :most;
