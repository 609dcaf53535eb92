-- What an account's programs asked. Written behind: no key refers elsewhere, so that no line can hold up
-- the others. order_id: 0 where there is none. minute: 0 where there is an order.
CREATE TABLE api_call (
    id          INTEGER PRIMARY KEY,
    account_id  INTEGER NOT NULL,
    order_id    INTEGER NOT NULL,
    minute      INTEGER NOT NULL,
    key_id      INTEGER NOT NULL,
    action      TEXT    NOT NULL,
    status      INTEGER NOT NULL,
    error       TEXT    NOT NULL,
    method      TEXT    NOT NULL,
    calls       INTEGER NOT NULL CHECK (calls > 0),
    first_at    INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    duration_us INTEGER NOT NULL,
    request_id  TEXT    NOT NULL,
    UNIQUE (account_id, order_id, minute, key_id, action, status, error)
) STRICT;
CREATE INDEX api_call_newest ON api_call (account_id, last_at, id);
CREATE INDEX api_call_oldest ON api_call (last_at);

-- Requests of a key since it was made, however long ago.
CREATE TABLE api_key_use (
    key_id     INTEGER PRIMARY KEY,
    account_id INTEGER NOT NULL,
    requests   INTEGER NOT NULL CHECK (requests > 0),
    last_at    INTEGER NOT NULL
) STRICT;
CREATE INDEX api_key_use_account ON api_key_use (account_id);
