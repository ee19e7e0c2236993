-- Codes that were issued for a draft go with it, and for no other election: a void one is kept as the trace of the one before.
CREATE FUNCTION refuse_to_forget_codes() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    election elections;
BEGIN
    IF NOT is_owner_of(TG_RELID) THEN
        FOR election IN SELECT * FROM elections e WHERE e.election_id IN (SELECT g.election_id FROM gone g) FOR SHARE LOOP
            IF election.status <> 'draft' THEN
                RAISE EXCEPTION 'the codes of the election % stay', election.election_id USING ERRCODE = 'check_violation';
            END IF;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER of_a_draft AFTER DELETE ON voting_codes
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_forget_codes();

GRANT DELETE ON voting_codes TO livetally_organise;
