-- Elections, candidates and voters; the ledger; the tally's cells.
-- Columns that the reference pipeline has keep its names, types and order; ours stand behind them.

CREATE TABLE elections (
    election_id text PRIMARY KEY CHECK (election_id <> ''),
    name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('simulated', 'real')),
    status text NOT NULL CHECK (status IN ('draft', 'open', 'closed', 'certified')),
    seed bigint NOT NULL,
    opens_at timestamptz,
    closes_at timestamptz,
    voters_planned bigint, -- how many people a simulation asks for
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK (closes_at >= opens_at)
);

CREATE TABLE candidates (
    candidate_id varchar(255) PRIMARY KEY,
    candidate_name varchar(255) NOT NULL,
    party_affiliation varchar(255) NOT NULL,
    biography text NOT NULL,
    campaign_platform text NOT NULL,
    photo_url text NOT NULL,
    election_id text NOT NULL REFERENCES elections,
    listed_at timestamptz NOT NULL
);
CREATE INDEX candidates_of_election ON candidates (election_id);

CREATE TABLE voters (
    voter_id varchar(255) PRIMARY KEY,
    voter_name varchar(255) NOT NULL,
    date_of_birth varchar(255) NOT NULL,
    gender varchar(255) NOT NULL,
    nationality varchar(255) NOT NULL,
    registration_number varchar(255) NOT NULL,
    address_street varchar(255) NOT NULL,
    address_city varchar(255) NOT NULL,
    address_state varchar(255) NOT NULL,
    address_country varchar(255) NOT NULL,
    address_postcode varchar(255) NOT NULL,
    email varchar(255) NOT NULL,
    phone_number varchar(255) NOT NULL,
    cell_number varchar(255) NOT NULL,
    picture text NOT NULL,
    registered_age integer NOT NULL,
    registered_at timestamptz NOT NULL,
    message text NOT NULL -- the announcement, kept ready: a vote's message is spliced from it, not built from 16 columns
);

-- How many people are registered in each group, kept by *register* in the transaction that stores them.
CREATE TABLE electorate (
    state text NOT NULL,
    city text NOT NULL,
    gender text NOT NULL,
    voters bigint NOT NULL,
    PRIMARY KEY (state, city, gender)
);

-- How far each source of people has come: everybody below `stored` is in `voters`, below `announced` on Kafka too.
CREATE TABLE registrations (
    source text NOT NULL,
    seed bigint NOT NULL,
    stored bigint NOT NULL,
    announced bigint NOT NULL,
    PRIMARY KEY (source, seed),
    CHECK (announced <= stored)
);

-- The ledger. A row's ballot stands in it, so that a ballot that comes again gets the same answer.
CREATE TABLE votes (
    voter_id varchar(255) NOT NULL,
    candidate_id varchar(255) NOT NULL,
    voting_time timestamp NOT NULL, -- UTC: when the broker appended the ballot
    vote integer NOT NULL DEFAULT 1 CHECK (vote = 1),
    election_id text NOT NULL,
    ballot_partition integer NOT NULL,
    ballot_offset bigint NOT NULL,
    PRIMARY KEY (election_id, voter_id)
);

CREATE TABLE rejections (
    ballot_partition integer NOT NULL,
    ballot_offset bigint NOT NULL,
    election_id text, -- if the ballot names one that exists
    voter_id text,    -- if the ballot could be read
    reason text NOT NULL,
    detail text NOT NULL,
    appended_at timestamptz NOT NULL,
    PRIMARY KEY (ballot_partition, ballot_offset)
);

-- How far the ledger has come in each partition of the ballots, and what it decided on the way.
CREATE TABLE recorded (
    ballot_partition integer PRIMARY KEY,
    next_offset bigint NOT NULL,
    accepted bigint NOT NULL,
    rejected bigint NOT NULL
);

-- Which ballots filled the ledger; *record* refuses any others.
CREATE TABLE ledger_source (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    ledger_id uuid NOT NULL DEFAULT gen_random_uuid(),
    cluster_id text NOT NULL,
    ballots_topic_id text NOT NULL
);

-- A rebuild that was begun and not finished; nothing may build on the half-made thing until it has been repeated.
CREATE TABLE rebuilding (
    what text PRIMARY KEY,
    since timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- One generation is one count from the beginning. Readers see the one that is shown.
CREATE TABLE tally_generations (
    generation integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fingerprint text NOT NULL,
    state text NOT NULL CHECK (state IN ('counting', 'shown')),
    reason text NOT NULL,
    batch bigint NOT NULL DEFAULT -1,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX one_generation_is_shown ON tally_generations (state) WHERE state = 'shown';

-- Up to which offset of `votes_topic` a generation has counted.
CREATE TABLE tally_positions (
    generation integer NOT NULL REFERENCES tally_generations ON DELETE CASCADE,
    votes_partition integer NOT NULL,
    next_offset bigint NOT NULL,
    PRIMARY KEY (generation, votes_partition)
);

CREATE TABLE cells (
    generation integer NOT NULL REFERENCES tally_generations ON DELETE CASCADE,
    election_id text NOT NULL,
    candidate_id text NOT NULL,
    state text NOT NULL,
    city text NOT NULL,
    gender text NOT NULL,
    age_group text NOT NULL,
    votes bigint NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (generation, election_id, candidate_id, state, city, gender, age_group)
);
