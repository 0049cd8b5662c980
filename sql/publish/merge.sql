-- Makes the target equal to the landing in the rows that changed: inserts what is new, updates what differs, deletes what is gone.
WITH merged AS (
    MERGE INTO {target} AS t
    USING (SELECT c.key AS changed_key, s.* FROM pg_temp.changed AS c LEFT JOIN {landing} AS s ON s.{landing_key} = c.key) AS s
        ON t.{key} = s.changed_key
    -- No record id: the landing has no such row.
    WHEN MATCHED AND s.record_id IS NULL THEN
        DELETE
    WHEN MATCHED THEN
        UPDATE SET {assignments}, updated_at = now(), load_id = {load_id}
    WHEN NOT MATCHED AND s.record_id IS NOT NULL THEN
        INSERT ({columns}, load_id) VALUES ({values}, {load_id})
    RETURNING merge_action() AS action
)
SELECT
    count(*) FILTER (WHERE action = 'INSERT') AS inserted_rows,
    count(*) FILTER (WHERE action = 'UPDATE') AS updated_rows,
    count(*) FILTER (WHERE action = 'DELETE') AS deleted_rows
FROM merged
