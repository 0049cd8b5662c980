-- What readers see: always the last verified load, whole. Its key and indexes are built after its first rows, in bulk.
CREATE TABLE IF NOT EXISTS {target} (
    {columns},
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    load_id bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON {target} TO {loader};
GRANT SELECT ON {target} TO {reader};
