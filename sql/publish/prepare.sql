-- Makes a verified landing fit to be shown: its key is built after its rows, which is where a repeated key is found; a
-- column that all its rows share costs no rewrite. Landings of a swap have load_id from the start; one that was opened for a
-- merge, or by an older release, has not, and its rows are read for the CHECK.
CREATE UNIQUE INDEX ON {landing} ({key});
{indexes}
ALTER TABLE {landing}
    ADD COLUMN IF NOT EXISTS {load_id_column},
    ADD COLUMN IF NOT EXISTS {created_at} timestamptz NOT NULL DEFAULT now();
