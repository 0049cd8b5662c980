"""What one writes without this project: from_json, explode, Spark's JDBC writer in append mode; at least once, unverified."""

import json
import os
import sys
import tempfile

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.functions import col, explode, from_json

from batchstream.kafka.java_settings import java_settings
from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.postgres import names


def main(topic: str, start_offsets: str, schema: str, url: str, table: str, rewrite: str) -> None:
    """Land a topic in a table."""
    kafka = java_settings(json.loads(os.environ[KAFKA_VARIABLE]))
    spark = SparkSession.builder.appName("jdbc").getOrCreate()
    raw = (
        spark.readStream.format("kafka")
        .options(**{f"kafka.{name}": value for name, value in kafka.items()})
        .option("subscribe", topic)
        .option("startingOffsets", start_offsets)
        .load()
    )
    records = raw.select(explode(from_json(col("value").cast("string"), f"array<struct<{schema}>>")).alias("r")).select("r.*")

    def append(batch: DataFrame, _: int) -> None:
        batch.write.jdbc(
            url,
            table,
            "append",
            {
                "user": names.LOADER,
                "password": os.environ["PGPASSWORD"],
                "driver": "org.postgresql.Driver",
                "reWriteBatchedInserts": rewrite,
            },
        )

    with tempfile.TemporaryDirectory() as checkpoint:
        (
            records.writeStream.trigger(availableNow=True)
            .option("checkpointLocation", checkpoint)
            .foreachBatch(append)
            .start()
            .awaitTermination()
        )
    spark.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
