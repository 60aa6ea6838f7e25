-- Jobs that come back less often than once a minute: when they ran, and who runs them now. (Settings: kernel/db.)
CREATE TABLE job (
	name TEXT PRIMARY KEY, -- as the desks' tables name it: messages.expire
	last_run INTEGER NOT NULL, -- UTC microseconds when the last run that ended had begun; 0 never
	claimed_until INTEGER NOT NULL -- UTC microseconds until which a process holds it; 0 nobody
) STRICT, WITHOUT ROWID;
