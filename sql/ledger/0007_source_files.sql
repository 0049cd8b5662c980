-- The files of a load's source, as each try of produce_batches has read them. A replay finds the columns of a rejected record by
-- the header of its file.
CREATE TABLE batchstream.source_files (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    attempt integer NOT NULL,
    path text NOT NULL,
    header text,
    sha256 text NOT NULL,
    records bigint NOT NULL,
    rejected_records bigint NOT NULL,
    PRIMARY KEY (load_id, attempt, path)
);
CREATE TRIGGER keep_history AFTER INSERT ON batchstream.source_files
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION batchstream.keep_history();

GRANT SELECT, INSERT ON batchstream.source_files TO {loader};
GRANT SELECT ON batchstream.source_files TO {reader};
