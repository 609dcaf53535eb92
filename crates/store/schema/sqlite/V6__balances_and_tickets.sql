-- Our money at upstreams as they report it, against the books; and what a person has to look at.

-- journal_id: the last event that `prepaid` counts, so that the next sum starts after it.
CREATE TABLE balance_reading (
    id         INTEGER PRIMARY KEY,
    upstream   TEXT    NOT NULL,
    seq        INTEGER NOT NULL CHECK (seq >= 1),
    at         INTEGER NOT NULL,
    balance    INTEGER NOT NULL,
    journal_id INTEGER NOT NULL,
    prepaid    INTEGER NOT NULL,
    least      INTEGER NOT NULL,
    most       INTEGER NOT NULL,
    booked     INTEGER NOT NULL,
    booked_as  TEXT,
    clean_at   INTEGER NOT NULL,
    CHECK ((booked = 0) = (booked_as IS NULL))
) STRICT;
CREATE UNIQUE INDEX balance_reading_seq ON balance_reading (upstream, seq);

CREATE TABLE ticket (
    id        INTEGER PRIMARY KEY,
    kind      TEXT    NOT NULL,
    upstream  TEXT    NOT NULL,
    reference INTEGER NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount >= 0),
    detail    TEXT    NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    note      TEXT,
    UNIQUE (kind, reference)
) STRICT;
CREATE INDEX ticket_open ON ticket (upstream) WHERE closed_at IS NULL;

CREATE TRIGGER balance_reading_no_update BEFORE UPDATE ON balance_reading
BEGIN SELECT RAISE(ABORT, 'balance_reading is append-only'); END;
CREATE TRIGGER balance_reading_no_delete BEFORE DELETE ON balance_reading
BEGIN SELECT RAISE(ABORT, 'balance_reading is append-only'); END;
