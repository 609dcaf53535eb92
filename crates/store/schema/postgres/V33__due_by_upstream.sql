-- Each upstream's due rows are claimed by themselves: one with many keeps no other's waiting.
DROP INDEX activation_due;
CREATE INDEX activation_due ON activation (upstream, due_at) WHERE due_at IS NOT NULL;
DROP INDEX orphan_due;
CREATE INDEX orphan_due ON orphan (upstream, due_at) WHERE due_at IS NOT NULL;

-- Those that may receive more stay found by themselves, not among all that are due some time: the
-- state makes this index the narrower one.
DROP INDEX activation_watched;
CREATE INDEX activation_watched ON activation (upstream, state)
    WHERE state = 'received' AND due_at IS NOT NULL;
