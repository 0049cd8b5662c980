"""DataFrame to DataFrame: what of Kafka's columns travels on, each with its type said."""

from pyspark.sql import DataFrame
from pyspark.sql.functions import col

COLUMN_TYPES = {"topic": "string", "partition": "int", "offset": "bigint", "key": "binary", "value": "binary"}


def messages(raw: DataFrame) -> DataFrame:
    """Messages with the columns of `COLUMN_TYPES`, in its order; the value stays bytes until a record's rules are known."""
    return raw.select(*(col(name).cast(spark_type).alias(name) for name, spark_type in COLUMN_TYPES.items()))
