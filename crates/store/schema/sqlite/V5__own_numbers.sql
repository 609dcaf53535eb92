-- Numbers of the operator, who rents them, and what was sent to them. Lists of service codes are
-- joined by commas; a code has none.
CREATE TABLE own_number (
    id            INTEGER PRIMARY KEY,
    upstream      TEXT    NOT NULL,
    phone         TEXT    NOT NULL UNIQUE,
    country       TEXT    NOT NULL,
    pool          TEXT    NOT NULL,
    only_for      TEXT    NOT NULL,
    never_for     TEXT    NOT NULL,
    retired       INTEGER NOT NULL CHECK (retired IN (0, 1)),
    cooling_until INTEGER NOT NULL,
    last_used     INTEGER NOT NULL
) STRICT;

CREATE INDEX own_number_rested ON own_number (upstream, country, pool, last_used);

-- AUTOINCREMENT: the id is the order id of this upstream, and those are never used twice.
CREATE TABLE allocation (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    upstream  TEXT    NOT NULL,
    reference TEXT    NOT NULL,
    number_id INTEGER NOT NULL REFERENCES own_number (id),
    service   TEXT    NOT NULL,
    country   TEXT    NOT NULL,
    pool      TEXT    NOT NULL,
    cost      INTEGER NOT NULL CHECK (cost >= 0),
    begun_at  INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL,
    again     INTEGER NOT NULL CHECK (again IN (0, 1)),
    ended     TEXT,
    ended_at  INTEGER,
    UNIQUE (upstream, reference)
) STRICT;

CREATE UNIQUE INDEX allocation_one_living ON allocation (number_id) WHERE ended IS NULL;
CREATE INDEX allocation_open ON allocation (upstream, id) WHERE ended IS NULL;
CREATE INDEX allocation_by_number ON allocation (number_id, service);

-- allocation_id: nothing for a message that came while nobody rented the number. event_id: empty
-- where the carrier has none.
CREATE TABLE inbound_message (
    id            INTEGER PRIMARY KEY,
    carrier       TEXT    NOT NULL,
    message_id    TEXT    NOT NULL,
    event_id      TEXT    NOT NULL,
    sender        TEXT    NOT NULL,
    recipient     TEXT    NOT NULL,
    text          TEXT    NOT NULL,
    received_at   INTEGER NOT NULL,
    stored_at     INTEGER NOT NULL,
    allocation_id INTEGER REFERENCES allocation (id),
    UNIQUE (carrier, message_id)
) STRICT;

CREATE UNIQUE INDEX inbound_message_event ON inbound_message (carrier, event_id)
    WHERE event_id <> '';
CREATE INDEX inbound_message_of ON inbound_message (allocation_id, id)
    WHERE allocation_id IS NOT NULL;
CREATE INDEX inbound_message_unmatched ON inbound_message (id) WHERE allocation_id IS NULL;
