-- What each account paid for orders of a day and a service, without what came back since: summed up with every
-- resolution and adjustment, so that a page costs the same for any number of orders. By day first: what is
-- written lies together, whoever buys.
CREATE TABLE spending (
    day        INTEGER NOT NULL,
    account_id INTEGER NOT NULL,
    service    TEXT    NOT NULL,
    orders     INTEGER NOT NULL,
    amount     INTEGER NOT NULL,
    PRIMARY KEY (day, account_id, service)
) STRICT, WITHOUT ROWID;
INSERT INTO spending (day, account_id, service, orders, amount)
SELECT o.created_at / 86400000, o.account_id, o.service_name, COUNT(*),
    SUM(r.posted - COALESCE((SELECT SUM(a.amount) FROM adjustment a WHERE a.order_id = o.id), 0))
FROM (SELECT id, account_id, service_name, created_at FROM activation
    UNION ALL SELECT id, account_id, service_name, created_at FROM smm_order) o
JOIN resolution r ON r.order_id = o.id AND r.posted > 0
GROUP BY o.created_at / 86400000, o.account_id, o.service_name;
