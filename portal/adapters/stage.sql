-- Crossing's own place in the new platform: stage, outcomes, dead letters and checkpoints of its runs. It lies beside
-- the data so that one transaction covers both. Owned by the loading role; safe to run again.

CREATE TABLE IF NOT EXISTS crossing_stage.run (
    run_id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    entity text NOT NULL,
    spec text NOT NULL,
    source_total bigint NOT NULL CHECK (source_total >= 0),
    last_key text,
    read bigint NOT NULL DEFAULT 0,
    batches integer NOT NULL DEFAULT 0,
    supplemented integer NOT NULL DEFAULT 0,
    loaded boolean NOT NULL DEFAULT false,
    closed boolean NOT NULL DEFAULT false,
    removed bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    opened_at timestamptz NOT NULL,
    CHECK (loaded OR NOT closed)
);

CREATE TABLE IF NOT EXISTS crossing_stage.batch (
    run_id uuid NOT NULL REFERENCES crossing_stage.run ON DELETE CASCADE,
    number integer NOT NULL,
    first_key text NOT NULL,
    last_key text NOT NULL,
    rows bigint NOT NULL,
    changed bigint NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (run_id, number)
);

-- Whether the account had nothing of the entity before; NULL in runs of releases that did not ask. Asked for first:
-- even where there is nothing to do, ALTER TABLE and CREATE INDEX wait for every batch under way, and others for them.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = 'crossing_stage.run'::regclass AND attname = 'fresh' AND NOT attisdropped) THEN
        ALTER TABLE crossing_stage.run ADD COLUMN fresh boolean;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = 'crossing_stage.run'::regclass AND attname = 'removed' AND NOT attisdropped) THEN
        ALTER TABLE crossing_stage.run ADD COLUMN removed bigint NOT NULL DEFAULT 0;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = 'crossing_stage.run'::regclass AND attname = 'held' AND NOT attisdropped) THEN
        ALTER TABLE crossing_stage.run ADD COLUMN held bigint NOT NULL DEFAULT 0;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_attribute
                    WHERE attrelid = 'crossing_stage.run'::regclass AND attname = 'looked' AND NOT attisdropped) THEN
        ALTER TABLE crossing_stage.run ADD COLUMN looked bigint, ADD COLUMN looked_from bigint;
    END IF;
END $$;

-- Where source rows ended that did not simply move; one that did is known by its provenance, so none can end twice.
-- Keys begin with the selective column: a planner without statistics then has one good choice only.
CREATE TABLE IF NOT EXISTS crossing_stage.outcome (
    account_id uuid NOT NULL,
    entity text NOT NULL,
    source_key text COLLATE "C" NOT NULL,
    run_id uuid NOT NULL,
    fate text NOT NULL CHECK (fate IN ('migrated', 'transformed', 'merged', 'dropped', 'quarantined')),
    rule text NOT NULL,
    target_key text COLLATE "C",
    PRIMARY KEY (source_key, account_id, entity),
    CHECK ((target_key IS NOT NULL) = (fate IN ('migrated', 'transformed', 'merged'))),
    CHECK (rule <> '' OR fate = 'migrated')
);

-- A run's key ranges, each with its own checkpoint. Whoever moves a batch of one holds its row: a claim that ends with
-- the connection, however that ends.
CREATE TABLE IF NOT EXISTS crossing_stage.range (
    run_id uuid NOT NULL REFERENCES crossing_stage.run ON DELETE CASCADE,
    number integer NOT NULL,
    last_key text,
    until text,
    loaded boolean NOT NULL DEFAULT false,
    PRIMARY KEY (run_id, number)
);

-- Which rows a run that is not the first has met, until it is closed: what it did not meet has vanished from legacy.
CREATE TABLE IF NOT EXISTS crossing_stage.seen (
    run_id uuid NOT NULL REFERENCES crossing_stage.run ON DELETE CASCADE,
    source_key text COLLATE "C" NOT NULL,
    PRIMARY KEY (source_key, run_id)
);

CREATE TABLE IF NOT EXISTS crossing_stage.total (
    run_id uuid NOT NULL REFERENCES crossing_stage.run ON DELETE CASCADE,
    fate text NOT NULL,
    rule text NOT NULL,
    count bigint NOT NULL CHECK (count >= 0),
    PRIMARY KEY (run_id, fate, rule)
);

