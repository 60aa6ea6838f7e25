-- Notices of one lane take turns with their blocks, so the waiting ones are found by notice.
DROP INDEX block_waiting;
CREATE INDEX block_waiting ON block (channel, lane, notice_id, not_before, id) WHERE state = 1;
