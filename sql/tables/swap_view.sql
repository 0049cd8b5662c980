-- What readers see: the newest load in batchstream.shown. Which one that is depends on the reader's snapshot like any row,
-- so also a long transaction sees one load, whole; the other partitions are pruned when the query starts.
-- A partition that was attached after a query was planned is missing in it, and PostgreSQL plans a statement that is repeated
-- in one transaction without looking for new ones. So the load must have a row in the partitions of this very plan: it shows
-- the newest load that it knows, never an empty table. (LIMIT keeps the subquery one that is run per load, not a join.)
CREATE OR REPLACE VIEW {target} AS
    SELECT {columns}, {created_at}, {created_at} AS {updated_at}, {load_id}
    FROM {partitioned_table}
    WHERE {load_id} = coalesce(
        (SELECT s.load_id FROM batchstream.shown AS s
         WHERE s.dataset = {dataset} AND (SELECT true FROM {partitioned_table} AS p WHERE p.{load_id} = s.load_id LIMIT 1)
         ORDER BY s.load_id DESC LIMIT 1),
        (SELECT batchstream.load_is_gone(s.dataset) FROM batchstream.shown AS s WHERE s.dataset = {dataset} LIMIT 1)
    );