CREATE TABLE IF NOT EXISTS crossing_stage.dead_letter (
    account_id uuid NOT NULL,
    entity text NOT NULL,
    source_key text COLLATE "C" NOT NULL,
    run_id uuid NOT NULL,
    batch integer NOT NULL,
    state text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    rule text NOT NULL,
    sqlstate text NOT NULL,
    source_column text NOT NULL,
    spec text NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    payload bytea,
    PRIMARY KEY (source_key, account_id, entity)
);
DO $$ BEGIN
    IF to_regclass('crossing_stage.dead_letter_batch') IS NULL THEN
        CREATE INDEX dead_letter_batch ON crossing_stage.dead_letter (run_id, batch);
    END IF;
END $$;

-- How objects stood before a reconciliation changed them, encrypted, until their time is over; `mark` is how they stood after.
CREATE TABLE IF NOT EXISTS crossing_stage.former (
    reconciliation_id uuid NOT NULL,
    account_id uuid NOT NULL,
    entity text NOT NULL,
    target_key text COLLATE "C" NOT NULL,
    outcome text NOT NULL,
    mark text NOT NULL,
    payload bytea,
    expires_at timestamptz NOT NULL,
    restored_at timestamptz,
    PRIMARY KEY (reconciliation_id, target_key)
);

-- Objects that nothing of legacy asks for any more and that stay all the same: by a rule, or under a legal hold (''). Their
-- provenance moves here with them, as far as they had one.
CREATE TABLE IF NOT EXISTS crossing_stage.held (
    account_id uuid NOT NULL,
    entity text NOT NULL,
    target_key text COLLATE "C" NOT NULL,
    rule text NOT NULL,
    source_key text COLLATE "C",
    spec text,
    migrated_at timestamptz,
    run_id uuid NOT NULL,
    held_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, entity, target_key)
);

-- What runs have written over while a legal hold stood, as it was, encrypted.
CREATE TABLE IF NOT EXISTS crossing_stage.preserved (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL,
    entity text NOT NULL,
    target_key text COLLATE "C" NOT NULL,
    run_id uuid NOT NULL,
    payload bytea NOT NULL,
    at timestamptz NOT NULL
);
DO $$ BEGIN
    IF to_regclass('crossing_stage.preserved_object') IS NULL THEN
        CREATE INDEX preserved_object ON crossing_stage.preserved (account_id, entity, target_key);
    END IF;
END $$;

-- Rows of the new platform that others look up, and that came (`is_new`), changed in what is looked up, or went: each
-- with the number of its latest note, until all who look it up are judged by it.
CREATE TABLE IF NOT EXISTS crossing_stage.touched (
    account_id uuid NOT NULL,
    entity text NOT NULL,
    target_key text COLLATE "C" NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    is_new boolean NOT NULL,
    PRIMARY KEY (target_key, account_id, entity)
);
DO $$ BEGIN
    IF to_regclass('crossing_stage.touched_number') IS NULL THEN
        CREATE INDEX touched_number ON crossing_stage.touched (account_id, entity, number);
    END IF;
END $$;

-- Conservation: a run is closed only when its outcomes add up to its source rows, and stays so.
CREATE OR REPLACE FUNCTION crossing_stage.conserved() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog AS $$
DECLARE
    asked uuid := coalesce(NEW.run_id, OLD.run_id);
    promised bigint;
    counted bigint;
BEGIN
    SELECT source_total INTO promised FROM crossing_stage.run WHERE run_id = asked AND closed;
    IF FOUND THEN
        SELECT coalesce(sum(count), 0) INTO counted FROM crossing_stage.total WHERE run_id = asked;
        IF counted <> promised THEN
            RAISE EXCEPTION 'not conserved: % source rows, % outcomes', promised, counted
                USING ERRCODE = 'check_violation', CONSTRAINT = 'crossing_stage_conserved';
        END IF;
    END IF;
    RETURN NULL;
END $$;

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgname = 'run_conserved') THEN
        CREATE CONSTRAINT TRIGGER run_conserved AFTER INSERT OR UPDATE ON crossing_stage.run
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crossing_stage.conserved();
        CREATE CONSTRAINT TRIGGER total_conserved AFTER INSERT OR UPDATE OR DELETE ON crossing_stage.total
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION crossing_stage.conserved();
    END IF;
END $$;
