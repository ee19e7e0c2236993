-- What decides about ballots is decided in a draft: the same for adding and deleting as for changing. And a draft can be deleted.

-- The tables' owner is let through wherever the program's own roles are not: so a dump can be restored, and elections brought over.
CREATE FUNCTION is_owner_of(relation oid) RETURNS boolean LANGUAGE sql STABLE
RETURN (SELECT pg_has_role(current_user, c.relowner, 'MEMBER') FROM pg_catalog.pg_class c WHERE c.oid = relation);

-- A real election begins as a draft. A simulated one may be made open, in the transaction that lists its candidates: from now on, as far as
-- the clocks of two machines agree.
CREATE FUNCTION refuse_to_begin_later() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (new.status = 'draft' AND new.opens_at IS NULL AND new.closes_at IS NULL OR new.status = 'open' AND new.kind = 'simulated'
            AND new.opens_at > now() - interval '10 minutes' AND (new.closes_at IS NULL OR new.closes_at > now()))
       AND new.published_at IS NULL AND new.certified_at IS NULL
       OR is_owner_of(TG_RELID)
    THEN
        RETURN new;
    END IF;
    RAISE EXCEPTION 'the election % cannot begin as %', new.election_id, new.status
        USING ERRCODE = 'check_violation', HINT = 'It begins as a draft, without hours. Draft, open, closed, certified: one after the other.';
END
$$;
CREATE TRIGGER begins_as_draft BEFORE INSERT ON elections FOR EACH ROW EXECUTE FUNCTION refuse_to_begin_later();

CREATE FUNCTION refuse_to_delete_but_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF old.status = 'draft' OR is_owner_of(TG_RELID) THEN
        RETURN old;
    END IF;
    RAISE EXCEPTION 'the election % is % and cannot be deleted', old.election_id, old.status
        USING ERRCODE = 'check_violation', HINT = 'Only a draft can be deleted.';
END
$$;
CREATE TRIGGER only_drafts BEFORE DELETE ON elections FOR EACH ROW EXECUTE FUNCTION refuse_to_delete_but_drafts();

-- As before, and: who sees the result when stands from the opening on too; it is published once, when it is over; and certified by certifying.
CREATE OR REPLACE FUNCTION check_election_changes() RETURNS trigger LANGUAGE plpgsql AS $$
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
    IF (old.status <> 'draft' AND new.visible <> old.visible)
       OR (new.published_at IS DISTINCT FROM old.published_at
           AND (old.published_at IS NOT NULL OR new.status = 'draft' OR new.closes_at IS NULL OR new.closes_at > clock_timestamp()))
       OR (new.certified_at IS DISTINCT FROM old.certified_at AND (old.status, new.status) <> ('closed', 'certified'))
    THEN
        RAISE EXCEPTION 'when the result of the election % is shown, and what was said of it, stands', old.election_id
            USING ERRCODE = 'check_violation',
                  HINT = 'Who sees it is decided in the draft; it is published once, when the election is over, and never taken back.';
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

-- Who stands is decided in a draft; a simulated election that has nobody may be given somebody while it is open. FOR SHARE: it stays one
-- until the change is done.
CREATE FUNCTION refuse_candidates_but_of_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    election elections;
BEGIN
    IF NOT is_owner_of(TG_RELID) THEN
        FOR election IN
            SELECT * FROM elections e
            WHERE (TG_OP <> 'INSERT' AND e.election_id = old.election_id) OR (TG_OP <> 'DELETE' AND e.election_id = new.election_id)
            FOR SHARE
        LOOP
            IF election.status <> 'draft' AND NOT (TG_OP = 'INSERT' AND election.kind = 'simulated' AND election.status = 'open') THEN
                RAISE EXCEPTION 'the candidates of the election % stand since it was opened', election.election_id
                    USING ERRCODE = 'check_violation';
            END IF;
        END LOOP;
    END IF;
    RETURN coalesce(new, old);
END
$$;
CREATE TRIGGER of_a_draft BEFORE INSERT OR UPDATE OR DELETE ON candidates
    FOR EACH ROW EXECUTE FUNCTION refuse_candidates_but_of_drafts();

-- Lists likewise, as a whole: they come by the hundred thousand.
CREATE FUNCTION refuse_entries_but_of_drafts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    election elections;
BEGIN
    IF NOT is_owner_of(TG_RELID) THEN
        FOR election IN SELECT * FROM elections e WHERE e.election_id IN (SELECT c.election_id FROM changed c) FOR SHARE LOOP
            IF election.status <> 'draft' THEN
                RAISE EXCEPTION 'the roll of the election % stands since it was opened', election.election_id
                    USING ERRCODE = 'check_violation';
            END IF;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER of_a_draft AFTER INSERT ON roll_entries
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_entries_but_of_drafts();
CREATE TRIGGER taken_from_a_draft AFTER DELETE ON roll_entries
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION refuse_entries_but_of_drafts();

-- Who came with the list of a draft goes with it, and nobody else ever does.
CREATE FUNCTION refuse_to_forget_voters() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_owner_of(TG_RELID)
       AND EXISTS (
           SELECT FROM gone g
           WHERE g.is_general
               OR EXISTS (SELECT FROM roll_entries r WHERE r.voter_id = g.voter_id)
               OR EXISTS (SELECT FROM votes v WHERE v.voter_id = g.voter_id)
       )
    THEN
        RAISE EXCEPTION 'who is on a roll or has voted stays registered' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER of_no_roll AFTER DELETE ON voters
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget_voters();

-- What belongs to a draft goes with it. Receipts keep theirs: where there is one, somebody may have voted.
ALTER TABLE candidates DROP CONSTRAINT candidates_election_id_fkey,
    ADD CONSTRAINT candidates_election_id_fkey FOREIGN KEY (election_id) REFERENCES elections ON DELETE CASCADE;
ALTER TABLE roll_sizes DROP CONSTRAINT roll_sizes_election_id_fkey,
    ADD CONSTRAINT roll_sizes_election_id_fkey FOREIGN KEY (election_id) REFERENCES elections ON DELETE CASCADE;
ALTER TABLE voting_codes DROP CONSTRAINT voting_codes_election_id_fkey,
    ADD CONSTRAINT voting_codes_election_id_fkey FOREIGN KEY (election_id) REFERENCES elections ON DELETE CASCADE;
CREATE INDEX codes_of_voter ON voting_codes (voter_id); -- of whoever is deleted, and asked about

GRANT DELETE ON elections, roll_entries, voters TO livetally_organise;
-- A ballot that was rejected and has been cast again may count from another place than its receipt names.
GRANT UPDATE (cast_again) ON receipts TO livetally_organise;
