-- Who wants to know when little is left to spend. told: available was below the threshold when last seen.
CREATE TABLE low_balance (
    account_id INTEGER PRIMARY KEY REFERENCES wallet (account_id),
    threshold  INTEGER NOT NULL CHECK (threshold > 0),
    told       INTEGER NOT NULL CHECK (told IN (0, 1))
) STRICT;
