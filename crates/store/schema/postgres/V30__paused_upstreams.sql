-- Upstreams at which the operator wants nothing bought. actor: who said so, as in the audit log.
CREATE TABLE upstream_pause (
    upstream TEXT   PRIMARY KEY,
    actor    TEXT   NOT NULL,
    why      TEXT   NOT NULL,
    since    BIGINT NOT NULL
);
