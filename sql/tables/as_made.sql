-- The table of a dataset as its first publish leaves it, to be shown before: see publish/first.sql for how it comes to be.
CREATE TABLE {target} (
    {columns},
    {created_at} timestamptz NOT NULL DEFAULT now(),
    {updated_at} timestamptz NOT NULL DEFAULT now(),
    {load_id} bigint NOT NULL,
    PRIMARY KEY ({key})
);
