-- Makes the target equal to the landing in the rows that changed: inserts what is new, updates what differs, deletes what is gone.
-- The landing is joined and not selected from: a subquery would have to rename its columns, as a dataset may have any names.
WITH merged AS (
    MERGE INTO {target} AS t
    USING (
        (SELECT {changed_key}, changed.action FROM pg_temp.changed WHERE changed.action IN ({actions})) AS c
        LEFT JOIN {landing} AS s ON {key_in_landing}
    ) ON {key_in_table}
    WHEN MATCHED AND c.action = 'd' THEN
        DELETE
    WHEN MATCHED THEN
        UPDATE SET {assignments}, {updated_at} = now(), {load_id} = {load_number}
    WHEN NOT MATCHED AND c.action <> 'd' THEN
        INSERT ({columns}, {created_at}, {updated_at}, {load_id}) VALUES ({values}, now(), now(), {load_number})
    RETURNING merge_action() AS action
)
SELECT
    count(*) FILTER (WHERE action = 'INSERT') AS inserted_rows,
    count(*) FILTER (WHERE action = 'UPDATE') AS updated_rows,
    count(*) FILTER (WHERE action = 'DELETE') AS deleted_rows
FROM merged
