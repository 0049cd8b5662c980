"""Runs in an environment of its own (benchmarks/peers/dlt.txt): dlt, from the topic to PostgreSQL by Parquet, ADBC and COPY."""

import json
import os
from collections.abc import Iterator

import dlt
import orjson
import pyarrow
from confluent_kafka import Consumer, TopicPartition

TYPES = {
    "double precision": pyarrow.float64(),
    "integer": pyarrow.int32(),
    "text": pyarrow.string(),
    "boolean": pyarrow.bool_(),
    "date": pyarrow.date32(),
}
MESSAGES_A_TABLE = 500


@dlt.resource(write_disposition="replace")  # type: ignore[untyped-decorator]
def records() -> Iterator[pyarrow.Table]:
    """The topic, 50,000 records a table."""
    consumer = Consumer({**json.loads(os.environ["PEER_KAFKA"]), "group.id": "dlt", "enable.auto.commit": False})
    spans = json.loads(os.environ["PEER_SPANS"])
    consumer.assign([TopicPartition(os.environ["PEER_TOPIC"], int(p), first) for p, (first, _) in spans.items()])
    types = {name: TYPES[sql] for name, sql in json.loads(os.environ["PEER_COLUMNS"]).items()}
    # JSON has dates as texts, which Arrow only casts.
    read = pyarrow.schema([(n, pyarrow.string() if pyarrow.types.is_date(t) else t) for n, t in types.items()])
    remaining = sum(last - first + 1 for first, last in spans.values())
    while remaining:
        messages = consumer.consume(min(MESSAGES_A_TABLE, remaining), timeout=0.5)
        remaining -= len(messages)
        if messages:
            rows = [record for message in messages for record in orjson.loads(message.value())]
            yield pyarrow.Table.from_pylist(rows, read).cast(pyarrow.schema(list(types.items())))
    consumer.close()


def main() -> None:
    """Land a topic in a table."""
    names = ("PGUSER", "PGPASSWORD", "PGHOST", "PGPORT", "PGDATABASE")
    user, password, host, port, database = (os.environ[name] for name in names)
    credentials = f"postgresql://{user}:{password}@{host}:{port}/{database}"
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.postgres(credentials), dataset_name=os.environ["PEER_SCHEMA"])
    pipeline.run(records(), table_name=os.environ["PEER_TABLE"], loader_file_format="parquet").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
