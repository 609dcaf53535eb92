-- When an upstream was seen to have a code although it had confirmed the client's cancel.
ALTER TABLE activation ADD COLUMN late_code_at BIGINT;
-- SHA-256 of what a purchase call asked for, without keys and without our own reference.
ALTER TABLE attempt ADD COLUMN request_digest BYTEA CHECK (length(request_digest) = 32);
