-- The keys of the rows that differ between target and landing, or are in one of them alone: (d)eleted, (i)nserted, (u)pdated.
-- Apart from MERGE, as PostgreSQL compares on all cores only in a statement that writes no table of others, and MERGE would
-- fetch each row that is the same.
CREATE TEMP TABLE changed ON COMMIT DROP AS
SELECT
    {changed_key},
    CASE WHEN s.{landing_key} IS NULL THEN 'd' WHEN t.{key} IS NULL THEN 'i' ELSE 'u' END::"char" AS action
FROM {landing} AS s FULL JOIN {target} AS t ON {same_key}
WHERE s.{landing_key} IS NULL OR t.{key} IS NULL OR {differs}
