-- Until when one node of several tells a processor of a refund, by the clock of the database.
ALTER TABLE topup_refund ADD COLUMN claimed_until BIGINT;
