-- What a first person wants to credit to a top-up that needs two: the second has to want the same.
CREATE TABLE topup_proposal (
    topup_id  BIGINT PRIMARY KEY REFERENCES topup (id) DEFERRABLE INITIALLY DEFERRED,
    proposer  TEXT    NOT NULL,
    amount    BIGINT NOT NULL CHECK (amount > 0),
    reference TEXT    NOT NULL,
    reason    TEXT    NOT NULL,
    at        BIGINT NOT NULL
);
