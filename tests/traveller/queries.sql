-- What the tests of the travellers' pages want to know of the store.

-- The text of the newest message to an address.
-- name: get_message_text :one
SELECT t.body, t.subject, m.person_id, m.lane, m.channel
FROM message m
JOIN message_text t ON t.message_id = m.id
LEFT JOIN contact c ON c.id = m.contact_id
WHERE c.address = :address OR t.address = :address
ORDER BY m.id DESC LIMIT 1;

-- name: count_messages :one
-- column: messages INTEGER
SELECT count(*) AS messages FROM message;

-- name: count_people :one
-- column: people INTEGER
SELECT count(*) AS people FROM person WHERE ended_at IS NULL;

-- name: count_trips :one
-- column: trips INTEGER
SELECT count(*) AS trips FROM trip WHERE ended_at IS NULL;

-- name: get_person_of :one
SELECT p.id, p.language, p.changed_at, c.id AS contact_id, c.confirmed_at, c.opted_out_at, c.rank, c.wanted
FROM contact c JOIN person p ON p.id = c.person_id
WHERE c.address = :address ORDER BY p.id DESC LIMIT 1;

-- name: list_legs :many
-- parameter: person INTEGER
SELECT id, trip_id, position, kind, place_id, place_name, latitude, longitude, radius, country, zone, from_date, to_date,
	from_unsure, to_unsure, from_at, to_at, arrival_at, ended_at
FROM leg WHERE person_id = :person ORDER BY id;

-- name: list_watches :many
-- parameter: person INTEGER
SELECT id, kind, country, name, area, zone, ended_at FROM watch WHERE person_id = :person ORDER BY id;

-- Rows that hold what belongs to a person, by table.
-- name: count_personal :one
-- parameter: person INTEGER
-- column: names INTEGER
-- column: contacts INTEGER
-- column: emergency INTEGER
-- column: trips INTEGER
-- column: legs INTEGER
-- column: watches INTEGER
-- column: companions INTEGER
-- column: texts INTEGER
SELECT (SELECT count(*) FROM person_name WHERE person_id = :person) AS names,
	(SELECT count(*) FROM contact WHERE person_id = :person) AS contacts,
	(SELECT count(*) FROM emergency_contact WHERE person_id = :person) AS emergency,
	(SELECT count(*) FROM trip WHERE person_id = :person) AS trips,
	(SELECT count(*) FROM leg WHERE person_id = :person) AS legs,
	(SELECT count(*) FROM watch WHERE person_id = :person) AS watches,
	(SELECT count(*) FROM companion c JOIN trip t ON t.id = c.trip_id WHERE t.person_id = :person) AS companions,
	(SELECT count(*) FROM message_text t JOIN message m ON m.id = t.message_id WHERE m.person_id = :person) AS texts;

-- A confirmed person, as an import makes them; for tests that begin behind enrolment.
-- name: confirm_all :exec
-- parameter: now INTEGER
UPDATE contact SET confirmed_at = :now, confirmed_how = 1 WHERE confirmed_at IS NULL;
