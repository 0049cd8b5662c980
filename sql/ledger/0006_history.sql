-- What a load has consumed and rejected is history when it has ended: the loading role adds to that of loads in progress alone.
CREATE FUNCTION batchstream.keep_history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    ended record;
BEGIN
    SELECT l.load_id, l.state INTO ended FROM added JOIN batchstream.loads AS l USING (load_id)
    WHERE l.state NOT IN ('opened', 'produced', 'landed') LIMIT 1;
    IF FOUND AND NOT pg_has_role(session_user, (SELECT relowner FROM pg_class WHERE oid = 'batchstream.loads'::regclass), 'MEMBER') THEN
        RAISE insufficient_privilege USING MESSAGE = format('permission denied: load %s is %s, nothing is added to its %s',
            ended.load_id, ended.state, TG_TABLE_NAME);
    END IF;
    RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION batchstream.keep_history FROM PUBLIC;

CREATE TRIGGER keep_history AFTER INSERT ON batchstream.batches
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION batchstream.keep_history();
CREATE TRIGGER keep_history AFTER INSERT ON batchstream.quarantine
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION batchstream.keep_history();
CREATE TRIGGER keep_history AFTER INSERT ON batchstream.rejected_messages
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION batchstream.keep_history();
-- Where a partition has rejected messages already, more of them are an update.
CREATE TRIGGER keep_counts AFTER UPDATE ON batchstream.rejected_messages
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION batchstream.keep_history();
