-- Each stage works under a role of its own, with what its statements need and nothing else. docs/rights.md has the same as a table.

-- Roles belong to the server, so another database of it may have made them, or an administrator, for a user who may not.
DO $$
DECLARE
    stages CONSTANT text[] := ARRAY['livetally_register', 'livetally_cast', 'livetally_record', 'livetally_tally', 'livetally_show',
                                    'livetally_api', 'livetally_organise', 'livetally_look'];
    stage text;
    missing text[];
    ours text[];
BEGIN
    FOREACH stage IN ARRAY stages LOOP
        IF to_regrole(stage) IS NULL THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN', stage);
            EXCEPTION
                WHEN insufficient_privilege THEN
                    missing := missing || stage;
                WHEN duplicate_object OR unique_violation THEN
                    NULL; -- another database of this server was quicker
            END;
        END IF;
        IF to_regrole(stage) IS NOT NULL AND NOT pg_has_role(current_user, stage, 'SET') THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', stage, current_user);
            EXCEPTION
                WHEN insufficient_privilege THEN
                    ours := ours || stage;
            END;
        END IF;
    END LOOP;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'the roles % are missing, and % may not create them', array_to_string(missing, ', '), current_user
            USING HINT = 'Let an administrator run: '
                || (SELECT string_agg(format('CREATE ROLE %I NOLOGIN;', name), ' ' ORDER BY place) FROM unnest(missing) WITH ORDINALITY AS m (name, place))
                || format(' GRANT %s TO %I;', array_to_string(missing || ours, ', '), current_user);
    ELSIF ours IS NOT NULL THEN
        RAISE EXCEPTION '% may not become the roles %', current_user, array_to_string(ours, ', ')
            USING ERRCODE = 'insufficient_privilege',
                  HINT = format('Let an administrator run: GRANT %s TO %I;', array_to_string(ours, ', '), current_user);
    END IF;
END
$$;

GRANT USAGE ON SCHEMA public TO livetally_register, livetally_cast, livetally_record, livetally_tally, livetally_show,
    livetally_api, livetally_organise, livetally_look;
-- Whoever may connect may see whether the schema is up to date: a user who makes no tables need not ask for it.
GRANT SELECT ON schema_migrations TO PUBLIC;

-- The role that all stages shared keeps what it had before there were passwords and codes.
REVOKE ALL ON roll_entries, roll_sizes, on_roll, roll_lengths, roll_elections, roll_places, roll_births, voting_codes, receipts, users, credentials,
    acts FROM livetally_app;

-- register: people onto the roll, the simulated election and its candidates. It does not read who is on the roll.
GRANT SELECT, INSERT ON elections, candidates TO livetally_register;
GRANT UPDATE (voters_planned) ON elections TO livetally_register;
GRANT INSERT ON voters TO livetally_register;
GRANT SELECT, INSERT, UPDATE ON electorate, electorate_births, registrations TO livetally_register;

-- cast: whom one can vote for; and, to cast rejected ballots again, whether they would count now. Never for whom somebody has voted.
GRANT SELECT ON elections, candidates, on_roll, recorded, rejections, ledger_source TO livetally_cast;
GRANT SELECT (voter_id, election_id) ON votes TO livetally_cast;

-- record: the ledger, which it adds to and never changes.
GRANT SELECT ON elections, candidates, voters, roll_entries TO livetally_record;
GRANT SELECT, INSERT ON votes, rejections, ledger_source TO livetally_record;
GRANT INSERT ON chain TO livetally_record;
GRANT SELECT, INSERT, UPDATE ON recorded TO livetally_record;
GRANT SELECT, INSERT, DELETE ON rebuilding TO livetally_record; -- the mark of a votes topic that is being made again

-- tally: its own numbers, from what is on the topics; how many are registered, without names; where somebody lives whose ballots come again.
GRANT SELECT ON elections, candidates, electorate, roll_sizes, roll_elections, roll_places, roll_births, rebuilding TO livetally_tally;
GRANT SELECT (voter_id, address_state) ON voters TO livetally_tally;
GRANT SELECT (election_id, voter_id, reason, appended_at) ON rejections TO livetally_tally;
GRANT SELECT, INSERT ON ledger_source TO livetally_tally;
GRANT SELECT, INSERT, UPDATE ON tally_positions, cells, group_totals, alerts, judged TO livetally_tally;
GRANT SELECT, INSERT, UPDATE, DELETE ON tally_generations, history TO livetally_tally;
GRANT SELECT, INSERT, DELETE ON registered_groups TO livetally_tally;

