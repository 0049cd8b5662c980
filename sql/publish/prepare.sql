-- Makes a verified landing fit to be shown: its key is built after its rows, which is where a repeated key is found; the
-- columns that all its rows share cost no rewrite; the CHECK is read now, so that attaching it later reads nothing.
CREATE UNIQUE INDEX ON {landing} ({key});
{indexes}
ALTER TABLE {landing}
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN load_id bigint NOT NULL DEFAULT {load_id} CHECK (load_id = {load_id});
ALTER TABLE {published} ATTACH PARTITION {landing} FOR VALUES IN ({load_id});
