-- None of these waits for readers or makes them wait.
CREATE UNIQUE INDEX IF NOT EXISTS {key_index} ON {target} ({key});
-- Rows are inserted in the order of their times, which is what BRIN is for: it costs a load next to nothing.
CREATE INDEX IF NOT EXISTS {created_at_index} ON {target} USING brin (created_at);
{indexes}
