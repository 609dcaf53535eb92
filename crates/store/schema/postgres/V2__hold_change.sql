-- A purchase that goes on to another route makes its hold fit that route's price before the call
-- leaves. One change for each attempt; what is held is hold.amount and the sum of these.
CREATE TABLE hold_change (
    order_id BIGINT NOT NULL REFERENCES hold (order_id) DEFERRABLE INITIALLY DEFERRED,
    seq      BIGINT NOT NULL,
    amount   BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (order_id, seq)
);

CREATE TRIGGER hold_change_append_only BEFORE UPDATE OR DELETE ON hold_change
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER hold_change_kept BEFORE TRUNCATE ON hold_change
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();

-- What is held for each order now, or was when it was resolved.
CREATE VIEW held AS
    SELECT h.order_id, h.account_id,
        h.amount + COALESCE(
            (SELECT CAST(SUM(c.amount) AS BIGINT) FROM hold_change c WHERE c.order_id = h.order_id), 0) AS amount
    FROM hold h;
