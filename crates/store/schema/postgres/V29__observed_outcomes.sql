-- What a panel's word means, beside the word: what money rests on it can be derived from the row alone. Nothing for
-- words that are not known, and for rows of before.
ALTER TABLE observation ADD COLUMN progress TEXT;
-- Number of the observation that an adjustment rests on: nothing where a person decided, 0 in rows of before.
ALTER TABLE adjustment ADD COLUMN observation BIGINT DEFAULT 0;
-- Panels are looked after one by one.
CREATE INDEX smm_order_due_at_panel ON smm_order (upstream, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX smm_request_due_at_panel ON smm_request (upstream, due_at) WHERE due_at IS NOT NULL;
