-- A load belongs to one contract text, one content of its source, one installation and one run; its checks leave verdicts; and
-- nobody but the owner rewrites its row: every step of the loading role is a function below.
ALTER TABLE batchstream.loads
    ADD COLUMN installation text NOT NULL DEFAULT '',
    -- Of whom to ask whether the run still lives: 'scheduler', or 'test' for `airflow dags test`, which no scheduler knows of.
    ADD COLUMN run_kind text NOT NULL DEFAULT 'test',
    ADD COLUMN run_parameters jsonb NOT NULL DEFAULT '{{}}',
    ADD COLUMN contract_path text,
    ADD COLUMN contract_text text,
    ADD COLUMN contract_sha256 text,
    -- Tries of produce_batches that were begun, and the one whose batches count.
    ADD COLUMN attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN attempt integer,
    -- Whether a retry would fail for the same reason.
    ADD COLUMN failed_for_good boolean NOT NULL DEFAULT false,
    ADD COLUMN source_rejected_records bigint NOT NULL DEFAULT 0;

-- What every message of a load is signed with. Apart from the ledger, which people read.
CREATE TABLE batchstream.load_secrets (
    load_id bigint PRIMARY KEY REFERENCES batchstream.loads ON DELETE CASCADE,
    secret bytea NOT NULL
);

-- What each check said of the rows that had landed when it looked. A publish needs all of them.
CREATE TABLE batchstream.verdicts (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    check_name text NOT NULL CHECK (check_name IN ('row_count', 'columns', 'published')),
    passed boolean NOT NULL,
    message text NOT NULL,
    landing_rows bigint NOT NULL,
    measured_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (load_id, check_name)
);

-- A primary key, as a publication FOR ALL TABLES forbids to delete from a table without one; and places of records that never
-- became a message.
ALTER TABLE batchstream.quarantine
    ADD COLUMN quarantine_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ADD COLUMN attempt integer,
    ADD COLUMN source_path text,
    ADD COLUMN line bigint,
    ADD COLUMN column_name text,
    ALTER COLUMN topic DROP NOT NULL,
    ALTER COLUMN partition DROP NOT NULL,
    ALTER COLUMN "offset" DROP NOT NULL,
    ADD CHECK (num_nonnulls(topic, source_path) = 1),
    DROP CONSTRAINT quarantine_load_id_topic_partition_offset_position_key,
    ADD CONSTRAINT quarantine_place
        UNIQUE NULLS NOT DISTINCT (load_id, topic, partition, "offset", position, attempt, source_path, line);

-- Moves a load to another state and notes what its stage says. Returns NULL, or why it can't: 'state', 'superseded' (a newer try
-- of produce_batches has begun), 'source' (this try read another content than the one before), 'verdicts'.
CREATE FUNCTION batchstream.transition(load bigint, new_state text, facts jsonb) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    may_start_from constant jsonb := '{{
        "opened": ["opened"],
        "produced": ["opened", "produced"],
        "landed": ["produced", "landed"],
        "verified": ["landed", "verified"],
        "published": ["verified"],
        "failed": ["opened", "produced", "landed", "verified"]}}';
    may_note constant jsonb := '{{
        "opened": ["topic_id", "start_offsets"],
        "produced": ["attempt", "source_sha256", "source_records", "source_rejected_records", "produced_batches",
                     "produced_records", "acknowledged_offsets"],
        "landed": ["consumed_batches", "consumed_records", "landed_records", "quarantined_records", "messages_of_other_loads"],
        "verified": [],
        "published": ["inserted_rows", "updated_rows", "deleted_rows", "published_rows"],
        "failed": []}}';
    old batchstream.loads;
    new batchstream.loads;
    strange text;
