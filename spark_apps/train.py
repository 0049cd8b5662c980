"""Training run for Java's class-data archive: does what a small load does, with a topic of its own and no database.

The archive holds the classes that this run loaded; see `batchstream.services.archive`.
"""

import sys
import tempfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from spark_apps import source, transform
from spark_apps.session import start_spark

if TYPE_CHECKING:
    import pyarrow as pa


def main(bootstrap_servers: str, topic: str) -> None:
    """Read a topic once."""
    spark = start_spark()
    raw = source.read_messages(spark, {"bootstrap.servers": bootstrap_servers}, topic, {"0": 0}, min_partitions=2)
    messages = transform.messages(raw)
    # What lands on the driver, and what lands on executors.
    for stream in (messages, messages.mapInArrow(_count, schema="messages bigint")):
        with tempfile.TemporaryDirectory() as checkpoint:
            (
                stream.writeStream.trigger(availableNow=True)
                .option("checkpointLocation", checkpoint)
                .foreachBatch(_collect)
                .start()
                .awaitTermination()
            )
    spark.stop()


def _collect(batch: DataFrame, _: int) -> None:
    batch.collect()


def _count(batches: Iterator["pa.RecordBatch"]) -> Iterator["pa.RecordBatch"]:
    import pyarrow as pa

    yield pa.RecordBatch.from_pylist([{"messages": sum(batch.num_rows for batch in batches)}])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
