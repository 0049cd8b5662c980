"""Training run for Java's class-data archive: what small and large loads do, with a topic of its own and no database.

The archive holds the classes that this run loaded; see `batchstream.local.quick_start.archive`.
"""

import json
import os
import sys
import tempfile

from pyspark.sql import DataFrame

from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.spark import stream
from batchstream.spark.checkpoints import noted_offsets
from batchstream.spark.session import start_spark


def main(topic: str) -> None:
    """Consume a topic once."""
    spark = start_spark()
    messages = stream.read_topic(spark, json.loads(os.environ[KAFKA_VARIABLE]), topic, {"0": 0})
    with tempfile.TemporaryDirectory() as checkpoint:

        def consume(batch: DataFrame, epoch: int) -> None:
            # What lands on the driver needs no more than the offsets; what lands on executors needs Python workers, too.
            offsets = noted_offsets(batch.sparkSession, checkpoint, epoch)
            batch.sparkSession.sparkContext.parallelize(offsets, len(offsets)).map(str).collect()

        query = messages.writeStream.trigger(availableNow=True).option("checkpointLocation", checkpoint)
        query.foreachBatch(consume).start().awaitTermination()
    spark.stop()


if __name__ == "__main__":
    main(sys.argv[1])
