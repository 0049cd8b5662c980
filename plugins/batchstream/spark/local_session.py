"""Computes a few records with a Spark of this process alone: for a replay, and for a look at what a contract computes."""

import os
from collections.abc import Mapping, Sequence

from pyspark.sql import SparkSession

from batchstream.contract.model import Contract
from batchstream.records.messages import Computed
from batchstream.spark.failures import OneByOne
from batchstream.spark.transforming import prepared

_VARIABLES = ("JAVA_HOME", "SPARK_HOME", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")


def compute_here(environment: Mapping[str, str], contract: Contract, elements: Sequence[bytes]) -> list[Computed]:
    """What Spark makes of records.

    Args:
        environment: Says where Java, Spark and Python are.
        contract: One with a transform.
        elements: Each as a JSON object, in the columns of the source.

    Raises:
        LoadError: Spark refuses an expression.
    """
    os.environ.update({name: environment[name] for name in _VARIABLES if name in environment})
    # Its log is of no use to who looks at a few records.
    builder = SparkSession.builder.master("local[1]").appName("batchstream").config("spark.ui.enabled", "false")
    spark = builder.config("spark.driver.bindAddress", "127.0.0.1").config("spark.log.level", "OFF").getOrCreate()
    try:
        with OneByOne(spark, contract, prepared(spark, contract, is_large=False)) as one_by_one:
            return one_by_one.records(elements)
    finally:
        spark.stop()
