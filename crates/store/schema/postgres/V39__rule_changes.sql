-- What staff want loosened of the rules: a class that is denied by default, or a bound of a tier. It takes two.
CREATE TABLE rule_change (
    id         BIGINT PRIMARY KEY,
    subject    TEXT NOT NULL,
    figure     BIGINT,
    reason     TEXT NOT NULL,
    asked_by   BIGINT NOT NULL,
    asked_at   BIGINT NOT NULL,
    state      TEXT NOT NULL,
    decided_by BIGINT CHECK (decided_by <> asked_by OR state <> 'granted'),
    decided_at BIGINT
);
CREATE UNIQUE INDEX rule_change_asked ON rule_change (subject) WHERE state = 'asked';
CREATE INDEX rule_change_granted ON rule_change (id) WHERE state = 'granted';
