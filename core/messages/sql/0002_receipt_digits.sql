-- A receipt may come before the answer with its id, over another process, and write the id in another form: then the phone
-- must agree, too.
ALTER TABLE receipt_unmatched ADD COLUMN last_digits INTEGER NOT NULL DEFAULT 0; -- of the phone it speaks of, at most eight; 0 not told, or matched
