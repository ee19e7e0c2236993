-- A browser's session ends when nobody uses it, too.

ALTER TABLE credentials
    ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- what a person calls it by, who must not see the credential itself
    ADD COLUMN idle_until timestamptz, -- null: it may rest as long as it likes
    ADD CONSTRAINT sessions_do_not_rest CHECK ((kind = 'session') = (idle_until IS NOT NULL));
