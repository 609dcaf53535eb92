-- Money is micro-dollars, times are unix milliseconds, flags are 0 or 1, states are the words of the
-- rules. Constraints are the last line under the guards of the program; references are checked at the
-- commit, since a group writes each table at once.

CREATE TABLE account (
    id         BIGINT PRIMARY KEY,
    email      TEXT    NOT NULL UNIQUE,
    tier       BIGINT NOT NULL CHECK (tier BETWEEN 0 AND 3),
    api_access BIGINT NOT NULL CHECK (api_access IN (0, 1)),
    suspended  BIGINT NOT NULL CHECK (suspended IN (0, 1)),
    created_at BIGINT NOT NULL
);

-- hash: salted, in PHC form; set on the command line until there is a page to sign in on.
CREATE TABLE password (
    account_id BIGINT PRIMARY KEY REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    hash       TEXT    NOT NULL,
    changed_at BIGINT NOT NULL
);

-- chain: hash over all of the customer's legs so far. last_event: the customer's newest event in
-- the journal, from where `journal.previous` leads to all earlier ones: a statement follows them.
CREATE TABLE wallet (
    account_id BIGINT PRIMARY KEY REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    available  BIGINT NOT NULL CHECK (available >= 0),
    held       BIGINT NOT NULL CHECK (held >= 0),
    receivable BIGINT NOT NULL CHECK (receivable >= 0),
    chain      BYTEA    NOT NULL CHECK (length(chain) = 32),
    last_event BIGINT
) WITH (fillfactor = 70);

CREATE TABLE api_key (
    id                BIGINT PRIMARY KEY,
    account_id        BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    public_id         TEXT    NOT NULL UNIQUE,
    mac               BYTEA    NOT NULL CHECK (length(mac) = 32),
    name              TEXT    NOT NULL,
    last4             TEXT    NOT NULL,
    scopes            TEXT    NOT NULL,
    rate_limit        BIGINT,
    allowed_addresses TEXT    NOT NULL,
    created_at        BIGINT NOT NULL,
    expires_at        BIGINT,
    disabled          BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    revoked           BIGINT NOT NULL CHECK (revoked IN (0, 1))
);
CREATE INDEX api_key_account ON api_key (account_id);

