-- Append-only record of officers' actions, published versions and batch summaries. Ids only.
CREATE TABLE ledger (
	id INTEGER PRIMARY KEY, -- order of entry
	at INTEGER NOT NULL, -- UTC microseconds
	officer_id INTEGER NOT NULL, -- 0 the system, -1 an operator at the command line
	action TEXT NOT NULL, -- "alert.send"
	subject TEXT NOT NULL, -- "alert:ID"
	detail TEXT NOT NULL -- small JSON without personal data
) STRICT;

-- sqlite:
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN
	SELECT RAISE(ABORT, 'the ledger is append-only');
END;
-- end
-- postgres:
CREATE FUNCTION ledger_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $$;
CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse();
-- end
