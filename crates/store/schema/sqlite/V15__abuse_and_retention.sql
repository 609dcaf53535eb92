-- What strangers reported. subject: digits of a number, or a target as duplicates are compared.
-- order_id, account_id, class: what was found to stand behind it, for the operator's eyes only.
CREATE TABLE abuse_case (
    id          INTEGER PRIMARY KEY,
    receipt     TEXT    NOT NULL UNIQUE,
    kind        TEXT    NOT NULL,
    subject     TEXT    NOT NULL,
    harm        TEXT    NOT NULL,
    what        TEXT    NOT NULL,
    contact     TEXT    NOT NULL,
    happened_at INTEGER,
    order_id    INTEGER,
    account_id  INTEGER,
    class       TEXT    NOT NULL,
    suspended   INTEGER NOT NULL CHECK (suspended IN (0, 1)),
    opened_at   INTEGER NOT NULL,
    closed_at   INTEGER,
    note        TEXT
) STRICT;
CREATE INDEX abuse_case_open ON abuse_case (id) WHERE closed_at IS NULL;

-- Rows of an order or an account that no retention touches.
CREATE TABLE legal_hold (
    id          INTEGER PRIMARY KEY,
    kind        TEXT    NOT NULL,
    subject     INTEGER NOT NULL,
    why         TEXT    NOT NULL,
    held_at     INTEGER NOT NULL,
    released_at INTEGER
) STRICT;
CREATE UNIQUE INDEX legal_hold_now ON legal_hold (kind, subject) WHERE released_at IS NULL;

-- Sales that the policy denied, by class, since the first one.
CREATE TABLE denial (
    class TEXT    PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;

-- A number is kept in clear for a while and then only as its keyed hash.
ALTER TABLE activation ADD COLUMN phone_hash TEXT;
CREATE INDEX activation_phone_hash ON activation (phone_hash) WHERE phone_hash IS NOT NULL;
CREATE INDEX activation_phone_age ON activation (created_at) WHERE phone IS NOT NULL;
CREATE INDEX inbound_message_age ON inbound_message (stored_at) WHERE sender <> '';
