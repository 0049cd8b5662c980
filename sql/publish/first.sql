-- The first load of a dataset: its landing becomes the table that readers see, and no row is copied. Columns that all rows
-- share cost no rewrite. Key and indexes are built after it, in bulk.
ALTER TABLE {landing} SET SCHEMA {schema};
ALTER TABLE {moved} RENAME TO {name};
ALTER TABLE {target} {record_id};
ALTER TABLE {target}
    ADD COLUMN created_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN updated_at timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN load_id bigint NOT NULL DEFAULT {load_id};
ALTER TABLE {target} ALTER COLUMN load_id DROP DEFAULT, RESET (autovacuum_enabled);
REVOKE ALL ON {target} FROM {loader};
GRANT SELECT, INSERT, UPDATE, DELETE ON {target} TO {loader};
GRANT SELECT ON {target} TO {reader};
