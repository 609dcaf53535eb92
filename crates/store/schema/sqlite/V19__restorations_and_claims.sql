-- When this database was brought back from a backup. Up to after_order and after_row ids may have been
-- given out in the time that was lost: they are never given out again.
CREATE TABLE restoration (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    after_order INTEGER NOT NULL,
    after_row   INTEGER NOT NULL
) STRICT;

-- Until when one node of several works on a row, by the clock of the database.
ALTER TABLE activation ADD COLUMN claimed_until INTEGER;
ALTER TABLE smm_order ADD COLUMN claimed_until INTEGER;
ALTER TABLE smm_request ADD COLUMN claimed_until INTEGER;
ALTER TABLE orphan ADD COLUMN claimed_until INTEGER;
ALTER TABLE topup ADD COLUMN claimed_until INTEGER;
ALTER TABLE topup_event ADD COLUMN claimed_until INTEGER;
ALTER TABLE mail ADD COLUMN claimed_until INTEGER;

-- When any node last did what one node at a time does now and then.
CREATE TABLE turn (
    name TEXT    NOT NULL PRIMARY KEY,
    at   INTEGER NOT NULL
) STRICT;
