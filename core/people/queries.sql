-- --- one person -----------------------------------------------------------------------------------------------

-- A visible person: not of a batch that is staged or was taken back.
-- name: person_row_find :one
-- parameter: person_id INTEGER
SELECT p.id, p.public_id, p.language, p.source, p.batch_id, p.salt, p.created_at, p.ended_at
FROM person p
LEFT JOIN batch b ON b.id = p.batch_id
WHERE p.id = :person_id AND (p.batch_id IS NULL OR b.state = 2);

-- name: person_id_find_public :one
SELECT id FROM person WHERE public_id = :public_id;

-- name: person_id_find_form_key :one
SELECT id FROM person WHERE form_key = :form_key;

-- name: person_insert :one
INSERT INTO person (public_id, external_id, language, source, batch_id, salt, form_key, created_at, changed_at)
VALUES (:public_id, :external_id, :language, :source, :batch_id, :salt, :form_key, :created_at, :created_at)
RETURNING id;

-- name: person_name_find :one
SELECT name FROM person_name WHERE person_id = :person_id;

-- name: person_name_put :exec
INSERT INTO person_name (person_id, name) VALUES (:person_id, :name)
ON CONFLICT (person_id) DO UPDATE SET name = excluded.name;

-- name: person_set_changed :exec
-- parameter: person_id INTEGER
UPDATE person SET changed_at = :changed_at WHERE id = :person_id;

-- name: person_put_language :exec
-- parameter: person_id INTEGER
UPDATE person SET language = :language WHERE id = :person_id;

-- name: person_put_salt :exec
-- parameter: person_id INTEGER
UPDATE person SET salt = :salt WHERE id = :person_id;

-- --- contacts ---------------------------------------------------------------------------------------------------

-- name: contact_list_of :many
SELECT id, person_id, channel, address, rank, wanted, confirmed_at, opted_out_at, ended_at
FROM contact WHERE person_id = :person_id ORDER BY rank, id;

-- name: contact_row_find :one
-- parameter: contact_id INTEGER
SELECT id, person_id, channel, address, rank, wanted, confirmed_at, opted_out_at, ended_at
FROM contact WHERE id = :contact_id;

-- name: contact_insert :one
INSERT INTO contact (person_id, channel, address, rank, wanted, confirmed_at, confirmed_how, created_at)
VALUES (:person_id, :channel, :address, :rank, :wanted, :confirmed_at, :confirmed_how, :created_at)
RETURNING id;

-- name: contact_remove_row :exec
-- parameter: contact_id INTEGER
DELETE FROM contact WHERE id = :contact_id AND person_id = :person_id;

-- name: contact_find_same :one
SELECT id FROM contact WHERE person_id = :person_id AND channel = :channel AND address = :address;

-- name: contact_count_of :one
-- column: contacts INTEGER
SELECT count(*) AS contacts FROM contact WHERE person_id = :person_id;

-- name: contact_remove_all :exec
DELETE FROM contact WHERE person_id = :person_id;

-- name: contact_put_order :exec
-- parameter: contact_id INTEGER
UPDATE contact SET rank = :rank, wanted = :wanted WHERE id = :contact_id AND person_id = :person_id;

-- Confirming by code lifts an end that an earlier bounce had set: the person has just read a message there.
-- name: contact_confirm :exec
-- parameter: contact_id INTEGER
UPDATE contact SET confirmed_at = :confirmed_at, confirmed_how = :confirmed_how, ended_at = NULL, ended_reason = NULL
WHERE id = :contact_id;

-- name: contact_end_row :exec
-- parameter: contact_id INTEGER
UPDATE contact SET ended_at = :ended_at, ended_reason = :ended_reason WHERE id = :contact_id AND ended_at IS NULL;

-- Everyone who has this address, whatever its state, visible and enrolled. Who confirmed it comes first: enrolling others' addresses must not
-- push their owners off the list.
-- name: contact_list_by_address :many
-- parameter: most INTEGER
SELECT c.id, c.person_id, c.confirmed_at
FROM contact c
JOIN person p ON p.id = c.person_id
LEFT JOIN batch b ON b.id = p.batch_id
WHERE c.address = :address AND c.channel = :channel AND p.ended_at IS NULL AND (p.batch_id IS NULL OR b.state = 2)
ORDER BY CASE WHEN c.confirmed_at IS NULL THEN 1 ELSE 0 END, c.person_id LIMIT :most;

