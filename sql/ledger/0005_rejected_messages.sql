-- Which messages of a topic were rejected whole. The quarantine keeps few of them.
CREATE TABLE batchstream.rejected_messages (
    load_id bigint NOT NULL REFERENCES batchstream.loads ON DELETE CASCADE,
    partition integer NOT NULL,
    offsets int8multirange NOT NULL,
    PRIMARY KEY (load_id, partition)
);
INSERT INTO batchstream.rejected_messages
SELECT load_id, partition, range_agg(int8range("offset", "offset" + 1))
FROM batchstream.quarantine WHERE record_id IS NULL AND source_path IS NULL
GROUP BY load_id, partition;

-- Adds messages to them; a message that comes again is there already.
CREATE FUNCTION batchstream.count_rejected(load bigint, of_partition integer, of_offsets bigint[]) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO batchstream.rejected_messages AS known (load_id, partition, offsets)
    SELECT load, of_partition, range_agg(int8range(number, number + 1)) FROM unnest(of_offsets) AS number HAVING count(*) > 0
    ON CONFLICT (load_id, partition) DO UPDATE SET offsets = known.offsets + excluded.offsets
$$;
REVOKE ALL ON FUNCTION batchstream.count_rejected FROM PUBLIC;
GRANT EXECUTE ON FUNCTION batchstream.count_rejected TO {loader};
GRANT SELECT ON batchstream.rejected_messages TO {loader};
