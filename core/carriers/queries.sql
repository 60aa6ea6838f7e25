-- Statements of the carriers.

-- name: carrier_list :many
-- row: carrier_row
SELECT id, name, enabled, host, port, tls, tls_ca, tls_name, system_id, system_type, bind, binds, window_most, rate,
	enquire, answer, rebind, source, source_ton, source_npi, destination_ton, destination_npi, service_type,
	vendor, validity, data_coding_0, packed, shift_tables, concatenation, receipts, bare_international, statuses,
	prefixes, cost, weight
FROM carrier ORDER BY name;

-- name: carrier_find :one
-- row: carrier_row
SELECT id, name, enabled, host, port, tls, tls_ca, tls_name, system_id, system_type, bind, binds, window_most, rate,
	enquire, answer, rebind, source, source_ton, source_npi, destination_ton, destination_npi, service_type,
	vendor, validity, data_coding_0, packed, shift_tables, concatenation, receipts, bare_international, statuses,
	prefixes, cost, weight
FROM carrier WHERE name = :name;

-- name: carrier_insert :one
INSERT INTO carrier (name, enabled, host, port, tls, tls_ca, tls_name, system_id, system_type, bind, binds, window_most, rate, enquire,
	answer, rebind, source, source_ton, source_npi, destination_ton, destination_npi, service_type, vendor,
	validity, data_coding_0, packed, shift_tables, concatenation, receipts, bare_international, statuses,
	prefixes, cost, weight)
VALUES (:name, :enabled, :host, :port, :tls, :tls_ca, :tls_name, :system_id, :system_type, :bind, :binds, :window_most,
	:rate, :enquire, :answer, :rebind, :source, :source_ton, :source_npi, :destination_ton, :destination_npi,
	:service_type, :vendor, :validity, :data_coding_0, :packed, :shift_tables, :concatenation, :receipts,
	:bare_international, :statuses, :prefixes, :cost, :weight)
ON CONFLICT (name) DO NOTHING RETURNING id;

-- name: carrier_update :exec
UPDATE carrier SET enabled = :enabled, host = :host, port = :port, tls = :tls, tls_ca = :tls_ca, tls_name = :tls_name, system_id
	= :system_id, system_type = :system_type, bind = :bind, binds = :binds, window_most = :window_most, rate = :rate,
	enquire = :enquire, answer = :answer, rebind = :rebind, source = :source, source_ton = :source_ton, source_npi
	= :source_npi, destination_ton = :destination_ton, destination_npi = :destination_npi, service_type =
	:service_type, vendor = :vendor, validity = :validity, data_coding_0 = :data_coding_0, packed = :packed,
	shift_tables = :shift_tables, concatenation = :concatenation, receipts = :receipts, bare_international =
	:bare_international, statuses = :statuses, prefixes = :prefixes, cost = :cost, weight = :weight
WHERE id = :id;

-- name: carrier_remove :one
DELETE FROM carrier WHERE name = :name RETURNING id;
