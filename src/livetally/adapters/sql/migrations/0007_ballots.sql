-- Ballots over HTTP: who is at work on a receipt, and which key the codes were made with.

ALTER TABLE receipts
    ADD COLUMN claimed_until timestamptz, -- somebody is casting this ballot; afterwards whoever asks may
    ADD COLUMN cast_again boolean NOT NULL DEFAULT false; -- what became of the first try is unknown: it may be the one that counts

-- The key lies in a file. This says which one, so that a file that was lost or exchanged is noticed and not every code called unknown.
CREATE TABLE codes_key (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    fingerprint bytea NOT NULL
);

CREATE INDEX codes_of_election ON voting_codes (election_id, voter_id);
