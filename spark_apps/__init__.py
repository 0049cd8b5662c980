"""The Spark application that consumes a load."""
