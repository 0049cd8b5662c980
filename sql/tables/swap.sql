-- The published loads of a dataset, a partition each. No index: each partition brings its own, built after its rows.
CREATE TABLE IF NOT EXISTS {partitioned_table} (
    {record_id} bigint NOT NULL,
    {columns},
    {created_at} timestamptz NOT NULL,
    {load_id} bigint NOT NULL
) PARTITION BY LIST ({load_id});
