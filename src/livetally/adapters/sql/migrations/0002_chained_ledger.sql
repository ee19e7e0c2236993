-- The ledger is chained, and written once: rows are added, never changed, and what was added last vouches for all before it.

-- Ids are compared byte by byte, whatever language the database speaks; and an index on the voter first compares one field, not two.
ALTER TABLE voters ALTER COLUMN voter_id TYPE varchar(255) COLLATE "C";
ALTER TABLE votes DROP CONSTRAINT votes_pkey;
ALTER TABLE votes
    ALTER COLUMN voter_id TYPE varchar(255) COLLATE "C",
    ALTER COLUMN election_id TYPE text COLLATE "C",
    ADD PRIMARY KEY (voter_id, election_id);

-- One chain for each partition of the ballots. A link stands for the ballots that one transaction decided there.
CREATE TABLE chain (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- of two links that decided ballots of one voter, the first has the lower
    ballot_partition integer NOT NULL,
    first_offset bigint NOT NULL,
    next_offset bigint NOT NULL,
    accepted bigint NOT NULL,
    rejected bigint NOT NULL,
    head_before bytea NOT NULL,
    head bytea NOT NULL,
    linked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (ballot_partition, next_offset),
    CHECK (first_offset < next_offset)
);

ALTER TABLE recorded ADD COLUMN head bytea; -- the chain's newest; every row gets one below, and every new one brings its own

-- What was decided before there was a chain gets one link for each partition, as `core/chain.py` would have made it.
DO $$
DECLARE
    part recorded;
    entry record;
    beginning bytea;
    head bytea;
BEGIN
    FOR part IN SELECT * FROM recorded WHERE next_offset > 0 ORDER BY ballot_partition LOOP
        beginning := sha256(convert_to('livetally', 'UTF8') || '\x00' || convert_to(part.ballot_partition::text, 'UTF8'));
        head := beginning;
        FOR entry IN
            SELECT ballot_offset, true AS is_vote, voting_time AT TIME ZONE 'UTC' AS appended_at, election_id, voter_id, candidate_id,
                   NULL AS reason, NULL AS detail
            FROM votes WHERE ballot_partition = part.ballot_partition
            UNION ALL
            SELECT ballot_offset, false, appended_at, election_id, voter_id, NULL, reason, detail
            FROM rejections WHERE ballot_partition = part.ballot_partition
            ORDER BY ballot_offset
        LOOP
            head := sha256(head || convert_to(entry.ballot_offset::text, 'UTF8') || '\x00'
                || CASE WHEN entry.is_vote THEN convert_to('vote', 'UTF8') ELSE convert_to('rejected', 'UTF8') END || '\x00'
                || convert_to((extract(epoch FROM entry.appended_at) * 1000)::bigint::text, 'UTF8') || '\x00'
                || CASE WHEN entry.is_vote
                        THEN convert_to(entry.election_id, 'UTF8') || '\x00' || convert_to(entry.voter_id, 'UTF8') || '\x00'
                             || convert_to(entry.candidate_id, 'UTF8')
                        ELSE convert_to(entry.reason, 'UTF8') || '\x00' || convert_to(entry.detail, 'UTF8') || '\x00'
                             || convert_to(coalesce(entry.election_id, ''), 'UTF8') || '\x00' || convert_to(coalesce(entry.voter_id, ''), 'UTF8')
                   END);
        END LOOP;
        INSERT INTO chain (ballot_partition, first_offset, next_offset, accepted, rejected, head_before, head)
        VALUES (part.ballot_partition, 0, part.next_offset, part.accepted, part.rejected, beginning, head);
        UPDATE recorded SET head = chain.head FROM chain
        WHERE recorded.ballot_partition = part.ballot_partition AND chain.ballot_partition = part.ballot_partition;
    END LOOP;
    DELETE FROM recorded WHERE next_offset = 0;
END
$$;

ALTER TABLE recorded ALTER COLUMN head SET NOT NULL;

-- The ledger's rows stand. Whoever must change one (a rebuild, with the owner's rights) removes the trigger first, and the chain tells.
CREATE FUNCTION refuse_to_change_the_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: the ledger is only ever added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege', HINT = '`livetally rebuild ledger` makes it again from the ballots.';
END
$$;
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON votes
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger();
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON rejections
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger();
CREATE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_change_the_ledger();
-- Also for sessions that ask for replication's exemption from triggers.
ALTER TABLE votes ENABLE ALWAYS TRIGGER only_added_to;
ALTER TABLE rejections ENABLE ALWAYS TRIGGER only_added_to;
ALTER TABLE chain ENABLE ALWAYS TRIGGER only_added_to;

-- All stages work under this role: the ledger they may read and add to, and nothing else.
DO $$
BEGIN
    IF to_regrole('livetally_app') IS NULL THEN
        BEGIN
            CREATE ROLE livetally_app NOLOGIN;
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'the role livetally_app is missing, and % may not create it', current_user
                    USING HINT = format('Let an administrator run: CREATE ROLE livetally_app NOLOGIN; GRANT livetally_app TO %I;', current_user);
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- another database of this server was quicker: roles are shared
        END;
    END IF;
    IF NOT pg_has_role(current_user, 'livetally_app', 'SET') THEN
        EXECUTE format('GRANT livetally_app TO %I', current_user);
    END IF;
END
$$;
GRANT USAGE ON SCHEMA public TO livetally_app;
GRANT SELECT ON ALL TABLES IN SCHEMA public TO livetally_app;
GRANT INSERT ON votes, rejections, chain TO livetally_app;
GRANT INSERT, UPDATE ON recorded, ledger_source TO livetally_app;
GRANT INSERT, UPDATE, DELETE ON elections, candidates, voters, electorate, registrations,
    rebuilding, tally_generations, tally_positions, cells TO livetally_app;
