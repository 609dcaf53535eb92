-- The log tells which service was asked: 'otp' or 'smm', and empty where a line of before does not show
-- it. Equal requests to both are two lines, so the table is made anew.
ALTER TABLE api_call RENAME TO api_call_before;
DROP INDEX api_call_newest;
DROP INDEX api_call_oldest;
CREATE TABLE api_call (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL,
    order_id    INTEGER NOT NULL,
    minute      INTEGER NOT NULL,
    key_id      INTEGER NOT NULL,
    service     TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    error       TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    calls       INTEGER NOT NULL CHECK (calls > 0),
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    request_id  TEXT    NOT NULL,
    UNIQUE (account_id, order_id, minute, key_id, service, action, status, error)
) STRICT;
INSERT INTO api_call (id, account_id, order_id, minute, key_id, service, action, status, error, method,
    calls, first_at, last_at, duration_us, request_id)
SELECT id, account_id, order_id, minute, key_id,
    CASE WHEN action IN ('countries', 'buy_number', 'get_status', 'cancel') THEN 'otp'
        WHEN action IN ('place_order', 'order_status', 'cancel_order', 'refill', 'refill_status')
            THEN 'smm'
        ELSE '' END,
    action, status, error, method, calls, first_at, last_at, duration_us, request_id
FROM api_call_before;
DROP TABLE api_call_before;
CREATE INDEX api_call_newest ON api_call (account_id, last_at, id);
CREATE INDEX api_call_oldest ON api_call (last_at);

-- Pages of an account with very many orders: its orders of a state, those since a day, those with
-- a number, those for a link.
CREATE INDEX activation_state ON activation (account_id, state, id);
CREATE INDEX activation_number ON activation (account_id, phone, id) WHERE phone IS NOT NULL;
CREATE INDEX activation_since ON activation (account_id, created_at);
CREATE INDEX smm_order_shown ON smm_order (account_id,
    (CASE WHEN state IN ('calling', 'in_doubt', 'undo') THEN 'Pending'
        WHEN state = 'failed' THEN 'Canceled' ELSE progress END), id);
CREATE INDEX smm_order_since ON smm_order (account_id, created_at);
CREATE INDEX smm_order_link ON smm_order (account_id, target, id);
