-- What readers see: always the last verified load, whole.
CREATE TABLE IF NOT EXISTS {target} (
    {columns},
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    load_id bigint NOT NULL,
    PRIMARY KEY ({key})
);
-- Rows are inserted in the order of their times, which is what BRIN is for: it costs a load next to nothing.
CREATE INDEX IF NOT EXISTS {created_at_index} ON {target} USING brin (created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON {target} TO {loader};
GRANT SELECT ON {target} TO {reader};
