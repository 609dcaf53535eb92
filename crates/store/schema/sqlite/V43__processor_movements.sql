-- Fees that processors kept and payouts to our bank, by their own lists: a part of a line each, booked once.
-- amount: what left the clearing account; moved_at: when, by the processor; at: when it was booked.
CREATE TABLE processor_movement (
    id        INTEGER PRIMARY KEY,
    processor TEXT    NOT NULL,
    reference TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('fee', 'payout')),
    amount    INTEGER NOT NULL CHECK (amount <> 0),
    word      TEXT    NOT NULL,
    moved_at  INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    UNIQUE (processor, reference, kind)
) STRICT;
CREATE INDEX processor_movement_moved ON processor_movement (processor, moved_at);
CREATE INDEX processor_movement_kind ON processor_movement (kind, moved_at);

-- Fees and payouts of a compared day, as they are booked.
ALTER TABLE topup_reconciliation ADD COLUMN fees INTEGER NOT NULL DEFAULT 0;
ALTER TABLE topup_reconciliation ADD COLUMN paid_out INTEGER NOT NULL DEFAULT 0;

CREATE TRIGGER processor_movement_no_update BEFORE UPDATE ON processor_movement
BEGIN SELECT RAISE(ABORT, 'processor_movement is append-only'); END;
CREATE TRIGGER processor_movement_no_delete BEFORE DELETE ON processor_movement
BEGIN SELECT RAISE(ABORT, 'processor_movement is append-only'); END;
