-- What a first person wants to credit to a top-up that needs two: the second has to want the same.
CREATE TABLE topup_proposal (
    topup_id  INTEGER PRIMARY KEY REFERENCES topup (id),
    proposer  TEXT    NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount > 0),
    reference TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    at        INTEGER NOT NULL
) STRICT;
