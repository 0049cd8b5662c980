-- Enum types and domains of the database that a load's contract names, as they were when it was opened: what a value may be doesn't
-- change on its way.
ALTER TABLE batchstream.loads ADD COLUMN own_types jsonb;
