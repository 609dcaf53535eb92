-- What clients ask for after an SMM order was placed: cancels and refills. One open request of each
-- kind for an order.
CREATE TABLE smm_request (
    id             BIGINT PRIMARY KEY,
    order_id       BIGINT NOT NULL REFERENCES smm_order (id) DEFERRABLE INITIALLY DEFERRED,
    account_id     BIGINT NOT NULL REFERENCES account (id) DEFERRABLE INITIALLY DEFERRED,
    version        BIGINT NOT NULL,
    kind           TEXT    NOT NULL CHECK (kind IN ('cancel', 'refill')),
    state          TEXT    NOT NULL,
    upstream       TEXT    NOT NULL,
    upstream_order TEXT    NOT NULL,
    upstream_id    TEXT,
    created_at     BIGINT NOT NULL,
    due_at         BIGINT,
    tries          BIGINT NOT NULL
);
CREATE INDEX smm_request_order ON smm_request (order_id, id);
CREATE INDEX smm_request_due ON smm_request (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX smm_request_open ON smm_request (order_id, kind)
    WHERE state NOT IN ('done', 'refused');
