-- A purchase that goes on to another route makes its hold fit that route's price before the call
-- leaves. One change for each attempt; what is held is hold.amount and the sum of these.
CREATE TABLE hold_change (
    order_id INTEGER NOT NULL REFERENCES hold (order_id),
    seq      INTEGER NOT NULL,
    amount   INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    PRIMARY KEY (order_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER hold_change_no_update BEFORE UPDATE ON hold_change
BEGIN SELECT RAISE(ABORT, 'hold_change is append-only'); END;
CREATE TRIGGER hold_change_no_delete BEFORE DELETE ON hold_change
BEGIN SELECT RAISE(ABORT, 'hold_change is append-only'); END;

-- What is held for each order now, or was when it was resolved.
CREATE VIEW held AS
    SELECT h.order_id, h.account_id,
        h.amount + COALESCE(
            (SELECT SUM(c.amount) FROM hold_change c WHERE c.order_id = h.order_id), 0) AS amount
    FROM hold h;
