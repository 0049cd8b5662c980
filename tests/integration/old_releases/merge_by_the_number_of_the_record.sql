-- What a dataset without a key was after two loads of the first release: its key is the number of the record.
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
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX IF NOT EXISTS loads_dataset ON batchstream.loads (dataset, load_id DESC);

CREATE TABLE IF NOT EXISTS batchstream.batches (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    batch bigint NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    digest bigint NOT NULL,
    records integer NOT NULL,
    landed integer NOT NULL,
    PRIMARY KEY (load_id, batch)
);

CREATE TABLE IF NOT EXISTS batchstream.quarantine (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    topic text NOT NULL,
    partition integer NOT NULL,
    "offset" bigint NOT NULL,
    position integer,
    record_id bigint,
    raw text NOT NULL,
    reason text NOT NULL,
    quarantined_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    replayed_at timestamptz,
    UNIQUE NULLS NOT DISTINCT (load_id, topic, partition, "offset", position)
);

GRANT SELECT, UPDATE ON batchstream.loads TO kafka_user;
GRANT SELECT, INSERT ON batchstream.batches TO kafka_user;
GRANT SELECT, INSERT ON batchstream.quarantine TO kafka_user;

INSERT INTO batchstream.loads
    (dataset, run_id, contract_version, state, source_path, topic, landed_records, published_rows, published_at, closed_at)
SELECT 'fruit', 'run-' || n, '1.0.0', 'published', 'fruit.csv', 'fruit-data', 2, 2, now(), now() FROM generate_series(1, 2) AS n;
CREATE TABLE IF NOT EXISTS public.fruit (
    id bigint NOT NULL,
    code text NOT NULL,
    v integer NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    load_id bigint NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS fruit_created_at_idx ON public.fruit (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON public.fruit TO kafka_user;
GRANT SELECT ON public.fruit TO kafka_reader;
CREATE INDEX IF NOT EXISTS fruit_v_idx ON public.fruit (v);
CREATE TABLE landing.fruit_1 (
    record_id bigint NOT NULL,
    code text NOT NULL,
    v integer NULL
) WITH (autovacuum_enabled = false);
GRANT SELECT, INSERT, MAINTAIN ON landing.fruit_1 TO kafka_user;
INSERT INTO landing.fruit_1 (record_id, code, v) VALUES (1, 'a', 1), (2, 'b', 1);
CREATE TABLE landing.fruit_2 (
    record_id bigint NOT NULL,
    code text NOT NULL,
    v integer NULL
) WITH (autovacuum_enabled = false);
GRANT SELECT, INSERT, MAINTAIN ON landing.fruit_2 TO kafka_user;
INSERT INTO landing.fruit_2 (record_id, code, v) VALUES (1, 'a', 2), (2, 'b', 2);
INSERT INTO public.fruit (id, code, v, load_id) SELECT record_id, code, v, 2 FROM landing.fruit_2;
