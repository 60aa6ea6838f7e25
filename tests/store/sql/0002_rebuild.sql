-- A later version: a column more, and a table rebuilt under the feet of those who refer to it.
ALTER TABLE book ADD COLUMN lent_at INTEGER; -- UTC microseconds

-- sqlite:
CREATE TABLE shelf_new (
	id INTEGER PRIMARY KEY,
	name TEXT NOT NULL UNIQUE,
	room INTEGER NOT NULL DEFAULT 0 CHECK (room BETWEEN 0 AND 100000)
) STRICT;
INSERT INTO shelf_new (id, name, room) SELECT id, name, room FROM shelf;
DROP TABLE shelf;
ALTER TABLE shelf_new RENAME TO shelf;
-- end
-- postgres:
ALTER TABLE shelf ADD CONSTRAINT shelf_room_most CHECK (room <= 100000);
-- end
