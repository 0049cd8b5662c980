"""Topics, and how batches get into them: all that talks to Kafka but Spark's own reading."""
