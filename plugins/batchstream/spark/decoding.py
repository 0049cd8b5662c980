"""Messages to records: a row for each record, with the columns of the source that expressions read."""

from pyspark.sql import DataFrame, functions, types

from batchstream.contract.model import Contract
from batchstream.records.message_names import message_names
from batchstream.spark.column_types import from_message, message_type

PARTITION, OFFSET, KEY, VALUE, COMPUTED = (f"\x02{name}" for name in ("partition", "offset", "key", "value", "computed"))
"""Columns of ours, by names that no source has. Key and value stand in the first row of each message only."""

_POSITION, _RECORD = "\x02position", "\x02record"
_NOTHING = types.StructField("\x02", types.StringType())


def decode(contract: Contract, messages: DataFrame) -> DataFrame:
    """The records of messages, in their order.

    Args:
        contract: One with a transform.
        messages: As Spark reads them from Kafka.
    """
    transform = contract.required_transform
    fields = [
        types.StructField(name, message_type(column))
        for name, column in zip(message_names(transform.inputs), transform.inputs, strict=True)
        if column.name in transform.read
    ]
    kind = types.ArrayType(types.StructType(fields or [_NOTHING]))
    # A value that Spark can't have must not become NULL.
    records = functions.posexplode_outer(functions.from_json(functions.col("value").cast("string"), kind, {"mode": "FAILFAST"}))
    rows = messages.select("partition", "offset", "key", "value", records.alias(_POSITION, _RECORD))
    is_first = functions.coalesce(functions.col(_POSITION), functions.lit(0)) == 0
    columns = {column.name: column for column in transform.inputs}
    return rows.select(
        functions.col("partition").alias(PARTITION),
        functions.col("offset").alias(OFFSET),
        functions.when(is_first, functions.col("key")).alias(KEY),
        functions.when(is_first, functions.coalesce(functions.col("value"), functions.lit(b""))).alias(VALUE),
        *(
            from_message(columns[name], functions.col(_RECORD).getField(field.name)).alias(name)
            for name, field in zip(transform.read, fields, strict=True)
        ),
    )
