-- When this database was brought back from a backup. Up to after_order and after_row ids may have been
-- given out in the time that was lost: they are never given out again.
CREATE TABLE restoration (
    id          BIGINT PRIMARY KEY,
    at          BIGINT NOT NULL,
    after_order BIGINT NOT NULL,
    after_row   BIGINT NOT NULL
);

-- Until when one node of several works on a row, by the clock of the database.
ALTER TABLE activation ADD COLUMN claimed_until BIGINT;
ALTER TABLE smm_order ADD COLUMN claimed_until BIGINT;
ALTER TABLE smm_request ADD COLUMN claimed_until BIGINT;
ALTER TABLE orphan ADD COLUMN claimed_until BIGINT;
ALTER TABLE topup ADD COLUMN claimed_until BIGINT;
ALTER TABLE topup_event ADD COLUMN claimed_until BIGINT;
ALTER TABLE mail ADD COLUMN claimed_until BIGINT;

-- When any node last did what one node at a time does now and then.
CREATE TABLE turn (
    name TEXT    NOT NULL PRIMARY KEY,
    at   BIGINT NOT NULL
);
