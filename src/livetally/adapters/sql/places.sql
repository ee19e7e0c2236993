-- name: ahead
-- The two best of each place, and who is level with them. A place has some 50,000 voters, an election up to 200 candidates: only these are sent.
SELECT group_1, candidate_id, votes
FROM (
    SELECT group_1, candidate_id, votes, rank() OVER (PARTITION BY group_1 ORDER BY votes DESC) AS place
    FROM shown_totals
    WHERE election_id = %(election_id)s AND view = 'state' AND candidate_id <> '' AND votes > 0
) AS ranked
WHERE place <= 2
ORDER BY group_1, votes DESC, candidate_id;

-- name: in_state
SELECT candidate_id, votes FROM shown_totals
WHERE election_id = %(election_id)s AND view = 'state' AND group_1 = %(state)s AND candidate_id <> '';

-- name: in_city
SELECT candidate_id, votes FROM shown_totals
WHERE election_id = %(election_id)s AND view = 'region' AND group_1 = %(city)s AND group_2 = %(state)s AND candidate_id <> '';

-- name: cities
SELECT r.group_1, r.votes, r.registered FROM group_turnout r
WHERE r.election_id = %(election_id)s AND r.view = 'region' AND r.group_2 = %(state)s;

-- name: registered
SELECT voters FROM registered_groups
WHERE election_id = %(election_id)s AND view = %(view)s AND group_1 = %(group_1)s AND group_2 = %(group_2)s;

-- name: before
-- Votes of each candidate in each place from ballots cast before a moment, as the count by minute of voting has them.
SELECT h.state, h.candidate_id, sum(h.votes + h.late)::bigint
FROM history h JOIN tally_generations g USING (generation)
WHERE g.state = 'shown' AND h.election_id = %(election_id)s AND h.from_time + make_interval(mins => h.span_minutes) <= %(moment)s
GROUP BY h.state, h.candidate_id;
