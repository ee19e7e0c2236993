-- What a recount no longer has is taken back; votes by group also where there are none; the pace by state.

-- retired: a recount is shown in its place, and what this one has announced beyond that is still to be taken back.
ALTER TABLE tally_generations DROP CONSTRAINT tally_generations_state_check;
ALTER TABLE tally_generations ADD CONSTRAINT tally_generations_state_check CHECK (state IN ('counting', 'shown', 'retired'));

-- Those of all candidates are asked for by everybody, among those of thousands of groups.
CREATE INDEX totals_of_candidates ON group_totals (election_id) WHERE view = 'candidate';

-- Every candidate in every group that people are registered in, also where nobody has voted for them yet.
CREATE VIEW group_votes AS
SELECT election_id, view, group_1, group_2, candidate_id, coalesce(t.votes, 0) AS votes
FROM (
    SELECT r.election_id, r.view, r.group_1, r.group_2, k.candidate_id::text FROM registered_groups r JOIN candidates k USING (election_id)
) AS g
FULL JOIN (SELECT * FROM shown_totals WHERE candidate_id <> '' AND view IN ('state', 'region', 'gender', 'age')) AS t
    USING (election_id, view, group_1, group_2, candidate_id);

CREATE OR REPLACE VIEW votes_by_state AS
SELECT election_id, group_1 AS state, candidate_id, votes FROM group_votes WHERE view = 'state';
CREATE OR REPLACE VIEW votes_by_city AS
SELECT election_id, group_2 AS state, group_1 AS city, candidate_id, votes FROM group_votes WHERE view = 'region';
CREATE OR REPLACE VIEW votes_by_gender AS
SELECT election_id, group_1 AS gender, candidate_id, votes FROM group_votes WHERE view = 'gender';
CREATE OR REPLACE VIEW votes_by_age AS
SELECT election_id, group_1 AS age_group, candidate_id, votes FROM group_votes WHERE view = 'age';

CREATE VIEW votes_per_minute_by_state AS
SELECT h.election_id, h.state, h.from_time, h.span_minutes, h.candidate_id, h.votes, h.late
FROM history h JOIN tally_generations g USING (generation)
WHERE g.state = 'shown' AND h.state <> '';

GRANT SELECT ON group_votes, votes_per_minute_by_state TO livetally_show, livetally_api, livetally_organise, livetally_look;
