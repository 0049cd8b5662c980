-- The published loads of a dataset, a partition each. No index: each partition brings its own, built after its rows.
CREATE TABLE {published} (
    record_id bigint NOT NULL,
    {columns},
    created_at timestamptz NOT NULL,
    load_id bigint NOT NULL
) PARTITION BY LIST (load_id);
-- What readers see: the one load that batchstream.shown names. Which one that is depends on the reader's snapshot like
-- any row, so also a long transaction sees one load, whole; the other partitions are pruned when the query starts.
CREATE VIEW {target} AS
    SELECT {shown}, created_at, created_at AS updated_at, load_id
    FROM {published}
    WHERE load_id = (SELECT s.load_id FROM batchstream.shown AS s WHERE s.dataset = {dataset});
GRANT SELECT ON {target} TO {loader}, {reader};
