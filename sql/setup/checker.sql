-- Runs the SQL of contracts: may read landings and published tables, logs in nowhere, and is nobody's by default. The loading role
-- becomes it for each check.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'batchstream_checker') THEN
        CREATE ROLE batchstream_checker;
    END IF;
END $$;
ALTER ROLE batchstream_checker NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
GRANT batchstream_checker TO kafka_user WITH INHERIT FALSE, SET TRUE;
-- By it a check bounds what a rule writes to temporary files.
GRANT SET ON PARAMETER temp_file_limit TO kafka_user;
