-- hash: of the code, which is shown once. batch: the row of the first code made together with it.
CREATE TABLE redeem_code (
    id          INTEGER PRIMARY KEY,
    batch       INTEGER NOT NULL,
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    amount      INTEGER NOT NULL CHECK (amount > 0),
    source      TEXT    NOT NULL,
    note        TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    disabled    INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    redeemed_by INTEGER REFERENCES wallet (account_id),
    redeemed_at INTEGER,
    CHECK ((redeemed_by IS NULL) = (redeemed_at IS NULL))
) STRICT;
CREATE INDEX redeem_code_account ON redeem_code (redeemed_by, redeemed_at)
    WHERE redeemed_by IS NOT NULL;

-- What an account's money is on hold for, however many orders it has had.
CREATE INDEX activation_open ON activation (account_id)
    WHERE state IN ('calling', 'in_doubt', 'active', 'cancel_requested', 'undo');
CREATE INDEX smm_order_open ON smm_order (account_id)
    WHERE state IN ('calling', 'in_doubt', 'active', 'undo', 'review');
