-- Shows a prepared landing in place of the load before it. Neither statement waits for readers or makes them wait.
ALTER TABLE {published} ATTACH PARTITION {landing} FOR VALUES IN ({load_id});
INSERT INTO batchstream.shown (dataset, load_id) VALUES ({dataset}, {load_id})
    ON CONFLICT (dataset) DO UPDATE SET load_id = excluded.load_id;
