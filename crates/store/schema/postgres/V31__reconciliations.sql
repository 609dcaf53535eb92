-- How much of what can be spent from then on paid what the customer owed.
ALTER TABLE topup_clearing ADD COLUMN debt BIGINT NOT NULL DEFAULT 0 CHECK (debt BETWEEN 0 AND amount);

CREATE INDEX topup_event_topup ON topup_event (topup_id) WHERE topup_id IS NOT NULL;
CREATE INDEX topup_event_odd ON topup_event (id) WHERE state IN ('seen', 'parked', 'review');

-- Our credits of a day (its first millisecond) against a processor's own list. unexplained: what only one side
-- knows, a line each; failure: why it could not be compared.
CREATE TABLE topup_reconciliation (
    processor   TEXT    NOT NULL,
    day         BIGINT NOT NULL,
    listed      BIGINT NOT NULL,
    credited    BIGINT NOT NULL,
    amount      BIGINT NOT NULL,
    unexplained TEXT    NOT NULL,
    failure     TEXT,
    at          BIGINT NOT NULL,
    PRIMARY KEY (processor, day)
);
