-- What customers show of bank transfers. content: the file, sealed; ended_at: when its top-up was decided on,
-- from which its retention counts.
CREATE TABLE topup_proof (
    topup_id   INTEGER PRIMARY KEY REFERENCES topup (id),
    account_id INTEGER NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('png', 'jpg', 'pdf')),
    size       INTEGER NOT NULL CHECK (size > 0),
    content    BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    ended_at   INTEGER
) STRICT;
CREATE INDEX topup_proof_account ON topup_proof (account_id);
CREATE INDEX topup_proof_ended ON topup_proof (ended_at) WHERE ended_at IS NOT NULL;

-- What an account began in a day is summed up whenever it begins one more.
CREATE INDEX topup_begun ON topup (account_id, created_at);
