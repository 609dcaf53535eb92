-- Cases against accounts. evidence, appeal: may hold what strangers wrote. due_at: when an automatic step
-- times out into a review by people.
CREATE TABLE account_case (
    id          BIGINT PRIMARY KEY,
    version     BIGINT NOT NULL,
    account_id  BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    signal      TEXT   NOT NULL,
    evidence    TEXT   NOT NULL,
    opened_at   BIGINT NOT NULL,
    measure     TEXT   NOT NULL,
    due_at      BIGINT,
    appeal      TEXT,
    appealed_at BIGINT,
    closure_by  BIGINT,
    closure_why TEXT,
    closure_at  BIGINT,
    decided_by  BIGINT,
    note        TEXT,
    closed_at   BIGINT
);
CREATE UNIQUE INDEX account_case_open ON account_case (account_id, signal) WHERE closed_at IS NULL;
CREATE INDEX account_case_account ON account_case (account_id, id);
CREATE INDEX account_case_due ON account_case (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX account_case_force ON account_case (account_id)
    WHERE measure <> 'log' AND (closed_at IS NULL OR measure = 'close');
CREATE INDEX session_seen ON session (seen_at);
