-- A legal hold stands by itself: several may be open on one subject, each with its reason. case_id: the report
-- whose evidence it keeps, and with whose close it ends; empty where an operator placed it. Of earlier holds
-- those of closed reports stay, as the operator's: nobody can tell who else relies on them.
ALTER TABLE legal_hold ADD COLUMN case_id INTEGER;
DROP INDEX legal_hold_now;
CREATE INDEX legal_hold_open ON legal_hold (kind, subject) WHERE released_at IS NULL;
CREATE INDEX legal_hold_case ON legal_hold (case_id) WHERE released_at IS NULL;
UPDATE legal_hold SET case_id = (SELECT c.id FROM abuse_case c
    WHERE c.closed_at IS NULL AND legal_hold.why = 'evidence of report ' || c.receipt)
WHERE released_at IS NULL;
-- Numbered below zero, where no series comes; not where an operator has ended it on purpose.
INSERT INTO legal_hold (id, kind, subject, why, held_at, case_id)
SELECT -c.id, 'order', c.order_id, 'evidence of report ' || c.receipt, c.opened_at, c.id FROM abuse_case c
WHERE c.closed_at IS NULL AND c.order_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.why = 'evidence of report ' || c.receipt);

-- What is kept for a while, by its age.
CREATE INDEX attempt_raw ON attempt (ended_at) WHERE raw IS NOT NULL;
CREATE INDEX mail_over ON mail (created_at) WHERE due_at IS NULL;
CREATE INDEX abuse_case_contact ON abuse_case (closed_at) WHERE contact <> '';
