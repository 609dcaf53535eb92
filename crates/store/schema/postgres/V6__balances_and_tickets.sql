-- Our money at upstreams as they report it, against the books; and what a person has to look at.

-- journal_id: the last event that `prepaid` counts, so that the next sum starts after it.
CREATE TABLE balance_reading (
    id         BIGINT PRIMARY KEY,
    upstream   TEXT    NOT NULL,
    seq        BIGINT NOT NULL CHECK (seq >= 1),
    at         BIGINT NOT NULL,
    balance    BIGINT NOT NULL,
    journal_id BIGINT NOT NULL,
    prepaid    BIGINT NOT NULL,
    least      BIGINT NOT NULL,
    most       BIGINT NOT NULL,
    booked     BIGINT NOT NULL,
    booked_as  TEXT,
    clean_at   BIGINT NOT NULL,
    CHECK ((booked = 0) = (booked_as IS NULL))
);
CREATE UNIQUE INDEX balance_reading_seq ON balance_reading (upstream, seq);

CREATE TABLE ticket (
    id        BIGINT PRIMARY KEY,
    kind      TEXT    NOT NULL,
    upstream  TEXT    NOT NULL,
    reference BIGINT NOT NULL,
    amount    BIGINT NOT NULL CHECK (amount >= 0),
    detail    TEXT    NOT NULL,
    opened_at BIGINT NOT NULL,
    closed_at BIGINT,
    note      TEXT,
    UNIQUE (kind, reference)
);
CREATE INDEX ticket_open ON ticket (upstream) WHERE closed_at IS NULL;

CREATE TRIGGER balance_reading_append_only BEFORE UPDATE OR DELETE ON balance_reading
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER balance_reading_kept BEFORE TRUNCATE ON balance_reading
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
