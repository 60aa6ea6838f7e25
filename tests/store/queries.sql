-- name: shelf_insert :one
INSERT INTO shelf (name, room) VALUES (:name, :room) RETURNING id;

-- name: shelf_insert_at :exec
INSERT INTO shelf (id, name, room) VALUES (:id, :name, :room);

-- name: shelf_insert_once :exec
INSERT INTO shelf (name, room) VALUES (:name, :room) ON CONFLICT (name) DO NOTHING;

-- name: shelf_find :one
-- row: shelf
SELECT id, name, room FROM shelf WHERE name = :name;

-- name: shelf_list :many
-- row: shelf
SELECT id, name, room FROM shelf ORDER BY name;

-- name: shelf_all_named_alike :one
-- row: shelf
SELECT id, name, room FROM shelf WHERE name LIKE :name ESCAPE '\';

-- name: shelf_set_room :exec
UPDATE shelf SET room = :room WHERE name = :name;

-- name: shelf_add_room :one
-- parameter: more INTEGER
UPDATE shelf SET room = room + :more WHERE name = :name RETURNING room;

-- name: shelf_count :one
-- column: shelves INTEGER
-- column: room INTEGER
SELECT count(*) AS shelves, sum(room) AS room FROM shelf;

-- name: shelf_remove_all :exec
DELETE FROM shelf;

-- name: book_insert :exec
INSERT INTO book (shelf_id, title, weight, cover, pages) VALUES (:shelf_id, :title, :weight, :cover, :pages);

-- name: book_insert_many :batch
INSERT INTO book (shelf_id, title, weight, cover, pages) VALUES (:shelf_id, :title, :weight, :cover, :pages);

-- name: book_list :many
-- row: book
SELECT id, shelf_id, title, weight, cover, pages FROM book WHERE shelf_id = :shelf_id ORDER BY id;

-- name: book_each :each
-- row: book
SELECT id, shelf_id, title, weight, cover, pages FROM book ORDER BY id;

-- name: book_remove_all :exec
DELETE FROM book;

-- Whether a shelf has a book; a truth value is an integer on both stores.
-- name: book_any :one
-- column: any_book INTEGER
-- column: heavy INTEGER
-- parameter: shelf_id INTEGER
SELECT EXISTS (SELECT 1 FROM book WHERE shelf_id = :shelf_id) AS any_book, CAST(2.6 AS INTEGER) AS heavy;

-- name: text_echo :one
-- column: text TEXT
-- column: bytes BLOB
-- column: number INTEGER
-- column: fraction REAL
-- parameter: text TEXT
-- parameter: bytes BLOB
-- parameter: number INTEGER
-- parameter: fraction REAL
SELECT :text AS text, :bytes AS bytes, :number AS number, :fraction AS fraction;

-- A statement whose dialects differ.
-- name: greatest :one
-- column: answer INTEGER
-- parameter: a INTEGER
-- parameter: b INTEGER
SELECT max(:a, :b) AS answer;

-- name: greatest :one
-- dialect: postgres
SELECT greatest(:a, :b) AS answer;
