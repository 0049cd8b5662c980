-- A load belongs to a DAG's run: the runs of two DAGs that reload one data set have the same names where their schedules agree.
-- NULL for a load of an older release, whose DAG nobody has noted.
ALTER TABLE batchstream.loads ADD COLUMN dag_id text;