CREATE TABLE activation (
    id                BIGINT PRIMARY KEY,
    account_id        BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    version           BIGINT NOT NULL,
    state             TEXT    NOT NULL,
    told              TEXT    NOT NULL,
    server            TEXT    NOT NULL,
    provider_type     BIGINT NOT NULL,
    country_id        TEXT    NOT NULL,
    country_key       TEXT    NOT NULL,
    service_id        TEXT    NOT NULL,
    service_name      TEXT    NOT NULL,
    pool_id           TEXT,
    price             BIGINT NOT NULL CHECK (price >= 0),
    cost_quote        BIGINT NOT NULL,
    policy_class      TEXT    NOT NULL,
    policy_version    BIGINT NOT NULL,
    upstream          TEXT    NOT NULL,
    attempt           BIGINT NOT NULL,
    upstream_id       TEXT,
    phone             TEXT,
    cost              BIGINT,
    disclosed_at      BIGINT,
    code              TEXT,
    code_text         TEXT,
    messages          BIGINT NOT NULL,
    created_at        BIGINT NOT NULL,
    in_doubt_until    BIGINT,
    expires_at        BIGINT,
    cancel_allowed_at BIGINT,
    due_at            BIGINT,
    tries             BIGINT NOT NULL,
    failure           TEXT
) WITH (fillfactor = 80);
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
    id                 BIGINT PRIMARY KEY,
    account_id         BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    version            BIGINT NOT NULL,
    state              TEXT    NOT NULL,
    told               TEXT    NOT NULL,
    service_id         TEXT    NOT NULL,
    service_name       TEXT    NOT NULL,
    link               TEXT    NOT NULL,
    target             TEXT    NOT NULL,
    members            TEXT    NOT NULL,
    quantity           BIGINT NOT NULL CHECK (quantity >= 0),
    flat               BIGINT NOT NULL CHECK (flat IN (0, 1)),
    price              BIGINT NOT NULL CHECK (price >= 0),
    cost_quote         BIGINT NOT NULL,
    policy_class       TEXT    NOT NULL,
    policy_version     BIGINT NOT NULL,
    upstream           TEXT    NOT NULL,
    upstream_service   TEXT    NOT NULL,
    attempt            BIGINT NOT NULL,
    upstream_id        TEXT,
    progress           TEXT    NOT NULL,
    remains            BIGINT NOT NULL CHECK (remains >= 0),
    start_count        BIGINT NOT NULL,
    charge             BIGINT,
    candidate_progress TEXT,
    candidate_remains  BIGINT,
    candidate_since    BIGINT,
    observations       BIGINT NOT NULL,
    returned           BIGINT NOT NULL,
    adjustments        BIGINT NOT NULL,
    created_at         BIGINT NOT NULL,
    in_doubt_until     BIGINT,
    resolved_at        BIGINT,
    due_at             BIGINT,
    tries              BIGINT NOT NULL,
    failure            TEXT
) WITH (fillfactor = 80);
CREATE INDEX smm_order_list ON smm_order (account_id, id);
CREATE INDEX smm_order_due ON smm_order (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX smm_order_in_doubt ON smm_order (upstream) WHERE state = 'in_doubt';
CREATE UNIQUE INDEX smm_order_open_link ON smm_order (service_id, target)
    WHERE state IN ('calling', 'in_doubt', 'active', 'undo', 'review');

-- One hold per order, one resolution per hold: the primary keys say so.
CREATE TABLE hold (
    order_id   BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES wallet (account_id) DEFERRABLE INITIALLY DEFERRED,
    amount     BIGINT NOT NULL CHECK (amount >= 0),
    created_at BIGINT NOT NULL
);

CREATE TABLE resolution (
    order_id BIGINT PRIMARY KEY REFERENCES hold (order_id) DEFERRABLE INITIALLY DEFERRED,
    posted   BIGINT NOT NULL CHECK (posted >= 0),
    released BIGINT NOT NULL CHECK (released >= 0),
    reason   TEXT    NOT NULL,
    at       BIGINT NOT NULL
);

CREATE TABLE adjustment (
    order_id BIGINT NOT NULL REFERENCES resolution (order_id) DEFERRABLE INITIALLY DEFERRED,
    seq      BIGINT NOT NULL CHECK (seq >= 1),
    amount   BIGINT NOT NULL CHECK (amount > 0),
    at       BIGINT NOT NULL,
    PRIMARY KEY (order_id, seq)
);

CREATE TABLE attempt (
    order_id BIGINT NOT NULL,
    seq      BIGINT NOT NULL,
    upstream TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    sent_at  BIGINT NOT NULL,
    ended_at BIGINT,
    evidence TEXT,
    raw      TEXT,
    PRIMARY KEY (order_id, seq)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX attempt_live ON attempt (order_id) WHERE state IN ('calling', 'in_doubt');

-- When the first purchase call to an upstream left: older activations there are not ours.
CREATE TABLE first_attempt (
    upstream TEXT    NOT NULL PRIMARY KEY,
    at       BIGINT NOT NULL
);

CREATE TABLE upstream_link (
    upstream    TEXT NOT NULL,
    upstream_id TEXT NOT NULL,
    order_id    BIGINT,
    PRIMARY KEY (upstream, upstream_id)
);

CREATE TABLE message (
    order_id    BIGINT NOT NULL REFERENCES activation (id) DEFERRABLE INITIALLY DEFERRED,
    seq         BIGINT NOT NULL,
    code        TEXT    NOT NULL,
    code_text   TEXT,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (order_id, seq)
);

CREATE TABLE observation (
    order_id    BIGINT NOT NULL REFERENCES smm_order (id) DEFERRABLE INITIALLY DEFERRED,
    seq         BIGINT NOT NULL,
    raw_status  TEXT    NOT NULL,
    remains     BIGINT,
    start_count BIGINT,
    charge      BIGINT,
    at          BIGINT NOT NULL,
    PRIMARY KEY (order_id, seq)
);

-- An event of money and its legs. account_id: the customer it touches, if it touches one; previous:
-- that customer's event before. An index over customers instead would write a page of its own for
-- nearly every event, and nothing else here costs as much.
CREATE TABLE journal (
    id         BIGINT PRIMARY KEY,
    kind       TEXT    NOT NULL,
    reference  BIGINT NOT NULL,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    account_id BIGINT,
    previous   BIGINT
);
CREATE UNIQUE INDEX journal_cause ON journal (kind, reference, seq);

-- chain: the customer's hash after this leg; legs of the house carry none.
CREATE TABLE entry (
    journal_id BIGINT NOT NULL REFERENCES journal (id) DEFERRABLE INITIALLY DEFERRED,
    leg        BIGINT NOT NULL,
    book       TEXT    NOT NULL,
    account_id BIGINT,
    upstream   TEXT,
    amount     BIGINT NOT NULL CHECK (amount <> 0),
    chain      BYTEA,
    PRIMARY KEY (journal_id, leg),
    CHECK ((account_id IS NULL) = (chain IS NULL))
);

CREATE TABLE credit (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES wallet (account_id) DEFERRABLE INITIALLY DEFERRED,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    note       TEXT    NOT NULL,
    at         BIGINT NOT NULL
);

CREATE TABLE idempotency (
    account_id  BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    endpoint    TEXT    NOT NULL,
    key         TEXT    NOT NULL,
    fingerprint BYTEA    NOT NULL CHECK (length(fingerprint) = 32),
    answer      TEXT    NOT NULL,
    order_id    BIGINT,
    expires_at  BIGINT NOT NULL,
    PRIMARY KEY (account_id, endpoint, key)
);
CREATE INDEX idempotency_expired ON idempotency (expires_at);

CREATE TABLE orphan (
    id          BIGINT PRIMARY KEY,
    version     BIGINT NOT NULL,
    upstream    TEXT    NOT NULL,
    upstream_id TEXT    NOT NULL,
    state       TEXT    NOT NULL,
    cost        BIGINT NOT NULL,
    found_at    BIGINT NOT NULL,
    due_at      BIGINT,
    tries       BIGINT NOT NULL
);
CREATE INDEX orphan_due ON orphan (due_at) WHERE due_at IS NOT NULL;

-- What happened stays written.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER hold_append_only BEFORE UPDATE OR DELETE ON hold
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER hold_kept BEFORE TRUNCATE ON hold
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER resolution_append_only BEFORE UPDATE OR DELETE ON resolution
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER resolution_kept BEFORE TRUNCATE ON resolution
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER adjustment_append_only BEFORE UPDATE OR DELETE ON adjustment
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER adjustment_kept BEFORE TRUNCATE ON adjustment
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER upstream_link_append_only BEFORE UPDATE OR DELETE ON upstream_link
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER upstream_link_kept BEFORE TRUNCATE ON upstream_link
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER message_append_only BEFORE UPDATE OR DELETE ON message
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER message_kept BEFORE TRUNCATE ON message
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER observation_append_only BEFORE UPDATE OR DELETE ON observation
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER observation_kept BEFORE TRUNCATE ON observation
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER journal_append_only BEFORE UPDATE OR DELETE ON journal
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER journal_kept BEFORE TRUNCATE ON journal
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER entry_append_only BEFORE UPDATE OR DELETE ON entry
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER entry_kept BEFORE TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER credit_append_only BEFORE UPDATE OR DELETE ON credit
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER credit_kept BEFORE TRUNCATE ON credit
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- Each value is the first id of a block of 64 that belongs to the node that took it.
CREATE SEQUENCE order_id START 100001 INCREMENT 64;
CREATE SEQUENCE row_id START 1 INCREMENT 64;
