-- ================================================================================================================
-- The traveller's part: trips, legs, watches, the person's own data. (Alerts and the board: below their own lines.)
-- ================================================================================================================

-- --- trips --------------------------------------------------------------------------------------------------------

-- name: trip_insert :one
INSERT INTO trip (public_id, external_id, person_id, companions, note, form_key, created_at, changed_at)
VALUES (:public_id, :external_id, :person_id, :companions, :note, :form_key, :created_at, :created_at)
RETURNING id;

-- name: trip_put :exec
-- parameter: trip_id INTEGER
UPDATE trip SET companions = :companions, note = :note, changed_at = :changed_at WHERE id = :trip_id;

-- name: trip_put_ended :exec
-- parameter: trip_id INTEGER
UPDATE trip SET ended_at = :ended_at, changed_at = :ended_at WHERE id = :trip_id AND ended_at IS NULL;

-- name: trip_id_find_form_key :one
SELECT id, public_id, person_id FROM trip WHERE form_key = :form_key;

-- name: trip_list_of :many
-- row: trip_row
SELECT id, public_id, external_id, person_id, companions, note, created_at, changed_at, ended_at
FROM trip WHERE person_id = :person_id ORDER BY id;

-- name: trip_row_find :one
-- row: trip_row
SELECT id, public_id, external_id, person_id, companions, note, created_at, changed_at, ended_at
FROM trip WHERE person_id = :person_id AND public_id = :public_id;

-- name: companion_insert :exec
INSERT INTO companion (trip_id, name) VALUES (:trip_id, :name);

-- name: companion_list_of :many
SELECT id, trip_id, name FROM companion WHERE trip_id = :trip_id ORDER BY id;

-- name: companion_remove :exec
-- parameter: companion_id INTEGER
DELETE FROM companion WHERE id = :companion_id;

-- name: trip_leg_insert :one
INSERT INTO leg (person_id, trip_id, position, kind, place_id, place_name, latitude, longitude, radius, country, zone,
	from_date, to_date, from_unsure, to_unsure, from_at, to_at, arrival_at)
VALUES (:person_id, :trip_id, :position, :kind, :place_id, :place_name, :latitude, :longitude, :radius, :country, :zone,
	:from_date, :to_date, :from_unsure, :to_unsure, :from_at, :to_at, :arrival_at)
RETURNING id;

-- The stays of a trip that are part of it now.
-- name: trip_leg_list :many
SELECT id, position, kind, place_id, place_name, latitude, longitude, radius, country, zone, from_date, to_date, from_unsure, to_unsure,
	from_at, to_at, arrival_at
FROM leg WHERE trip_id = :trip_id AND ended_at IS NULL ORDER BY position, id;

-- name: trip_leg_put_position :exec
-- parameter: leg_id INTEGER
UPDATE leg SET position = :position WHERE id = :leg_id;

-- name: trip_leg_put_ended :exec
-- parameter: leg_id INTEGER
UPDATE leg SET ended_at = :ended_at WHERE id = :leg_id AND ended_at IS NULL;

-- name: trip_leg_put_ended_all :exec
UPDATE leg SET ended_at = :ended_at WHERE trip_id = :trip_id AND ended_at IS NULL;

-- --- watches ------------------------------------------------------------------------------------------------------

-- name: watch_insert :one
INSERT INTO watch (public_id, external_id, person_id, kind, country, name, area, zone, created_at)
VALUES (:public_id, :external_id, :person_id, :kind, :country, :name, :area, :zone, :created_at)
RETURNING id;

-- name: watch_list_of :many
-- row: watch_row
SELECT id, public_id, external_id, person_id, kind, country, name, area, zone, created_at, ended_at
FROM watch WHERE person_id = :person_id AND ended_at IS NULL ORDER BY id;

-- name: watch_row_find :one
-- row: watch_row
SELECT id, public_id, external_id, person_id, kind, country, name, area, zone, created_at, ended_at
FROM watch WHERE person_id = :person_id AND public_id = :public_id AND ended_at IS NULL;

-- name: watch_put :exec
-- parameter: watch_id INTEGER
UPDATE watch SET kind = :kind, country = :country, name = :name, area = :area, zone = :zone WHERE id = :watch_id;

-- name: watch_put_ended :exec
-- parameter: watch_id INTEGER
UPDATE watch SET ended_at = :ended_at WHERE id = :watch_id AND ended_at IS NULL;
