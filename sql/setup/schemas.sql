-- Inside kafka_streaming: who may enter which schema. Tables and their grants are made by open_load.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO batchstream_owner;
GRANT USAGE ON SCHEMA public TO kafka_user, kafka_reader, batchstream_checker;
CREATE SCHEMA IF NOT EXISTS batchstream AUTHORIZATION batchstream_owner;
CREATE SCHEMA IF NOT EXISTS landing AUTHORIZATION batchstream_owner;
-- The loads of datasets that are published by a swap; readers come through the view of the dataset.
CREATE SCHEMA IF NOT EXISTS published AUTHORIZATION batchstream_owner;
GRANT USAGE ON SCHEMA batchstream, landing TO kafka_user;
GRANT USAGE ON SCHEMA landing TO batchstream_checker;
-- A publish keeps the keys of the rows that it will change in a table of its session.
GRANT TEMPORARY ON DATABASE kafka_streaming TO batchstream_owner;
-- Publishes were the loading role's once.
REVOKE TEMPORARY ON DATABASE kafka_streaming FROM kafka_user;
