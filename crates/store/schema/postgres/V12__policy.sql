-- purpose: in the account holder's words.
CREATE TABLE attestation (
    id         BIGINT PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    version    BIGINT NOT NULL,
    purpose    TEXT    NOT NULL,
    at         BIGINT NOT NULL
);
CREATE INDEX attestation_account ON attestation (account_id, version);

CREATE TABLE blocked (
    id         BIGINT PRIMARY KEY,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    at         BIGINT NOT NULL,
    removed_at BIGINT
);
CREATE UNIQUE INDEX blocked_now ON blocked (kind, value) WHERE removed_at IS NULL;

-- How often one target was ordered for, by anybody.
CREATE INDEX smm_order_target ON smm_order (target, created_at);
