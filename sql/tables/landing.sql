-- Where Spark puts one load's records. No key and no index, so that COPY is fast; the inbox keeps duplicates out and the
-- target's primary key is the last word. No autovacuum: the table is written once, read twice and dropped.
CREATE TABLE {landing} (
    {record_id} bigint NOT NULL,
    {columns}
) WITH (autovacuum_enabled = false);
GRANT SELECT, INSERT ON {landing} TO {loader};
GRANT SELECT ON {landing} TO {checker};
