-- hash: of the code, which is shown once. batch: the row of the first code made together with it.
CREATE TABLE redeem_code (
    id          BIGINT PRIMARY KEY,
    batch       BIGINT NOT NULL,
    hash        BYTEA    NOT NULL UNIQUE CHECK (length(hash) = 32),
    amount      BIGINT NOT NULL CHECK (amount > 0),
    source      TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    created_at  BIGINT NOT NULL,
    expires_at  BIGINT,
    disabled    BIGINT NOT NULL CHECK (disabled IN (0, 1)),
    redeemed_by BIGINT REFERENCES wallet (account_id) DEFERRABLE INITIALLY DEFERRED,
    redeemed_at BIGINT,
    CHECK ((redeemed_by IS NULL) = (redeemed_at IS NULL))
);
CREATE INDEX redeem_code_account ON redeem_code (redeemed_by, redeemed_at)
    WHERE redeemed_by IS NOT NULL;

-- What an account's money is on hold for, however many orders it has had.
CREATE INDEX activation_open ON activation (account_id)
    WHERE state IN ('calling', 'in_doubt', 'active', 'cancel_requested', 'undo');
CREATE INDEX smm_order_open ON smm_order (account_id)
    WHERE state IN ('calling', 'in_doubt', 'active', 'undo', 'review');
