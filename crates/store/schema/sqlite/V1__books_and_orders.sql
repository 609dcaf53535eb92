-- Money is INTEGER micro-dollars, times are INTEGER unix milliseconds, states are the words of the
-- rules. Constraints are the last line under the guards of the program.

CREATE TABLE account (
    id         INTEGER PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    tier       INTEGER NOT NULL CHECK (tier BETWEEN 0 AND 3),
    api_access INTEGER NOT NULL CHECK (api_access IN (0, 1)),
    suspended  INTEGER NOT NULL CHECK (suspended IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT;

-- hash: salted, in PHC form; set on the command line until there is a page to sign in on.
CREATE TABLE password (
    account_id INTEGER PRIMARY KEY REFERENCES account (id),
    hash       TEXT    NOT NULL,
    changed_at INTEGER NOT NULL
) STRICT;

-- chain: hash over all of the customer's legs so far. last_event: the customer's newest event in
-- the journal, from where `journal.previous` leads to all earlier ones: a statement follows them.
CREATE TABLE wallet (
    account_id INTEGER PRIMARY KEY REFERENCES account (id),
    available  INTEGER NOT NULL CHECK (available >= 0),
    held       INTEGER NOT NULL CHECK (held >= 0),
    receivable INTEGER NOT NULL CHECK (receivable >= 0),
    chain      BLOB    NOT NULL CHECK (length(chain) = 32),
    last_event INTEGER
) STRICT;

CREATE TABLE api_key (
    id                INTEGER PRIMARY KEY,
    account_id        INTEGER NOT NULL REFERENCES account (id),
    public_id         TEXT    NOT NULL UNIQUE,
    mac               BLOB    NOT NULL CHECK (length(mac) = 32),
    name              TEXT    NOT NULL,
    last4             TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    rate_limit        INTEGER,
    allowed_addresses TEXT    NOT NULL,
    created_at        INTEGER NOT NULL,
    expires_at        INTEGER,
    disabled          INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    revoked           INTEGER NOT NULL CHECK (revoked IN (0, 1))
) STRICT;
CREATE INDEX api_key_account ON api_key (account_id);

CREATE TABLE activation (
    id                INTEGER PRIMARY KEY,
    account_id        INTEGER NOT NULL REFERENCES account (id),
    version           INTEGER NOT NULL,
    state             TEXT    NOT NULL,
    told              TEXT    NOT NULL,
    server            TEXT    NOT NULL,
    provider_type     INTEGER NOT NULL,
    country_id        TEXT    NOT NULL,
    country_key       TEXT    NOT NULL,
    service_id        TEXT    NOT NULL,
    service_name      TEXT    NOT NULL,
    pool_id           TEXT,
    price             INTEGER NOT NULL CHECK (price >= 0),
    cost_quote        INTEGER NOT NULL,
    policy_class      TEXT    NOT NULL,
    policy_version    INTEGER NOT NULL,
    upstream          TEXT    NOT NULL,
    attempt           INTEGER NOT NULL,
    upstream_id       TEXT,
    phone             TEXT,
    cost              INTEGER,
    disclosed_at      INTEGER,
    code              TEXT,
    code_text         TEXT,
    messages          INTEGER NOT NULL,
    created_at        INTEGER NOT NULL,
    in_doubt_until    INTEGER,
    expires_at        INTEGER,
    cancel_allowed_at INTEGER,
    due_at            INTEGER,
    tries             INTEGER NOT NULL,
    failure           TEXT
) STRICT;
CREATE INDEX activation_list ON activation (account_id, id);
CREATE INDEX activation_due ON activation (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX activation_live ON activation (upstream)
    WHERE state IN ('active', 'cancel_requested');
CREATE INDEX activation_watched ON activation (upstream)
    WHERE state = 'received' AND due_at IS NOT NULL;
CREATE INDEX activation_in_doubt ON activation (upstream) WHERE state = 'in_doubt';
CREATE INDEX activation_phone ON activation (phone) WHERE phone IS NOT NULL;

-- target: what the link points at, however it is spelled.
CREATE TABLE smm_order (
    id                 INTEGER PRIMARY KEY,
    account_id         INTEGER NOT NULL REFERENCES account (id),
    version            INTEGER NOT NULL,
    state              TEXT    NOT NULL,
    told               TEXT    NOT NULL,
    service_id         TEXT    NOT NULL,
    service_name       TEXT    NOT NULL,
    link               TEXT    NOT NULL,
    target             TEXT    NOT NULL,
    members            TEXT    NOT NULL,
    quantity           INTEGER NOT NULL CHECK (quantity >= 0),
    flat               INTEGER NOT NULL CHECK (flat IN (0, 1)),
    price              INTEGER NOT NULL CHECK (price >= 0),
    cost_quote         INTEGER NOT NULL,
    policy_class       TEXT    NOT NULL,
    policy_version     INTEGER NOT NULL,
    upstream           TEXT    NOT NULL,
    upstream_service   TEXT    NOT NULL,
    attempt            INTEGER NOT NULL,
    upstream_id        TEXT,
    progress           TEXT    NOT NULL,
    remains            INTEGER NOT NULL CHECK (remains >= 0),
    start_count        INTEGER NOT NULL,
    charge             INTEGER,
    candidate_progress TEXT,
    candidate_remains  INTEGER,
    candidate_since    INTEGER,
    observations       INTEGER NOT NULL,
    returned           INTEGER NOT NULL,
    adjustments        INTEGER NOT NULL,
    created_at         INTEGER NOT NULL,
    in_doubt_until     INTEGER,
    resolved_at        INTEGER,
    due_at             INTEGER,
    tries              INTEGER NOT NULL,
    failure            TEXT
) STRICT;
CREATE INDEX smm_order_list ON smm_order (account_id, id);
CREATE INDEX smm_order_due ON smm_order (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX smm_order_in_doubt ON smm_order (upstream) WHERE state = 'in_doubt';
CREATE UNIQUE INDEX smm_order_open_link ON smm_order (service_id, target)
    WHERE state IN ('calling', 'in_doubt', 'active', 'undo', 'review');

-- One hold per order, one resolution per hold: the primary keys say so.
CREATE TABLE hold (
    order_id   INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES wallet (account_id),
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE resolution (
    order_id INTEGER PRIMARY KEY REFERENCES hold (order_id),
    posted   INTEGER NOT NULL CHECK (posted >= 0),
    released INTEGER NOT NULL CHECK (released >= 0),
    reason   TEXT    NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE TABLE adjustment (
    order_id INTEGER NOT NULL REFERENCES resolution (order_id),
    seq      INTEGER NOT NULL CHECK (seq >= 1),
    amount   INTEGER NOT NULL CHECK (amount > 0),
    at       INTEGER NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    order_id INTEGER NOT NULL,
    seq      INTEGER NOT NULL,
    upstream TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    sent_at  INTEGER NOT NULL,
    ended_at INTEGER,
    evidence TEXT,
    raw      TEXT,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX attempt_live ON attempt (order_id) WHERE state IN ('calling', 'in_doubt');

-- When the first purchase call to an upstream left: older activations there are not ours.
CREATE TABLE first_attempt (
    upstream TEXT    NOT NULL PRIMARY KEY,
    at       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE upstream_link (
    upstream    TEXT NOT NULL,
    upstream_id TEXT NOT NULL,
    order_id    INTEGER,
    PRIMARY KEY (upstream, upstream_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE message (
    order_id    INTEGER NOT NULL REFERENCES activation (id),
    seq         INTEGER NOT NULL,
    code        TEXT    NOT NULL,
    code_text   TEXT,
    received_at INTEGER NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE observation (
    order_id    INTEGER NOT NULL REFERENCES smm_order (id),
    seq         INTEGER NOT NULL,
    raw_status  TEXT    NOT NULL,
    remains     INTEGER,
    start_count INTEGER,
    charge      INTEGER,
    at          INTEGER NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

-- An event of money and its legs. account_id: the customer it touches, if it touches one; previous:
-- that customer's event before. An index over customers instead would write a page of its own for
-- nearly every event, and nothing else here costs as much.
CREATE TABLE journal (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL,
    reference  INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    account_id INTEGER,
    previous   INTEGER
) STRICT;
CREATE UNIQUE INDEX journal_cause ON journal (kind, reference, seq);

-- chain: the customer's hash after this leg; legs of the house carry none.
CREATE TABLE entry (
    journal_id INTEGER NOT NULL REFERENCES journal (id),
    leg        INTEGER NOT NULL,
    book       TEXT    NOT NULL,
    account_id INTEGER,
    upstream   TEXT,
    amount     INTEGER NOT NULL CHECK (amount <> 0),
    chain      BLOB,
    PRIMARY KEY (journal_id, leg),
    CHECK ((account_id IS NULL) = (chain IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE credit (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES wallet (account_id),
    amount     INTEGER NOT NULL CHECK (amount > 0),
    note       TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    account_id  INTEGER NOT NULL REFERENCES account (id),
    endpoint    TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    answer      TEXT    NOT NULL,
    order_id    INTEGER,
    expires_at  INTEGER NOT NULL,
    PRIMARY KEY (account_id, endpoint, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_expired ON idempotency (expires_at);

CREATE TABLE orphan (
    id          INTEGER PRIMARY KEY,
    version     INTEGER NOT NULL,
    upstream    TEXT    NOT NULL,
    upstream_id TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    cost        INTEGER NOT NULL,
    found_at    INTEGER NOT NULL,
    due_at      INTEGER,
    tries       INTEGER NOT NULL
) STRICT;
CREATE INDEX orphan_due ON orphan (due_at) WHERE due_at IS NOT NULL;

-- What happened stays written.
CREATE TRIGGER hold_no_update BEFORE UPDATE ON hold
BEGIN SELECT RAISE(ABORT, 'hold is append-only'); END;
CREATE TRIGGER hold_no_delete BEFORE DELETE ON hold
BEGIN SELECT RAISE(ABORT, 'hold is append-only'); END;
CREATE TRIGGER resolution_no_update BEFORE UPDATE ON resolution
BEGIN SELECT RAISE(ABORT, 'resolution is append-only'); END;
CREATE TRIGGER resolution_no_delete BEFORE DELETE ON resolution
BEGIN SELECT RAISE(ABORT, 'resolution is append-only'); END;
CREATE TRIGGER adjustment_no_update BEFORE UPDATE ON adjustment
BEGIN SELECT RAISE(ABORT, 'adjustment is append-only'); END;
CREATE TRIGGER adjustment_no_delete BEFORE DELETE ON adjustment
BEGIN SELECT RAISE(ABORT, 'adjustment is append-only'); END;
CREATE TRIGGER upstream_link_no_update BEFORE UPDATE ON upstream_link
BEGIN SELECT RAISE(ABORT, 'upstream_link is append-only'); END;
CREATE TRIGGER upstream_link_no_delete BEFORE DELETE ON upstream_link
BEGIN SELECT RAISE(ABORT, 'upstream_link is append-only'); END;
CREATE TRIGGER message_no_update BEFORE UPDATE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER message_no_delete BEFORE DELETE ON message
BEGIN SELECT RAISE(ABORT, 'message is append-only'); END;
CREATE TRIGGER observation_no_update BEFORE UPDATE ON observation
BEGIN SELECT RAISE(ABORT, 'observation is append-only'); END;
CREATE TRIGGER observation_no_delete BEFORE DELETE ON observation
BEGIN SELECT RAISE(ABORT, 'observation is append-only'); END;
CREATE TRIGGER journal_no_update BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
CREATE TRIGGER journal_no_delete BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'journal is append-only'); END;
CREATE TRIGGER entry_no_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;
CREATE TRIGGER entry_no_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'entry is append-only'); END;
CREATE TRIGGER credit_no_update BEFORE UPDATE ON credit
BEGIN SELECT RAISE(ABORT, 'credit is append-only'); END;
CREATE TRIGGER credit_no_delete BEFORE DELETE ON credit
BEGIN SELECT RAISE(ABORT, 'credit is append-only'); END;
