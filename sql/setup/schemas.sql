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
-- PostgreSQL lets everybody fill its disk with large objects and with messages to subscribers, and hold any advisory lock, those
-- that a load waits for included. Owner and loading role need theirs; another role that does is granted it.
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT oid::regprocedure AS name, proname ~ 'advisory' AS is_lock, proname ~ '^pg_advisory_(un)?lock_shared$' AS is_loaders
        FROM pg_proc
        WHERE pronamespace = 'pg_catalog'::regnamespace
            AND proname ~ '^(lo_creat|lo_create|lo_from_bytea|pg_logical_emit_message|pg_(try_)?advisory_.*)$'
            AND has_function_privilege('public', oid, 'EXECUTE')
    LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', found.name);
        IF found.is_lock THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO batchstream_owner', found.name);
        END IF;
        IF found.is_loaders THEN
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO kafka_user', found.name);
        END IF;
    END LOOP;
END $$;
