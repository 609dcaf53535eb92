-- Requests of staff that money be moved. amount: above zero into the wallet, below zero out of it. once: made
-- with the form.
CREATE TABLE money_request (
    id         INTEGER PRIMARY KEY,
    once       TEXT    NOT NULL UNIQUE,
    account_id INTEGER NOT NULL REFERENCES account (id),
    amount     INTEGER NOT NULL CHECK (amount <> 0),
    reason     TEXT    NOT NULL,
    asked_by   INTEGER NOT NULL,
    asked_at   INTEGER NOT NULL,
    state      TEXT    NOT NULL,
    decided_by INTEGER,
    decided_at INTEGER
) STRICT;
CREATE INDEX money_request_account ON money_request (account_id, id);
CREATE INDEX money_request_open ON money_request (id) WHERE state = 'open';

CREATE TABLE debit (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES wallet (account_id),
    amount     INTEGER NOT NULL CHECK (amount > 0),
    note       TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE TABLE account_note (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    person_id  INTEGER NOT NULL,
    text       TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX account_note_account ON account_note (account_id, id);

CREATE TABLE announcement (
    id          INTEGER PRIMARY KEY,
    text        TEXT    NOT NULL,
    person_id   INTEGER NOT NULL,
    shows_from  INTEGER NOT NULL,
    shows_until INTEGER
) STRICT;

CREATE TRIGGER debit_no_update BEFORE UPDATE ON debit
BEGIN SELECT RAISE(ABORT, 'debit is append-only'); END;
CREATE TRIGGER debit_no_delete BEFORE DELETE ON debit
BEGIN SELECT RAISE(ABORT, 'debit is append-only'); END;
