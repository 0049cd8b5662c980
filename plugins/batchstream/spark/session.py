"""Starts Spark without what takes time and is of no use to a load."""

from py4j.protocol import INPUT_CONVERTER
from pyspark.sql import SparkSession


def start_spark() -> SparkSession:
    """The session of this process."""
    # They look at each argument of each call to Java, and for that import pyspark's tools for tests, and with them pandas and
    # Arrow: half a second before Spark begins to start (pyspark/sql/types.py, 4.2.0). No value of NumPy goes that way here.
    INPUT_CONVERTER[:] = [converter for converter in INPUT_CONVERTER if not type(converter).__name__.startswith("Numpy")]
    # A row is a message of a hundred records, of which Spark renames columns: compiling that takes longer than it saves.
    builder = SparkSession.builder.config("spark.sql.codegen.wholeStage", "false")
    return builder.config("spark.sql.codegen.factoryMode", "NO_CODEGEN").getOrCreate()
