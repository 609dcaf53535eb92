-- Who did what, and why. id: without gaps, in the order of commits. account_id: whose chain; 0 is the
-- house's. seq: place in the chain, without gaps.
CREATE TABLE audit_log (
    id         INTEGER PRIMARY KEY,
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    actor      TEXT    NOT NULL,
    action     TEXT    NOT NULL,
    object     TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    details    TEXT    NOT NULL,
    previous   BLOB    NOT NULL CHECK (length(previous) = 32),
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    UNIQUE (account_id, seq)
) STRICT;
CREATE INDEX audit_log_action ON audit_log (action, id);

-- Whole trees over the lines' hashes: level 1 stands over two lines.
CREATE TABLE audit_node (
    level INTEGER NOT NULL,
    place INTEGER NOT NULL,
    hash  BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_checkpoint (
    size INTEGER PRIMARY KEY,
    root BLOB    NOT NULL CHECK (length(root) = 32),
    at   INTEGER NOT NULL
) STRICT;

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'audit_log is append-only'); END;
CREATE TRIGGER audit_node_no_update BEFORE UPDATE ON audit_node
BEGIN SELECT RAISE(ABORT, 'audit_node is append-only'); END;
CREATE TRIGGER audit_node_no_delete BEFORE DELETE ON audit_node
BEGIN SELECT RAISE(ABORT, 'audit_node is append-only'); END;
CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is append-only'); END;
CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint
BEGIN SELECT RAISE(ABORT, 'audit_checkpoint is append-only'); END;
