-- Money that customers pay in through payment processors, in dollars. processor_ref: the session
-- or invoice; payment_ref: the payment, or the bank's reference. No two rows share either.
CREATE TABLE topup (
    id             INTEGER PRIMARY KEY,
    account_id     INTEGER NOT NULL REFERENCES wallet (account_id),
    version        INTEGER NOT NULL,
    processor      TEXT    NOT NULL,
    amount         INTEGER NOT NULL CHECK (amount > 0),
    fee            INTEGER NOT NULL CHECK (fee >= 0),
    bonus          INTEGER NOT NULL CHECK (bonus >= 0),
    live           INTEGER NOT NULL CHECK (live IN (0, 1)),
    state          TEXT    NOT NULL,
    processor_ref  TEXT,
    payment_ref    TEXT,
    pay_url        TEXT,
    note           TEXT    NOT NULL,
    credited       INTEGER NOT NULL CHECK (credited >= 0),
    refunded       INTEGER NOT NULL CHECK (refunded >= 0),
    reversed       INTEGER NOT NULL CHECK (reversed BETWEEN 0 AND credited),
    reversed_fee   INTEGER NOT NULL CHECK (reversed_fee BETWEEN 0 AND fee),
    reversed_bonus INTEGER NOT NULL CHECK (reversed_bonus BETWEEN 0 AND bonus),
    reversals      INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    expires_at     INTEGER NOT NULL,
    credited_at    INTEGER,
    due_at         INTEGER,
    tries          INTEGER NOT NULL,
    CHECK ((state = 'credited') = (credited > 0)),
    CHECK ((state = 'credited') = (credited_at IS NOT NULL))
) STRICT;
CREATE UNIQUE INDEX topup_opened ON topup (processor, processor_ref)
    WHERE processor_ref IS NOT NULL;
CREATE UNIQUE INDEX topup_paid ON topup (processor, payment_ref) WHERE payment_ref IS NOT NULL;
CREATE INDEX topup_account ON topup (account_id, id);
CREATE INDEX topup_due ON topup (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX topup_waiting ON topup (id)
    WHERE state = 'review' OR (state = 'pending' AND processor = 'manual');
CREATE INDEX topup_credited_at ON topup (processor, credited_at) WHERE credited_at IS NOT NULL;

-- Each signed event of a processor as it came. topup_id: what it names, there or not.
CREATE TABLE topup_event (
    id          INTEGER PRIMARY KEY,
    processor   TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    topup_id    INTEGER,
    payment_ref TEXT,
    raw         BLOB    NOT NULL,
    state       TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    received_at INTEGER NOT NULL,
    due_at      INTEGER,
    tries       INTEGER NOT NULL,
    UNIQUE (processor, event_id),
    CHECK ((state IN ('seen', 'parked')) = (due_at IS NOT NULL))
) STRICT;
CREATE INDEX topup_event_due ON topup_event (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX topup_event_parked ON topup_event (processor, payment_ref) WHERE state = 'parked';
CREATE INDEX topup_event_named ON topup_event (topup_id) WHERE state = 'parked';

-- What was put into a wallet for a payment: once for each payment and kind. debt: how much of it
-- paid what the customer owed.
CREATE TABLE topup_credit (
    topup_id   INTEGER NOT NULL REFERENCES topup (id),
    kind       TEXT    NOT NULL CHECK (kind IN ('credit', 'bonus')),
    processor  TEXT    NOT NULL,
    payment_id TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    fee        INTEGER NOT NULL CHECK (fee >= 0),
    debt       INTEGER NOT NULL CHECK (debt BETWEEN 0 AND amount),
    at         INTEGER NOT NULL,
    PRIMARY KEY (topup_id, kind),
    UNIQUE (processor, payment_id, kind)
) STRICT;

-- What went back of it, below zero where it came again. debt: by how much the customer's debt grew.
CREATE TABLE topup_reversal (
    topup_id  INTEGER NOT NULL REFERENCES topup (id),
    seq       INTEGER NOT NULL CHECK (seq >= 1),
    cause     TEXT    NOT NULL,
    reference TEXT    NOT NULL,
    amount    INTEGER NOT NULL,
    fee       INTEGER NOT NULL,
    bonus     INTEGER NOT NULL,
    debt      INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (topup_id, seq),
    UNIQUE (topup_id, cause, reference)
) STRICT;

CREATE TABLE topup_dispute (
    processor  TEXT    NOT NULL,
    dispute_id TEXT    NOT NULL,
    topup_id   INTEGER NOT NULL REFERENCES topup (id),
    version    INTEGER NOT NULL,
    withdrawn  INTEGER NOT NULL CHECK (withdrawn >= 0),
    posted     INTEGER NOT NULL CHECK (posted BETWEEN 0 AND withdrawn),
    reinstated INTEGER NOT NULL CHECK (reinstated IN (0, 1)),
    PRIMARY KEY (processor, dispute_id)
) STRICT;
CREATE INDEX topup_dispute_topup ON topup_dispute (topup_id);

CREATE TRIGGER topup_credit_no_update BEFORE UPDATE ON topup_credit
BEGIN SELECT RAISE(ABORT, 'topup_credit is append-only'); END;
CREATE TRIGGER topup_credit_no_delete BEFORE DELETE ON topup_credit
BEGIN SELECT RAISE(ABORT, 'topup_credit is append-only'); END;
CREATE TRIGGER topup_reversal_no_update BEFORE UPDATE ON topup_reversal
BEGIN SELECT RAISE(ABORT, 'topup_reversal is append-only'); END;
CREATE TRIGGER topup_reversal_no_delete BEFORE DELETE ON topup_reversal
BEGIN SELECT RAISE(ABORT, 'topup_reversal is append-only'); END;
