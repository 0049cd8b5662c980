"""What Spark does with messages before they reach PostgreSQL, on DataFrames of its own."""

from pyspark.sql import Row
from pyspark.sql.types import BinaryType, IntegerType, LongType, StringType

from spark_apps import transform
from tests.support.spark import SharedSpark


def test_messages_keep_what_the_landing_needs_each_with_its_type(spark: SharedSpark) -> None:
    row = Row(key=b"k", value=b"[1]", topic="t", partition=2, offset=2**40, timestamp="now", timestampType=0)
    found = transform.messages(spark.start().createDataFrame([row]))
    assert [(field.name, field.dataType) for field in found.schema] == [
        ("topic", StringType()),
        ("partition", IntegerType()),
        ("offset", LongType()),
        ("key", BinaryType()),
        ("value", BinaryType()),
    ]
    assert found.collect() == [Row(topic="t", partition=2, offset=2**40, key=b"k", value=b"[1]")]


def test_null_and_arbitrary_bytes_pass_unchanged(spark: SharedSpark) -> None:
    frame = spark.start().createDataFrame(
        [("t", 0, 0, None, None), ("t", 0, 1, b"\xff\x00", b"\x00[\xed\xa0\x80")],
        "topic string, partition int, offset long, key binary, value binary",
    )
    assert [(row.key, row.value) for row in transform.messages(frame).collect()] == [
        (None, None),
        (bytearray(b"\xff\x00"), bytearray(b"\x00[\xed\xa0\x80")),
    ]
