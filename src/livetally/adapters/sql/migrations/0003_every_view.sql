-- Every view as a table, the past by the minute, who is registered in each group, and alerts.

-- How many people were born on each day, kept by *register* in the transaction that stores them: their ages follow from the election's day.
CREATE TABLE electorate_births (
    date_of_birth text PRIMARY KEY,
    voters bigint NOT NULL
) WITH (fillfactor = 50); -- its rows change all the time while people are registered
INSERT INTO electorate_births SELECT date_of_birth, count(*) FROM voters GROUP BY date_of_birth;

-- People registered in each group of an election, as *tally* has last worked them out.
CREATE TABLE registered_groups (
    election_id text NOT NULL,
    view text NOT NULL,
    group_1 text NOT NULL,
    group_2 text NOT NULL,
    voters bigint NOT NULL,
    PRIMARY KEY (election_id, view, group_1, group_2)
);

-- The largest time of voting that a generation has seen; what ended a minute before it is closed.
ALTER TABLE tally_generations ADD COLUMN reached timestamptz;

-- A batch changes most cells: half of each page is left free, so that a row's next version finds room beside it and the index stays as it is.
-- What tells rows apart comes first in a key: generation and election are the same for all of them, and would be compared in vain.
ALTER TABLE cells SET (fillfactor = 50);
ALTER TABLE cells DROP CONSTRAINT cells_pkey;
ALTER TABLE cells ADD PRIMARY KEY (city, candidate_id, age_group, gender, state, election_id, generation);

-- The votes of each group: sums of cells, kept as the cells are. `candidate_id` is empty where all candidates are meant.
CREATE TABLE group_totals (
    generation integer NOT NULL REFERENCES tally_generations ON DELETE CASCADE,
    election_id text NOT NULL,
    view text NOT NULL,
    group_1 text NOT NULL,
    group_2 text NOT NULL, -- the state of a city; otherwise empty
    candidate_id text NOT NULL,
    votes bigint NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (group_1, candidate_id, view, group_2, election_id, generation)
) WITH (fillfactor = 50);

-- The votes of each minute by their time of voting, later of each hour. `state` is empty where all states are meant.
-- `votes` came while their minute was open, `late` did not: both are votes, and the pace knows only the first.
CREATE TABLE history (
    generation integer NOT NULL, -- of `tally_generations`; looking that up for every new row would cost as much as adding it
    election_id text NOT NULL,
    state text NOT NULL,
    from_time timestamptz NOT NULL,
    candidate_id text NOT NULL,
    span_minutes integer NOT NULL,
    votes bigint NOT NULL,
    late bigint NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (from_time, state, candidate_id, election_id, generation)
) WITH (fillfactor = 70); -- only the last minutes change
CREATE INDEX rejections_by_time ON rejections USING brin (appended_at);

-- What the rules have found. An alert is raised once, updated while it lasts, and cleared.
CREATE TABLE alerts (
    election_id text NOT NULL,
    rule text NOT NULL,
    subject text NOT NULL,
    from_time timestamptz NOT NULL,
    to_time timestamptz NOT NULL, -- the end of the last minute that was conspicuous
    state text NOT NULL CHECK (state IN ('raised', 'cleared')),
    severity text NOT NULL,
    place text NOT NULL,
    candidate_id text NOT NULL, -- empty where it is not about one
    seen double precision NOT NULL,
    expected double precision NOT NULL,
    base double precision NOT NULL, -- what it is measured against while it lasts
    evidence text NOT NULL,
    generation integer NOT NULL,
    batch bigint NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (election_id, rule, subject, from_time)
);

-- Up to which minute the rules have looked; a recount does not look at the same minutes again.
CREATE TABLE judged (
    election_id text PRIMARY KEY,
    up_to timestamptz NOT NULL
);

-- The views, for whoever asks in SQL: those of the count that is shown. Groups in which nobody has voted yet are there too.
CREATE VIEW shown_totals AS
SELECT t.election_id, t.view, t.group_1, t.group_2, t.candidate_id, t.votes
FROM group_totals t JOIN tally_generations g USING (generation)
WHERE g.state = 'shown';

CREATE VIEW group_turnout AS
SELECT election_id, view, group_1, group_2, coalesce(t.votes, 0) AS votes, r.voters AS registered,
       round(coalesce(t.votes, 0) / nullif(r.voters, 0)::numeric, 6) AS turnout
FROM registered_groups r
FULL JOIN (SELECT * FROM shown_totals WHERE candidate_id = '' AND view IN ('state', 'region', 'gender', 'age')) AS t
    USING (election_id, view, group_1, group_2);

CREATE VIEW votes_per_candidate AS
SELECT election_id, candidate_id, coalesce(k.candidate_name, 'unknown') AS candidate_name,
       coalesce(nullif(k.party_affiliation, ''), 'unknown') AS party_affiliation, coalesce(t.votes, 0) AS total_votes
FROM candidates k
FULL JOIN (SELECT election_id, group_1 AS candidate_id, votes FROM shown_totals WHERE view = 'candidate') AS t USING (election_id, candidate_id);

CREATE VIEW votes_per_party AS
SELECT election_id, party_affiliation, sum(total_votes)::bigint AS total_votes
FROM votes_per_candidate GROUP BY 1, 2;

CREATE VIEW turnout_by_state AS
SELECT election_id, group_1 AS state, votes, registered, turnout FROM group_turnout WHERE view = 'state';
CREATE VIEW turnout_by_city AS
SELECT election_id, group_2 AS state, group_1 AS city, votes, registered, turnout FROM group_turnout WHERE view = 'region';
CREATE VIEW turnout_by_gender AS
SELECT election_id, group_1 AS gender, votes, registered, turnout FROM group_turnout WHERE view = 'gender';
CREATE VIEW turnout_by_age AS
SELECT election_id, group_1 AS age_group, votes, registered, turnout FROM group_turnout WHERE view = 'age';

CREATE VIEW votes_by_state AS
SELECT election_id, group_1 AS state, candidate_id, votes FROM shown_totals WHERE view = 'state' AND candidate_id <> '';
CREATE VIEW votes_by_city AS
SELECT election_id, group_2 AS state, group_1 AS city, candidate_id, votes FROM shown_totals WHERE view = 'region' AND candidate_id <> '';
CREATE VIEW votes_by_gender AS
SELECT election_id, group_1 AS gender, candidate_id, votes FROM shown_totals WHERE view = 'gender' AND candidate_id <> '';
CREATE VIEW votes_by_age AS
SELECT election_id, group_1 AS age_group, candidate_id, votes FROM shown_totals WHERE view = 'age' AND candidate_id <> '';

CREATE VIEW votes_per_minute AS
SELECT h.election_id, h.from_time, h.span_minutes, h.candidate_id, h.votes, h.late
FROM history h JOIN tally_generations g USING (generation)
WHERE g.state = 'shown' AND h.state = '';

GRANT SELECT ON ALL TABLES IN SCHEMA public TO livetally_app;
GRANT INSERT, UPDATE, DELETE ON electorate_births, registered_groups, group_totals, history, alerts, judged TO livetally_app;
