-- Real elections: what is decided about one when it is made, its roll, codes and receipts for its voters, and who may do what.

ALTER TABLE elections
    ADD COLUMN visible text NOT NULL DEFAULT 'live' CHECK (visible IN ('live', 'turnout', 'officials')), -- until it is closed, or published
    ADD COLUMN detail text NOT NULL DEFAULT 'full' CHECK (detail IN ('full', 'group')), -- what a vote's message tells of the voter
    ADD COLUMN roll text NOT NULL DEFAULT 'all' CHECK (roll IN ('all', 'states', 'list')), -- who may vote
    ADD COLUMN roll_states text[] NOT NULL DEFAULT '{}',
    ADD COLUMN opens_planned timestamptz, -- what `open` is to do; only `opens_at` and `closes_at` decide about ballots
    ADD COLUMN closes_planned timestamptz,
    ADD COLUMN published_at timestamptz,
    ADD COLUMN certified_at timestamptz,
    ADD CONSTRAINT states_are_named CHECK ((roll = 'states') = (cardinality(roll_states) > 0));

-- Draft, open, closed, certified, in this order, never back. What ballots are judged by stands once there may be some.
CREATE FUNCTION check_election_changes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stages CONSTANT text[] := ARRAY['draft', 'open', 'closed', 'certified'];
BEGIN
    IF array_position(stages, new.status) - array_position(stages, old.status) NOT IN (0, 1) THEN
        RAISE EXCEPTION 'the election % is % and cannot become %', old.election_id, old.status, new.status
            USING ERRCODE = 'check_violation', HINT = 'Draft, open, closed, certified: one after the other, never back.';
    END IF;
    IF (new.election_id, new.kind, new.seed) IS DISTINCT FROM (old.election_id, old.kind, old.seed)
       OR (old.status <> 'draft' AND (new.detail, new.roll, new.roll_states, new.opens_at)
           IS DISTINCT FROM (old.detail, old.roll, old.roll_states, old.opens_at))
       OR (old.status IN ('closed', 'certified') AND new.closes_at IS DISTINCT FROM old.closes_at)
    THEN
        RAISE EXCEPTION 'what ballots in the election % are judged by stands since it was opened', old.election_id
            USING ERRCODE = 'check_violation';
    END IF;
    -- A ballot that has been judged may be judged again, by a rebuild: it opens from now on, and closes later than now, or not at all.
    IF (new.status = 'draft' AND new.opens_at IS NOT NULL)
       OR (old.status = 'draft' AND new.status = 'open' AND (new.opens_at IS NULL OR new.opens_at < now()))
       OR (old.status = 'open' AND new.closes_at IS DISTINCT FROM old.closes_at
           AND (new.closes_at IS NULL OR new.closes_at > old.closes_at OR new.closes_at < now()))
    THEN
        RAISE EXCEPTION 'the hours of the election % cannot become % to %', old.election_id, new.opens_at, new.closes_at
            USING ERRCODE = 'check_violation', HINT = 'A draft has none, it opens now or later, and closing only ever brings its end forward.';
    END IF;
    RETURN new;
END
$$;
CREATE TRIGGER one_way BEFORE UPDATE ON elections FOR EACH ROW EXECUTE FUNCTION check_election_changes();

-- Somebody who came with the roll of one election is not among "everybody registered".
ALTER TABLE voters ADD COLUMN is_general boolean NOT NULL DEFAULT true;

-- The rolls that are lists.
CREATE TABLE roll_entries (
    voter_id varchar(255) COLLATE "C" NOT NULL REFERENCES voters,
    election_id text COLLATE "C" NOT NULL REFERENCES elections,
    listed_at timestamptz NOT NULL,
    PRIMARY KEY (voter_id, election_id)
);
CREATE INDEX roll_entries_of_election ON roll_entries (election_id);

-- How long each list is, kept in the transaction that changes it.
CREATE TABLE roll_sizes (
    election_id text PRIMARY KEY REFERENCES elections,
    voters bigint NOT NULL
);

-- A voter's right to vote in one election, as a code in a letter. The code itself is nowhere: only its keyed hash.
CREATE TABLE voting_codes (
    code_hash bytea PRIMARY KEY,
    election_id text NOT NULL REFERENCES elections,
    voter_id varchar(255) COLLATE "C" NOT NULL REFERENCES voters,
    issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    voided_at timestamptz -- another one has been issued
);
CREATE UNIQUE INDEX one_valid_code ON voting_codes (election_id, voter_id) WHERE voided_at IS NULL;

-- What somebody who cast a ballot through the API was given. Where the ballot lies is known once Kafka has acknowledged it; whom it is for
-- is written down nowhere but in the ballot.
CREATE TABLE receipts (
    receipt text PRIMARY KEY,
    election_id text NOT NULL REFERENCES elections,
    voter_id varchar(255) COLLATE "C" NOT NULL,
    idempotency_key text,
    issued_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ballot_partition integer,
    ballot_offset bigint,
    CHECK ((ballot_partition IS NULL) = (ballot_offset IS NULL)),
    UNIQUE (election_id, voter_id),
    UNIQUE (ballot_partition, ballot_offset)
);

CREATE TABLE users (
    user_name text PRIMARY KEY CHECK (user_name <> ''),
    role text NOT NULL CHECK (role IN ('observer', 'official', 'admin')),
    elections text[], -- the only ones that the role is for; null: all
    password_hash text NOT NULL,
    is_disabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- What somebody shows instead of the password: a session (of a browser) or a token (of a program). Only the hash is kept.
CREATE TABLE credentials (
    credential_hash bytea PRIMARY KEY,
    user_name text NOT NULL REFERENCES users,
    kind text NOT NULL CHECK (kind IN ('session', 'token')),
    label text NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz
);
CREATE INDEX credentials_of_user ON credentials (user_name);

-- Every administrative act. Only ever added to.
CREATE TABLE acts (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    who text NOT NULL,
    what text NOT NULL,
    subject text NOT NULL DEFAULT '',
    election_id text,
    detail jsonb NOT NULL DEFAULT '{}',
    came_from text NOT NULL -- an address, or "command line"
);
CREATE FUNCTION refuse_to_change_acts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: what was done stays written down', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON acts FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_acts();
ALTER TABLE acts ENABLE ALWAYS TRIGGER only_added_to;

GRANT SELECT ON ALL TABLES IN SCHEMA public TO livetally_app;
GRANT INSERT, UPDATE, DELETE ON roll_entries, roll_sizes, voting_codes, receipts, users, credentials TO livetally_app;
GRANT INSERT ON acts TO livetally_app;
