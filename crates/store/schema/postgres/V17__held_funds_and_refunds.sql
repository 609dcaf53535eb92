-- Money of top-ups that is in a wallet but cannot be spent yet, and refunds on their way to payers.
ALTER TABLE wallet ADD COLUMN uncleared BIGINT NOT NULL DEFAULT 0 CHECK (uncleared >= 0);

-- For how long what is credited cannot be spent, in milliseconds: fixed when it is begun.
ALTER TABLE topup ADD COLUMN hold BIGINT NOT NULL DEFAULT 0 CHECK (hold >= 0);
-- When what was credited can be spent; nothing once it can.
ALTER TABLE topup ADD COLUMN clears_at BIGINT;
CREATE INDEX topup_clears ON topup (clears_at) WHERE clears_at IS NOT NULL;

-- Whether it went into the wallet as money that cannot be spent yet.
ALTER TABLE topup_credit ADD COLUMN uncleared BIGINT NOT NULL DEFAULT 0 CHECK (uncleared IN (0, 1));
-- How much of it was taken from such money.
ALTER TABLE topup_reversal ADD COLUMN uncleared BIGINT NOT NULL DEFAULT 0 CHECK (uncleared >= 0);

-- What could be spent from then on.
CREATE TABLE topup_clearing (
    topup_id BIGINT PRIMARY KEY REFERENCES topup (id) DEFERRABLE INITIALLY DEFERRED,
    amount   BIGINT NOT NULL CHECK (amount > 0),
    at       BIGINT NOT NULL
);

-- What left a wallet for its payer, until the processor was told to return it. due_at: the next try.
CREATE TABLE topup_refund (
    topup_id BIGINT NOT NULL REFERENCES topup (id) DEFERRABLE INITIALLY DEFERRED,
    seq      BIGINT NOT NULL CHECK (seq >= 1),
    amount   BIGINT NOT NULL CHECK (amount > 0),
    key      TEXT    NOT NULL UNIQUE,
    reason   TEXT    NOT NULL,
    state    TEXT    NOT NULL,
    asked_at BIGINT NOT NULL,
    due_at   BIGINT,
    tries    BIGINT NOT NULL,
    PRIMARY KEY (topup_id, seq),
    CHECK ((state = 'open') = (due_at IS NOT NULL))
);
CREATE INDEX topup_refund_due ON topup_refund (due_at) WHERE due_at IS NOT NULL;

CREATE TRIGGER topup_clearing_append_only BEFORE UPDATE OR DELETE ON topup_clearing
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER topup_clearing_kept BEFORE TRUNCATE ON topup_clearing
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
