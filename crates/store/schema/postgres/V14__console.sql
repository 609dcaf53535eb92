-- Requests of staff that money be moved. amount: above zero into the wallet, below zero out of it. once: made
-- with the form.
CREATE TABLE money_request (
    id         BIGINT PRIMARY KEY,
    once       TEXT    NOT NULL UNIQUE,
    account_id BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    amount     BIGINT NOT NULL CHECK (amount <> 0),
    reason     TEXT    NOT NULL,
    asked_by   BIGINT NOT NULL,
    asked_at   BIGINT NOT NULL,
    state      TEXT    NOT NULL,
    decided_by BIGINT,
    decided_at BIGINT
);
CREATE INDEX money_request_account ON money_request (account_id, id);
CREATE INDEX money_request_open ON money_request (id) WHERE state = 'open';

CREATE TABLE debit (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES wallet (account_id) DEFERRABLE INITIALLY DEFERRED,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    note       TEXT    NOT NULL,
    at         BIGINT NOT NULL
);

CREATE TABLE account_note (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    person_id  BIGINT NOT NULL,
    text       TEXT    NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX account_note_account ON account_note (account_id, id);

CREATE TABLE announcement (
    id          BIGINT PRIMARY KEY,
    text        TEXT    NOT NULL,
    person_id   BIGINT NOT NULL,
    shows_from  BIGINT NOT NULL,
    shows_until BIGINT
);

CREATE TRIGGER debit_append_only BEFORE UPDATE OR DELETE ON debit
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER debit_kept BEFORE TRUNCATE ON debit
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
