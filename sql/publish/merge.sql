-- Makes the target equal to the landing: inserts what is new, updates what differs, deletes what is gone, and writes no
-- row that is the same already.
WITH merged AS (
    MERGE INTO {target} AS t
    USING {landing} AS s ON t.{key} = s.{landing_key}
    WHEN MATCHED AND ({differs}) THEN
        UPDATE SET {assignments}, updated_at = now(), load_id = {load_id}
    WHEN NOT MATCHED BY TARGET THEN
        INSERT ({columns}, load_id) VALUES ({values}, {load_id})
    WHEN NOT MATCHED BY SOURCE THEN
        DELETE
    RETURNING merge_action() AS action
)
SELECT
    count(*) FILTER (WHERE action = 'INSERT') AS inserted_rows,
    count(*) FILTER (WHERE action = 'UPDATE') AS updated_rows,
    count(*) FILTER (WHERE action = 'DELETE') AS deleted_rows
FROM merged
