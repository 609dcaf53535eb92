-- When everything an upstream listed belonged to an order or an orphan: what it lists beside those later was
-- made since.
ALTER TABLE first_attempt ADD COLUMN list_known_at BIGINT;
