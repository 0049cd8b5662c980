"""Training run for Java's class-data archive: does what a small load does, with a topic of its own and no database.

The archive holds the classes that this run loaded; see `batchstream.services.archive`.
"""

import sys
import tempfile

from pyspark.sql import DataFrame, SparkSession

from spark_apps import source, transform


def main(bootstrap_servers: str, topic: str) -> None:
    """Read a topic once."""
    spark = SparkSession.builder.appName("batchstream training").getOrCreate()
    raw = source.read_messages(spark, {"bootstrap.servers": bootstrap_servers}, topic, {"0": 0}, min_partitions=2)

    def collect(messages: DataFrame, _: int) -> None:
        messages.collect()

    with tempfile.TemporaryDirectory() as checkpoint:
        (
            transform.messages(raw)
            .writeStream.trigger(availableNow=True)
            .option("checkpointLocation", checkpoint)
            .foreachBatch(collect)
            .start()
            .awaitTermination()
        )
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