-- show: numbers. No person, no code, no password; of the ledger what it takes to count it again.
GRANT SELECT ON elections, candidates, electorate, roll_lengths, recorded, tally_generations, tally_positions, cells, group_totals, history,
    registered_groups, alerts TO livetally_show;
GRANT SELECT (election_id, candidate_id, ballot_partition, ballot_offset) ON votes TO livetally_show;
GRANT SELECT (election_id, reason, ballot_partition, ballot_offset) ON rejections TO livetally_show;

-- api: what it answers from, and what it writes down of those who ask: receipts, sessions, tokens, acts. Who has voted, not for whom.
-- What officials change through it is changed under the rights of those who hold elections.
GRANT SELECT ON elections, candidates, electorate, roll_lengths, rejections, recorded, chain, tally_generations, tally_positions, cells,
    group_totals, history, registered_groups, alerts, voting_codes, users TO livetally_api;
GRANT SELECT (voter_id, voting_time, election_id, ballot_partition, ballot_offset) ON votes TO livetally_api;
GRANT SELECT, INSERT, UPDATE ON receipts, credentials TO livetally_api;
GRANT SELECT, INSERT ON codes_key, acts TO livetally_api;

-- organise: those who hold elections, on the command line or through the API. Candidates of a draft may be listed again.
GRANT SELECT ON elections, candidates, voters, electorate, electorate_births, registrations, on_roll, roll_lengths, roll_entries, roll_sizes,
    rejections, recorded, chain, ledger_source, rebuilding, tally_generations, tally_positions, cells, group_totals, history, registered_groups,
    alerts, voting_codes, receipts, users, credentials, codes_key, acts TO livetally_organise;
GRANT SELECT (voter_id, voting_time, election_id, ballot_partition, ballot_offset) ON votes TO livetally_organise;
GRANT INSERT, UPDATE ON elections, registrations, roll_sizes, voting_codes, users, credentials TO livetally_organise;
GRANT INSERT, DELETE ON candidates TO livetally_organise;
GRANT INSERT ON voters, roll_entries, codes_key, acts TO livetally_organise;

-- look: everything there is, for audit and `sql`, but what opens a door.
GRANT SELECT ON elections, candidates, voters, electorate, electorate_births, registrations, on_roll, roll_lengths, roll_elections, roll_places,
    roll_births, roll_entries, roll_sizes, votes, rejections, recorded, chain, ledger_source, rebuilding, tally_generations, tally_positions,
    cells, group_totals, history, registered_groups, alerts, judged, receipts, codes_key, acts TO livetally_look;
GRANT SELECT (election_id, voter_id, issued_at, voided_at) ON voting_codes TO livetally_look;
GRANT SELECT (user_name, role, elections, is_disabled, created_at) ON users TO livetally_look;
GRANT SELECT (number, user_name, kind, label, created_at, expires_at, idle_until, revoked_at) ON credentials TO livetally_look;

-- The views of totals.
GRANT SELECT ON shown_totals, group_turnout, votes_per_candidate, votes_per_party, turnout_by_state, turnout_by_city, turnout_by_gender,
    turnout_by_age, votes_by_state, votes_by_city, votes_by_gender, votes_by_age, votes_per_minute
    TO livetally_show, livetally_api, livetally_organise, livetally_look;

-- Whom a session stands for, for the page: it brings the hash of what a browser has shown, and can read none.
CREATE FUNCTION person_of_session(hash bytea, moment timestamptz) RETURNS TABLE (user_name text, role text, elections text[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
BEGIN ATOMIC
    SELECT u.user_name, u.role, u.elections
    FROM public.credentials c JOIN public.users u ON u.user_name = c.user_name
    WHERE c.credential_hash = hash AND c.kind = 'session' AND c.revoked_at IS NULL AND c.expires_at > moment AND c.idle_until > moment
        AND NOT u.is_disabled;
END;
REVOKE ALL ON FUNCTION person_of_session FROM PUBLIC;
GRANT EXECUTE ON FUNCTION person_of_session TO livetally_show;
