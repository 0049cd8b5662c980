"""Side-by-side measurements: the same topic, the same PostgreSQL, interleaved rounds."""
