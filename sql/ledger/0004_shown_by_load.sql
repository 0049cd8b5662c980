-- The first release that published by a swap knew one shown load a dataset; now each published load has a row, and readers see the
-- newest. Views of that release are made anew by the next load of their dataset, before there is a second row.
DO $$ BEGIN
    IF (SELECT cardinality(conkey) FROM pg_constraint WHERE conrelid = 'batchstream.shown'::regclass AND contype = 'p') = 1 THEN
        ALTER TABLE batchstream.shown DROP CONSTRAINT shown_pkey, ADD PRIMARY KEY (dataset, load_id);
    END IF;
END $$;

-- A view asks the rights of who reads it for the functions that it calls.
GRANT EXECUTE ON FUNCTION batchstream.load_is_gone TO {loader}, {reader}, {checker};
