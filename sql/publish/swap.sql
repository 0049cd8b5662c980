-- Shows a prepared landing in place of the load before it; neither waits for readers nor makes them wait.
INSERT INTO batchstream.shown (dataset, load_id) VALUES ({dataset}, {load_id});
