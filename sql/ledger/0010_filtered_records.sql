-- Records that a contract's filter leaves out: they are counted, of each batch and of each load.
ALTER TABLE batchstream.batches ADD COLUMN filtered integer NOT NULL DEFAULT 0;
ALTER TABLE batchstream.loads ADD COLUMN filtered_records bigint;
-- Of a record that was replayed: whether the filter has left it out then.
ALTER TABLE batchstream.quarantine ADD COLUMN filtered boolean NOT NULL DEFAULT false;

-- Moves a load to another state and notes what its stage says. Returns NULL, or why it can't: 'state', 'superseded' (a newer try
-- of produce_batches has begun), 'source' (this try read another content than the one before), 'verdicts'.
CREATE OR REPLACE FUNCTION batchstream.transition(load bigint, new_state text, facts jsonb) RETURNS text
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
        "landed": ["consumed_batches", "consumed_records", "landed_records", "filtered_records", "quarantined_records",
                   "messages_of_other_loads"],
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
        filtered_records = new.filtered_records,
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
