-- One row a load. Every count is what one stage says of itself; the checks compare them.
CREATE TABLE IF NOT EXISTS batchstream.loads (
    load_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dataset text NOT NULL,
    run_id text NOT NULL,
    contract_version text NOT NULL,
    state text NOT NULL DEFAULT 'opened'
        CHECK (state IN ('opened', 'produced', 'landed', 'verified', 'published', 'failed')),
    reason text,
    source_path text NOT NULL,
    source_sha256 text,
    topic text NOT NULL,
    topic_id text,
    start_offsets jsonb,
    acknowledged_offsets jsonb,
    source_records bigint,
    produced_batches bigint,
    produced_records bigint,
    consumed_batches bigint,
    consumed_records bigint,
    landed_records bigint,
    quarantined_records bigint,
    messages_of_other_loads bigint,
    inserted_rows bigint,
    updated_rows bigint,
    deleted_rows bigint,
    published_rows bigint,
    opened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    produced_at timestamptz,
    landed_at timestamptz,
    verified_at timestamptz,
    published_at timestamptz,
    closed_at timestamptz,
    -- The last sign of life of the run; see LEASE_SECONDS in ledger.py.
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS loads_dataset ON batchstream.loads (dataset, load_id DESC);

-- The inbox: one row a batch that was consumed, written once, in the transaction that lands its records. Its primary key is
-- what makes a second delivery of the same batch harmless.
CREATE TABLE IF NOT EXISTS batchstream.batches (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    batch bigint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    -- CRC-32 of the message's value: the same batch with other content is not a duplicate but an error.
    digest bigint NOT NULL,
    records integer NOT NULL,
    landed integer NOT NULL,
    PRIMARY KEY (load_id, batch)
);

-- Every record that did not land, as it came.
CREATE TABLE IF NOT EXISTS batchstream.quarantine (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    -- 0-based position in the array; NULL if the whole message was rejected.
    position integer,
    record_id bigint,
    raw text NOT NULL,
    reason text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    replayed_at timestamptz,
    UNIQUE NULLS NOT DISTINCT (load_id, topic, partition, "offset", position)
);

-- The published loads of datasets that are published by a swap: readers see the newest; an older one, who can't know it yet.
CREATE TABLE IF NOT EXISTS batchstream.shown (
    dataset text NOT NULL,
    load_id bigint NOT NULL REFERENCES batchstream.loads,
    PRIMARY KEY (dataset, load_id)
);

-- For a snapshot so old that its load was removed: an error, where it would see no rows.
CREATE OR REPLACE FUNCTION batchstream.load_is_gone(dataset text) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
    RAISE EXCEPTION 'the load of % that this transaction would see was removed since it began', dataset
        USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Begin a new transaction.';
END $$;

GRANT SELECT, UPDATE ON batchstream.loads TO {loader};
GRANT SELECT, INSERT ON batchstream.batches TO {loader};
GRANT SELECT, INSERT ON batchstream.quarantine TO {loader};
