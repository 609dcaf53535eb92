-- Whether the upstream of an orphan has taken or refused its cancel: until then it is asked again.
ALTER TABLE orphan ADD COLUMN cancel_answered INTEGER NOT NULL DEFAULT 0 CHECK (cancel_answered IN (0, 1));