BEGIN
    IF new_state IN ('verified', 'published')
        AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'batchstream.loads'::regclass), 'MEMBER')
    THEN
        RAISE insufficient_privilege USING MESSAGE = format('permission denied: %s may not bring a load to %s', session_user, new_state);
    END IF;
    SELECT name INTO strange FROM jsonb_object_keys(facts) AS name WHERE NOT may_note->new_state ? name LIMIT 1;
    IF strange IS NOT NULL THEN
        RAISE insufficient_privilege USING MESSAGE = format('permission denied: %s is not noted with %s', strange, new_state);
    END IF;
    SELECT * INTO old FROM batchstream.loads WHERE load_id = load FOR NO KEY UPDATE;
    IF NOT FOUND OR NOT may_start_from->new_state ? old.state THEN
        RETURN 'state';
    END IF;
    new := jsonb_populate_record(old, facts);
    IF new_state = 'produced' AND old.state = 'produced' AND old.source_sha256 IS NOT NULL THEN
        -- The first try's batches count, and the consumer may have begun with them.
        IF old.source_sha256 IS DISTINCT FROM new.source_sha256 THEN
            RETURN 'source';
        END IF;
        new := old;
    ELSIF new_state = 'produced' AND facts ? 'attempt' AND new.attempt <> old.attempts THEN
        RETURN 'superseded';
    ELSIF new_state = 'verified' AND NOT old.run_parameters ? 'override_checks' AND 2 > (
        SELECT count(*) FROM batchstream.verdicts AS v
        WHERE v.load_id = load AND v.check_name IN ('row_count', 'columns') AND v.passed AND v.landing_rows = old.landed_records)
    THEN
        RETURN 'verdicts';
    END IF;
    UPDATE batchstream.loads SET
        state = new_state,
        seen_at = clock_timestamp(),
        topic_id = new.topic_id,
        start_offsets = new.start_offsets,
        attempt = new.attempt,
        source_sha256 = new.source_sha256,
        source_records = new.source_records,
        source_rejected_records = coalesce(new.source_rejected_records, 0),
        produced_batches = new.produced_batches,
        produced_records = new.produced_records,
        acknowledged_offsets = new.acknowledged_offsets,
        consumed_batches = new.consumed_batches,
        consumed_records = new.consumed_records,
        landed_records = new.landed_records,
        quarantined_records = new.quarantined_records,
        messages_of_other_loads = new.messages_of_other_loads,
        inserted_rows = new.inserted_rows,
        updated_rows = new.updated_rows,
        deleted_rows = new.deleted_rows,
        published_rows = new.published_rows,
        produced_at = CASE new_state WHEN 'produced' THEN clock_timestamp() ELSE produced_at END,
        landed_at = CASE new_state WHEN 'landed' THEN clock_timestamp() ELSE landed_at END,
        verified_at = CASE new_state WHEN 'verified' THEN clock_timestamp() ELSE verified_at END,
        published_at = CASE new_state WHEN 'published' THEN clock_timestamp() ELSE published_at END
    WHERE load_id = load;
    RETURN NULL;
END $$;

-- Holds a load in one of some states until the transaction ends, so that nobody gives it up meanwhile.
CREATE FUNCTION batchstream.hold_load(load bigint, states text[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM 1 FROM batchstream.loads WHERE load_id = load AND state = ANY (states) FOR SHARE;
    RETURN FOUND;
END $$;

-- Begins a try of produce_batches; returns its number.
CREATE FUNCTION batchstream.begin_attempt(load bigint) RETURNS integer
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE batchstream.loads SET attempts = attempts + 1, seen_at = clock_timestamp()
    WHERE load_id = load AND state IN ('opened', 'produced') RETURNING attempts
$$;

-- Notes why a load fails, unless a reason is there already: the first one is the cause, later ones are its effects.
CREATE FUNCTION batchstream.note_failure(load bigint, why text, for_good boolean) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE batchstream.loads SET reason = why, failed_for_good = for_good WHERE load_id = load AND reason IS NULL AND state <> 'published'
$$;

-- Forgets the reason of a try that failed, at the start of the next one.
CREATE FUNCTION batchstream.forget_failure(load bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE batchstream.loads SET reason = NULL, failed_for_good = false, seen_at = clock_timestamp()
    WHERE load_id = load AND state NOT IN ('published', 'failed')
$$;

CREATE FUNCTION batchstream.note_alive(load bigint) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE batchstream.loads SET seen_at = clock_timestamp() WHERE load_id = load
$$;

-- Closes a load's row: one that was not published has failed. The reason of a red run stands beside a load that was published
-- before the run turned red. Returns the final state; NULL if there is no such load.
CREATE FUNCTION batchstream.close_load(load bigint, why text) RETURNS text
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    UPDATE batchstream.loads SET
        reason = CASE
            WHEN state IN ('published', 'failed') THEN coalesce(reason, why)
            ELSE coalesce(reason, why, 'the run ended while the load was ' || state) END,
        state = CASE WHEN state IN ('published', 'failed') THEN state ELSE 'failed' END,
        closed_at = coalesce(closed_at, clock_timestamp())
    WHERE load_id = load RETURNING state
$$;

-- Brings a failed load back to landed, with further records and the contract that accepts them; only the owner may.
CREATE FUNCTION batchstream.reopen_load(load bigint, further_records bigint, version text, contract text, sha256 text)
RETURNS void LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM batchstream.verdicts WHERE load_id = load;
    UPDATE batchstream.loads SET
        state = 'landed', reason = NULL, failed_for_good = false, closed_at = NULL, seen_at = clock_timestamp(),
        landed_records = landed_records + further_records,
        contract_version = version, contract_text = contract, contract_sha256 = sha256
    WHERE load_id = load AND state = 'failed' AND landed_at IS NOT NULL
$$;

REVOKE ALL ON batchstream.loads FROM {loader};
GRANT SELECT ON batchstream.loads, batchstream.verdicts, batchstream.load_secrets TO {loader};
GRANT SELECT ON batchstream.loads TO {reader};
GRANT USAGE ON SCHEMA batchstream TO {reader};

-- PostgreSQL lets everybody execute a new function.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA batchstream FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    batchstream.transition, batchstream.hold_load, batchstream.begin_attempt, batchstream.note_failure,
    batchstream.forget_failure, batchstream.note_alive, batchstream.close_load TO {loader};
GRANT EXECUTE ON FUNCTION batchstream.load_is_gone TO {loader}, {reader};
