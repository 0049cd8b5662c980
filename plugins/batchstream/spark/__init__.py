"""What Spark runs: the stream of a load, and its landing on the driver or on executors."""
