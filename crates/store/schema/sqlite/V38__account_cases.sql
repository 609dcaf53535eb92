-- Cases against accounts. evidence, appeal: may hold what strangers wrote. due_at: when an automatic step
-- times out into a review by people.
CREATE TABLE account_case (
    id          INTEGER PRIMARY KEY,
    version     INTEGER NOT NULL,
    account_id  INTEGER NOT NULL REFERENCES account (id),
    signal      TEXT    NOT NULL,
    evidence    TEXT    NOT NULL,
    opened_at   INTEGER NOT NULL,
    measure     TEXT    NOT NULL,
    due_at      INTEGER,
    appeal      TEXT,
    appealed_at INTEGER,
    closure_by  INTEGER,
    closure_why TEXT,
    closure_at  INTEGER,
    decided_by  INTEGER,
    note        TEXT,
    closed_at   INTEGER
) STRICT;
CREATE UNIQUE INDEX account_case_open ON account_case (account_id, signal) WHERE closed_at IS NULL;
CREATE INDEX account_case_account ON account_case (account_id, id);
CREATE INDEX account_case_due ON account_case (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX account_case_force ON account_case (account_id)
    WHERE measure <> 'log' AND (closed_at IS NULL OR measure = 'close');
CREATE INDEX session_seen ON session (seen_at);
