-- Who did what, and why. id: without gaps, in the order of commits. account_id: whose chain; 0 is the
-- house's. seq: place in the chain, without gaps.
CREATE TABLE audit_log (
    id         BIGINT PRIMARY KEY,
    seq        BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    details    TEXT    NOT NULL,
    previous   BYTEA   NOT NULL CHECK (octet_length(previous) = 32),
    hash       BYTEA   NOT NULL CHECK (octet_length(hash) = 32),
    UNIQUE (account_id, seq)
);
CREATE INDEX audit_log_action ON audit_log (action, id);

-- Whole trees over the lines' hashes: level 1 stands over two lines.
CREATE TABLE audit_node (
    level BIGINT NOT NULL,
    place BIGINT NOT NULL,
    hash  BYTEA   NOT NULL CHECK (octet_length(hash) = 32),
    PRIMARY KEY (level, place)
);

CREATE TABLE audit_checkpoint (
    size BIGINT PRIMARY KEY,
    root BYTEA   NOT NULL CHECK (octet_length(root) = 32),
    at   BIGINT NOT NULL
);

CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_log_kept BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_node_append_only BEFORE UPDATE OR DELETE ON audit_node
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_node_kept BEFORE TRUNCATE ON audit_node
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_checkpoint_append_only BEFORE UPDATE OR DELETE ON audit_checkpoint
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER audit_checkpoint_kept BEFORE TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
