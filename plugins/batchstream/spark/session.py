"""Starts Spark without what takes time and is of no use to a load."""

from pyspark.sql import SparkSession

from batchstream.private import forget_numpy


def start_spark() -> SparkSession:
    """The session of this process."""
    forget_numpy()
    # A row is a message of a hundred records, of which Spark renames columns: compiling that takes longer than it saves.
    builder = SparkSession.builder.config("spark.sql.codegen.wholeStage", "false")
    return builder.config("spark.sql.codegen.factoryMode", "NO_CODEGEN").getOrCreate()
