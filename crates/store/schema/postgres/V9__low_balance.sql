-- Who wants to know when little is left to spend. told: available was below the threshold when last seen.
CREATE TABLE low_balance (
    account_id BIGINT PRIMARY KEY REFERENCES wallet (account_id) DEFERRABLE INITIALLY DEFERRED,
    threshold  BIGINT NOT NULL CHECK (threshold > 0),
    told       BIGINT NOT NULL CHECK (told IN (0, 1))
);
