-- Fees that processors kept and payouts to our bank, by their own lists: a part of a line each, booked once.
-- amount: what left the clearing account; moved_at: when, by the processor; at: when it was booked.
CREATE TABLE processor_movement (
    id        BIGINT PRIMARY KEY,
    processor TEXT    NOT NULL,
    reference TEXT    NOT NULL,
    kind      TEXT    NOT NULL CHECK (kind IN ('fee', 'payout')),
    amount    BIGINT NOT NULL CHECK (amount <> 0),
    word      TEXT    NOT NULL,
    moved_at  BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    UNIQUE (processor, reference, kind)
);
CREATE INDEX processor_movement_moved ON processor_movement (processor, moved_at);
CREATE INDEX processor_movement_kind ON processor_movement (kind, moved_at);

-- Fees and payouts of a compared day, as they are booked.
ALTER TABLE topup_reconciliation ADD COLUMN fees BIGINT NOT NULL DEFAULT 0;
ALTER TABLE topup_reconciliation ADD COLUMN paid_out BIGINT NOT NULL DEFAULT 0;

CREATE TRIGGER processor_movement_append_only BEFORE UPDATE OR DELETE ON processor_movement
    FOR EACH ROW EXECUTE FUNCTION append_only();
CREATE TRIGGER processor_movement_kept BEFORE TRUNCATE ON processor_movement
    FOR EACH STATEMENT EXECUTE FUNCTION append_only();