-- Those of them who hear of it still (:out 1) or no longer (0).
-- name: contact_list_to_opt :many
-- parameter: most INTEGER
-- parameter: out INTEGER
SELECT c.id, c.person_id
FROM contact c
JOIN person p ON p.id = c.person_id
LEFT JOIN batch b ON b.id = p.batch_id
WHERE c.address = :address AND c.channel = :channel AND p.ended_at IS NULL AND (p.batch_id IS NULL OR b.state = 2)
	AND (CASE WHEN c.opted_out_at IS NULL THEN 1 ELSE 0 END) = :out
ORDER BY c.person_id LIMIT :most;

-- name: contact_opt_out_row :exec
-- parameter: contact_id INTEGER
UPDATE contact SET opted_out_at = :opted_out_at WHERE id = :contact_id AND opted_out_at IS NULL;

-- name: contact_opt_in_row :exec
-- parameter: contact_id INTEGER
UPDATE contact SET opted_out_at = NULL WHERE id = :contact_id AND opted_out_at IS NOT NULL;

-- --- web push ---------------------------------------------------------------------------------------------------

-- name: push_row_put :exec
INSERT INTO push_subscription (contact_id, point, secret, changed_at) VALUES (:contact_id, :point, :secret, :changed_at)
ON CONFLICT (contact_id) DO UPDATE SET point = excluded.point, secret = excluded.secret, changed_at = excluded.changed_at;

-- name: push_row_find :one
-- parameter: contact_id INTEGER
SELECT c.address, s.point, s.secret FROM push_subscription s JOIN contact c ON c.id = s.contact_id WHERE s.contact_id = :contact_id;

-- name: push_row_remove :exec
-- parameter: contact_id INTEGER
DELETE FROM push_subscription WHERE contact_id = :contact_id;

-- name: push_row_remove_all :exec
DELETE FROM push_subscription WHERE contact_id IN (SELECT id FROM contact WHERE person_id = :person_id);

-- name: push_contact_list_ended :many
SELECT id FROM contact WHERE person_id = :person_id AND channel = 3 AND ended_at IS NOT NULL;

-- name: push_contact_list_endpoint :many
SELECT id, person_id FROM contact WHERE address = :address AND channel = 3;

-- name: push_contact_put_endpoint :exec
-- parameter: contact_id INTEGER
UPDATE contact SET address = :address, ended_at = NULL, ended_reason = NULL WHERE id = :contact_id;

-- --- ending a record --------------------------------------------------------------------------------------------

-- name: person_name_remove :exec
DELETE FROM person_name WHERE person_id = :person_id;

-- name: person_put_ended :exec
-- parameter: person_id INTEGER
UPDATE person SET ended_at = :ended_at, salt = :salt, external_id = NULL, form_key = NULL WHERE id = :person_id AND ended_at IS NULL;

-- --- emergency contact ------------------------------------------------------------------------------------------

-- name: emergency_contact_row_find :one
SELECT name, relation, email, phone, consent_at FROM emergency_contact WHERE person_id = :person_id;

-- name: emergency_contact_put :exec
INSERT INTO emergency_contact (person_id, name, relation, email, phone, consent_at)
VALUES (:person_id, :name, :relation, :email, :phone, :consent_at)
ON CONFLICT (person_id) DO UPDATE SET name = excluded.name, relation = excluded.relation, email = excluded.email,
	phone = excluded.phone, consent_at = excluded.consent_at;

-- name: emergency_contact_remove_row :exec
DELETE FROM emergency_contact WHERE person_id = :person_id;

-- --- one-time codes ---------------------------------------------------------------------------------------------

-- name: code_insert :one
INSERT INTO code (contact_id, address_key, purpose, hash, expires_at, wrong, not_before, created_at)
VALUES (:contact_id, :address_key, :purpose, :hash, :expires_at, 0, 0, :created_at)
RETURNING id;

-- Codes of a contact that still work, newest first.
-- name: code_list_live :many
-- row: code_row
-- parameter: now INTEGER
SELECT id, contact_id, address_key, purpose, hash, expires_at, wrong, not_before, used_at, created_at
FROM code WHERE contact_id = :contact_id AND purpose = :purpose AND used_at IS NULL AND expires_at > :now
ORDER BY id DESC;

-- name: code_row_find :one
-- row: code_row
-- parameter: code_id INTEGER
SELECT id, contact_id, address_key, purpose, hash, expires_at, wrong, not_before, used_at, created_at
FROM code WHERE id = :code_id;

-- name: code_put_wrong :exec
-- parameter: code_id INTEGER
UPDATE code SET wrong = wrong + 1, not_before = :not_before WHERE id = :code_id;

-- name: code_put_used :exec
-- parameter: code_id INTEGER
UPDATE code SET used_at = :used_at WHERE id = :code_id AND used_at IS NULL;

-- name: code_remove_of_contact :exec
DELETE FROM code WHERE contact_id = :contact_id;

