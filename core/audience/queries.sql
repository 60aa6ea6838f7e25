-- Everything that may still match, of visible people. Stays that ended before `since` cannot.
-- name: index_leg_load :each
-- row: index_leg_row
-- parameter: since INTEGER
SELECT leg.id, leg.person_id, leg.kind, leg.latitude, leg.longitude, leg.radius, leg.country, leg.from_at, leg.to_at
FROM leg JOIN person ON person.id = leg.person_id LEFT JOIN batch ON batch.id = person.batch_id LEFT JOIN batch AS own ON own.id = leg.batch_id
WHERE leg.ended_at IS NULL AND leg.to_at > :since AND person.ended_at IS NULL AND (person.batch_id IS NULL OR batch.state = 2)
	AND (leg.batch_id IS NULL OR own.state = 2);

-- name: index_watch_load :each
-- row: index_watch_row
SELECT watch.id, watch.person_id, watch.kind, watch.country, watch.area
FROM watch JOIN person ON person.id = watch.person_id LEFT JOIN batch ON batch.id = person.batch_id
LEFT JOIN batch AS own ON own.id = watch.batch_id
WHERE watch.ended_at IS NULL AND person.ended_at IS NULL AND (person.batch_id IS NULL OR batch.state = 2)
	AND (watch.batch_id IS NULL OR own.state = 2);

-- People with the channels by which they can be reached.
-- name: index_reach_load :each
-- row: index_reach_row
-- column: mail INTEGER
-- column: sms INTEGER
-- column: push INTEGER
SELECT person.id, person.language, count(CASE WHEN contact.channel = 1 THEN 1 END) AS mail, count(CASE WHEN contact.channel = 2 THEN 1 END) AS sms,
	count(CASE WHEN contact.channel = 3 THEN 1 END) AS push
FROM person LEFT JOIN contact ON contact.person_id = person.id AND contact.wanted = 1 AND contact.confirmed_at IS NOT NULL
	AND contact.opted_out_at IS NULL AND contact.ended_at IS NULL
LEFT JOIN batch ON batch.id = person.batch_id
WHERE person.ended_at IS NULL AND (person.batch_id IS NULL OR batch.state = 2)
GROUP BY person.id, person.language;

-- name: index_reach_find :one
-- row: index_reach_row
-- column: mail INTEGER
-- column: sms INTEGER
-- column: push INTEGER
-- parameter: person_id INTEGER
SELECT person.id, person.language, count(CASE WHEN contact.channel = 1 THEN 1 END) AS mail, count(CASE WHEN contact.channel = 2 THEN 1 END) AS sms,
	count(CASE WHEN contact.channel = 3 THEN 1 END) AS push
FROM person LEFT JOIN contact ON contact.person_id = person.id AND contact.wanted = 1 AND contact.confirmed_at IS NOT NULL
	AND contact.opted_out_at IS NULL AND contact.ended_at IS NULL
LEFT JOIN batch ON batch.id = person.batch_id
WHERE person.id = :person_id AND person.ended_at IS NULL AND (person.batch_id IS NULL OR batch.state = 2)
GROUP BY person.id, person.language;

-- Whole runs of people, for what an import brought: three statements for some thousands instead of three for each.
-- name: index_reach_range :many
-- row: index_reach_row
-- column: mail INTEGER
-- column: sms INTEGER
-- column: push INTEGER
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT person.id, person.language, count(CASE WHEN contact.channel = 1 THEN 1 END) AS mail, count(CASE WHEN contact.channel = 2 THEN 1 END) AS sms,
	count(CASE WHEN contact.channel = 3 THEN 1 END) AS push
FROM person LEFT JOIN contact ON contact.person_id = person.id AND contact.wanted = 1 AND contact.confirmed_at IS NOT NULL
	AND contact.opted_out_at IS NULL AND contact.ended_at IS NULL
LEFT JOIN batch ON batch.id = person.batch_id
WHERE person.id BETWEEN :first AND :last AND person.ended_at IS NULL AND (person.batch_id IS NULL OR batch.state = 2)
GROUP BY person.id, person.language ORDER BY person.id;

-- name: index_leg_range :many
-- row: index_leg_row
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT leg.id, leg.person_id, leg.kind, leg.latitude, leg.longitude, leg.radius, leg.country, leg.from_at, leg.to_at
FROM leg LEFT JOIN batch ON batch.id = leg.batch_id
WHERE leg.person_id BETWEEN :first AND :last AND leg.ended_at IS NULL AND (leg.batch_id IS NULL OR batch.state = 2) ORDER BY leg.person_id, leg.id;

-- name: index_watch_range :many
-- row: index_watch_row
-- parameter: first INTEGER
-- parameter: last INTEGER
SELECT watch.id, watch.person_id, watch.kind, watch.country, watch.area
FROM watch LEFT JOIN batch ON batch.id = watch.batch_id
WHERE watch.person_id BETWEEN :first AND :last AND watch.ended_at IS NULL AND (watch.batch_id IS NULL OR batch.state = 2)
ORDER BY watch.person_id, watch.id;

-- name: index_legs_of :many
-- row: index_leg_row
SELECT leg.id, leg.person_id, leg.kind, leg.latitude, leg.longitude, leg.radius, leg.country, leg.from_at, leg.to_at
FROM leg LEFT JOIN batch ON batch.id = leg.batch_id
WHERE leg.person_id = :person_id AND leg.ended_at IS NULL AND (leg.batch_id IS NULL OR batch.state = 2) ORDER BY leg.id;

-- name: index_watches_of :many
-- row: index_watch_row
SELECT watch.id, watch.person_id, watch.kind, watch.country, watch.area
FROM watch LEFT JOIN batch ON batch.id = watch.batch_id
WHERE watch.person_id = :person_id AND watch.ended_at IS NULL AND (watch.batch_id IS NULL OR batch.state = 2) ORDER BY watch.id;

-- Everyone whom a batch brought, or brought a stay or a watch.
-- name: index_batch_people :each
-- column: id INTEGER
SELECT id FROM person WHERE batch_id = :batch_id
UNION SELECT person_id FROM leg WHERE batch_id = :batch_id
UNION SELECT person_id FROM watch WHERE batch_id = :batch_id;

-- name: index_all_people :each
SELECT id FROM person;
