-- purpose: in the account holder's words.
CREATE TABLE attestation (
    id         INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL REFERENCES account (id),
    version    INTEGER NOT NULL,
    purpose    TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
CREATE INDEX attestation_account ON attestation (account_id, version);

CREATE TABLE blocked (
    id         INTEGER PRIMARY KEY,
    kind       TEXT    NOT NULL,
    value      TEXT    NOT NULL,
    why        TEXT    NOT NULL,
    at         INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;
CREATE UNIQUE INDEX blocked_now ON blocked (kind, value) WHERE removed_at IS NULL;

-- How often one target was ordered for, by anybody.
CREATE INDEX smm_order_target ON smm_order (target, created_at);