-- name: code_remove_of_person :exec
DELETE FROM code WHERE contact_id IN (SELECT id FROM contact WHERE person_id = :person_id);

-- name: code_remove_old :exec
-- parameter: before INTEGER
DELETE FROM code WHERE expires_at < :before;

-- --- imports ----------------------------------------------------------------------------------------------------

-- name: batch_insert :one
INSERT INTO batch (public_id, kind, file_name, operator, contacts_confirmed, state, lines, created_at)
VALUES (:public_id, :kind, :file_name, :operator, :contacts_confirmed, 1, 0, :created_at)
RETURNING id;

-- name: batch_rows :many
-- row: batch_row
-- parameter: most INTEGER
SELECT id, public_id, kind, file_name, operator, contacts_confirmed, state, lines, created_at, visible_at, taken_back_at
FROM batch ORDER BY id DESC LIMIT :most;

-- name: batch_row_find :one
-- row: batch_row
SELECT id, public_id, kind, file_name, operator, contacts_confirmed, state, lines, created_at, visible_at, taken_back_at
FROM batch WHERE public_id = :public_id;

-- name: batch_put_visible :exec
-- parameter: batch_id INTEGER
UPDATE batch SET state = 2, visible_at = :visible_at, lines = :lines WHERE id = :batch_id AND state = 1;

-- name: batch_put_taken_back :exec
-- parameter: batch_id INTEGER
UPDATE batch SET state = 3, taken_back_at = :taken_back_at WHERE id = :batch_id AND state <> 3;

-- Everyone enrolled who came with this id and is visible, or staged in the same batch.
-- name: person_list_external :many
-- parameter: own INTEGER
SELECT p.id FROM person p LEFT JOIN batch b ON b.id = p.batch_id
WHERE p.external_id = :external_id AND p.ended_at IS NULL AND (p.batch_id IS NULL OR b.state = 2 OR p.batch_id = :own)
ORDER BY p.id LIMIT 2;

-- name: person_list_next :many
-- parameter: after_id INTEGER
-- parameter: most INTEGER
SELECT p.id FROM person p LEFT JOIN batch b ON b.id = p.batch_id
WHERE p.id > :after_id AND p.ended_at IS NULL AND (p.batch_id IS NULL OR b.state = 2)
ORDER BY p.id LIMIT :most;

-- name: person_list_batch :many
-- parameter: most INTEGER
SELECT id FROM person WHERE batch_id = :batch_id ORDER BY id LIMIT :most;

-- name: person_remove :exec
-- parameter: person_id INTEGER
DELETE FROM person WHERE id = :person_id;

-- People of a batch whose record has not ended.
-- name: person_list_of_batch :many
-- parameter: most INTEGER
SELECT id FROM person WHERE batch_id = :batch_id AND ended_at IS NULL ORDER BY id LIMIT :most;

-- Many people at once, by a JSON array of ids: a quarter of what as many single looks cost.
-- name: person_list_rows :many
-- parameter: ids TEXT
SELECT p.id, p.public_id, p.language, p.source, p.batch_id, p.salt, p.created_at, p.ended_at, n.name
FROM json_each(:ids) AS list CROSS JOIN person p ON p.id = list.value
LEFT JOIN person_name n ON n.person_id = p.id LEFT JOIN batch b ON b.id = p.batch_id
WHERE p.batch_id IS NULL OR b.state = 2;

-- name: person_list_rows :many
-- dialect: postgres
SELECT p.id, p.public_id, p.language, p.source, p.batch_id, p.salt, p.created_at, p.ended_at, n.name
FROM json_array_elements_text(CAST(:ids AS json)) AS list (value) JOIN person p ON p.id = CAST(list.value AS INTEGER)
LEFT JOIN person_name n ON n.person_id = p.id LEFT JOIN batch b ON b.id = p.batch_id
WHERE p.batch_id IS NULL OR b.state = 2;

-- name: contact_list_people :many
-- parameter: ids TEXT
SELECT contact.id, contact.person_id, contact.channel, contact.address, contact.rank, contact.wanted, contact.confirmed_at,
	contact.opted_out_at, contact.ended_at
FROM json_each(:ids) AS list CROSS JOIN contact ON contact.person_id = list.value;

-- name: contact_list_people :many
-- dialect: postgres
SELECT contact.id, contact.person_id, contact.channel, contact.address, contact.rank, contact.wanted, contact.confirmed_at,
	contact.opted_out_at, contact.ended_at
FROM json_array_elements_text(CAST(:ids AS json)) AS list (value) JOIN contact ON contact.person_id = CAST(list.value AS INTEGER);
