-- Who signs in. Tokens and recovery codes are kept as hashes only.

CREATE TABLE person (
    id             BIGINT PRIMARY KEY,
    version        BIGINT NOT NULL,
    email          TEXT    NOT NULL,
    role           TEXT    NOT NULL,
    staff          BIGINT NOT NULL CHECK (staff IN (0, 1)),
    account_id     BIGINT UNIQUE REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    password       TEXT,
    verified_at    BIGINT,
    totp_secret    BYTEA,
    totp_confirmed BIGINT NOT NULL CHECK (totp_confirmed IN (0, 1)),
    totp_last_step BIGINT NOT NULL,
    disabled       BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    created_at     BIGINT NOT NULL,
    CHECK ((staff = 0) = (account_id IS NOT NULL))
);
CREATE UNIQUE INDEX person_email ON person (email, staff);

-- Everybody who had an account so far was made by the operator.
INSERT INTO person (id, version, email, role, staff, account_id, password, verified_at,
                    totp_secret, totp_confirmed, totp_last_step, disabled, created_at)
SELECT a.id, 0, a.email, 'customer', 0, a.id, p.hash, a.created_at, NULL, 0, 0, 0, a.created_at
FROM account a LEFT JOIN password p ON p.account_id = a.id;
DROP TABLE password;

CREATE TABLE session (
    id         BIGINT PRIMARY KEY,
    hash       BYTEA    NOT NULL UNIQUE CHECK (length(hash) = 32),
    person_id  BIGINT NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT    NOT NULL,
    agent      TEXT    NOT NULL,
    proved_at  BIGINT NOT NULL
);
CREATE INDEX session_person ON session (person_id);

CREATE TABLE mail_token (
    hash       BYTEA    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    person_id  BIGINT NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
    usage      TEXT    NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX mail_token_person ON mail_token (person_id);

CREATE TABLE recovery_code (
    person_id BIGINT NOT NULL REFERENCES person (id) DEFERRABLE INITIALLY DEFERRED,
    number    BIGINT NOT NULL,
    hash      TEXT    NOT NULL,
    PRIMARY KEY (person_id, number)
);

CREATE TABLE mail (
    id         BIGINT PRIMARY KEY,
    recipient  TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_at BIGINT NOT NULL,
    due_at     BIGINT,
    sent_at    BIGINT,
    tries      BIGINT NOT NULL
);
CREATE INDEX mail_due ON mail (due_at) WHERE due_at IS NOT NULL;
