-- Money that customers pay in through payment processors, in dollars. processor_ref: the session
-- or invoice; payment_ref: the payment, or the bank's reference. No two rows share either.
CREATE TABLE topup (
    id             BIGINT PRIMARY KEY,
    account_id     BIGINT NOT NULL REFERENCES wallet (account_id) DEFERRABLE INITIALLY DEFERRED,
    version        BIGINT NOT NULL,
    processor      TEXT    NOT NULL,
    amount         BIGINT NOT NULL CHECK (amount > 0),
    fee            BIGINT NOT NULL CHECK (fee >= 0),
    bonus          BIGINT NOT NULL CHECK (bonus >= 0),
    live           BIGINT NOT NULL CHECK (live IN (0, 1)),
    state          TEXT    NOT NULL,
    processor_ref  TEXT,
    payment_ref    TEXT,
    pay_url        TEXT,
    note           TEXT    NOT NULL,
    credited       BIGINT NOT NULL CHECK (credited >= 0),
    refunded       BIGINT NOT NULL CHECK (refunded >= 0),
    reversed       BIGINT NOT NULL CHECK (reversed BETWEEN 0 AND credited),
    reversed_fee   BIGINT NOT NULL CHECK (reversed_fee BETWEEN 0 AND fee),
    reversed_bonus BIGINT NOT NULL CHECK (reversed_bonus BETWEEN 0 AND bonus),
    reversals      BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    credited_at    BIGINT,
    due_at         BIGINT,
    tries          BIGINT NOT NULL,
    CHECK ((state = 'credited') = (credited > 0)),
    CHECK ((state = 'credited') = (credited_at IS NOT NULL))
);
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
    id          BIGINT PRIMARY KEY,
    processor   TEXT    NOT NULL,
    event_id    TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    topup_id    BIGINT,
    payment_ref TEXT,
    raw         BYTEA    NOT NULL,
    state       TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    received_at BIGINT NOT NULL,
    due_at      BIGINT,
    tries       BIGINT NOT NULL,
    UNIQUE (processor, event_id),
    CHECK ((state IN ('seen', 'parked')) = (due_at IS NOT NULL))
);
CREATE INDEX topup_event_due ON topup_event (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX topup_event_parked ON topup_event (processor, payment_ref) WHERE state = 'parked';
CREATE INDEX topup_event_named ON topup_event (topup_id) WHERE state = 'parked';

-- What was put into a wallet for a payment: once for each payment and kind. debt: how much of it
-- paid what the customer owed.
CREATE TABLE topup_credit (
    topup_id   BIGINT NOT NULL REFERENCES topup (id) DEFERRABLE INITIALLY DEFERRED,
    kind       TEXT    NOT NULL CHECK (kind IN ('credit', 'bonus')),
    processor  TEXT    NOT NULL,
    payment_id TEXT    NOT NULL,
    amount     BIGINT NOT NULL CHECK (amount > 0),
    fee        BIGINT NOT NULL CHECK (fee >= 0),
    debt       BIGINT NOT NULL CHECK (debt BETWEEN 0 AND amount),
    at         BIGINT NOT NULL,
    PRIMARY KEY (topup_id, kind),
    UNIQUE (processor, payment_id, kind)
);

-- What went back of it, below zero where it came again. debt: by how much the customer's debt grew.
CREATE TABLE topup_reversal (
    topup_id  BIGINT NOT NULL REFERENCES topup (id) DEFERRABLE INITIALLY DEFERRED,
    seq       BIGINT NOT NULL CHECK (seq >= 1),
    cause     TEXT    NOT NULL,
    reference TEXT    NOT NULL,
    amount    BIGINT NOT NULL,
    fee       BIGINT NOT NULL,
    bonus     BIGINT NOT NULL,
    debt      BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (topup_id, seq),
    UNIQUE (topup_id, cause, reference)
);

CREATE TABLE topup_dispute (
    processor  TEXT    NOT NULL,
    dispute_id TEXT    NOT NULL,
    topup_id   BIGINT NOT NULL REFERENCES topup (id) DEFERRABLE INITIALLY DEFERRED,
    version    BIGINT NOT NULL,
    withdrawn  BIGINT NOT NULL CHECK (withdrawn >= 0),
    posted     BIGINT NOT NULL CHECK (posted BETWEEN 0 AND withdrawn),
    reinstated BIGINT NOT NULL CHECK (reinstated IN (0, 1)),
    PRIMARY KEY (processor, dispute_id)
);
CREATE INDEX topup_dispute_topup ON topup_dispute (topup_id);

CREATE TRIGGER topup_credit_append_only BEFORE UPDATE OR DELETE ON topup_credit
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER topup_credit_kept BEFORE TRUNCATE ON topup_credit
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER topup_reversal_append_only BEFORE UPDATE OR DELETE ON topup_reversal
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER topup_reversal_kept BEFORE TRUNCATE ON topup_reversal
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
