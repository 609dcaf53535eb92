-- Who signs in. Tokens and recovery codes are kept as hashes only.

CREATE TABLE person (
    id             INTEGER PRIMARY KEY,
    version        INTEGER NOT NULL,
    email          TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    staff          INTEGER NOT NULL CHECK (staff IN (0, 1)),
    account_id     INTEGER UNIQUE REFERENCES account (id),
    password       TEXT,
    verified_at    INTEGER,
    totp_secret    BLOB,
    totp_confirmed INTEGER NOT NULL CHECK (totp_confirmed IN (0, 1)),
    totp_last_step INTEGER NOT NULL,
    disabled       INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at     INTEGER NOT NULL,
    CHECK ((staff = 0) = (account_id IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX person_email ON person (email, staff);

-- Everybody who had an account so far was made by the operator.
INSERT INTO person (id, version, email, role, staff, account_id, password, verified_at,
                    totp_secret, totp_confirmed, totp_last_step, disabled, created_at)
SELECT a.id, 0, a.email, 'customer', 0, a.id, p.hash, a.created_at, NULL, 0, 0, 0, a.created_at
FROM account a LEFT JOIN password p ON p.account_id = a.id;
DROP TABLE password;

CREATE TABLE session (
    id         INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    person_id  INTEGER NOT NULL REFERENCES person (id),
    created_at INTEGER NOT NULL,
    seen_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    proved_at  INTEGER NOT NULL
) STRICT;
CREATE INDEX session_person ON session (person_id);

CREATE TABLE mail_token (
    hash       BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    person_id  INTEGER NOT NULL REFERENCES person (id),
    usage      TEXT    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX mail_token_person ON mail_token (person_id);

CREATE TABLE recovery_code (
    person_id INTEGER NOT NULL REFERENCES person (id),
    number    INTEGER NOT NULL,
    hash      TEXT    NOT NULL,
    PRIMARY KEY (person_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE mail (
    id         INTEGER PRIMARY KEY,
    recipient  TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at INTEGER NOT NULL,
    due_at     INTEGER,
    sent_at    INTEGER,
    tries      INTEGER NOT NULL
) STRICT;
CREATE INDEX mail_due ON mail (due_at) WHERE due_at IS NOT NULL;
