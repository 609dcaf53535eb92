-- Which chain of daily keys the nodes of this database seal codes with: one, noted by the first node.
CREATE TABLE daily_keys (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    chain TEXT NOT NULL
) STRICT;
