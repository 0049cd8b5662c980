-- The first load of a dataset: its landing becomes the table that readers see, and no row is copied. Columns that all rows
-- share cost no rewrite. Key and indexes are built after it, in bulk.
-- By way of a name that no dataset has: the landing "x_5" may not meet the dataset "x_5" in the schema of the tables.
ALTER TABLE {landing} RENAME TO {passing_name};
ALTER TABLE {passing} SET SCHEMA {schema};
ALTER TABLE {moved} RENAME TO {name};
ALTER TABLE {target} {number};
ALTER TABLE {target}
    ADD COLUMN {created_at} timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN {updated_at} timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN {load_id} bigint NOT NULL DEFAULT {load_number};
ALTER TABLE {target} ALTER COLUMN {load_id} DROP DEFAULT, RESET (autovacuum_enabled);
ALTER TABLE {target} ADD PRIMARY KEY ({key});
