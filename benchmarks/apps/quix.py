"""Runs in an environment of its own (benchmarks/peers/quix.txt): Quix Streams, from the topic to its PostgreSQL sink."""

import json
import os
import tempfile

from quixstreams import Application
from quixstreams.kafka import ConnectionConfig
from quixstreams.sinks.community.postgresql import PostgreSQLSink


def main() -> None:
    """Land a topic in a table, and end."""
    kafka = json.loads(os.environ["PEER_KAFKA"])
    with tempfile.TemporaryDirectory() as state:
        application = Application(
            broker_address=ConnectionConfig.from_librdkafka_dict(kafka, ignore_extras=True),
            consumer_group=os.environ["PEER_GROUP"],
            auto_offset_reset="earliest",
            auto_create_topics=False,
            loglevel="WARNING",
            # Nothing is kept; it would be made in the working folder.
            state_dir=state,
        )
        topic = application.topic(os.environ["PEER_TOPIC"], value_deserializer="json", key_deserializer="bytes")
        sink = PostgreSQLSink(
            host=os.environ["PGHOST"],
            port=int(os.environ["PGPORT"]),
            dbname=os.environ["PGDATABASE"],
            user=os.environ["PGUSER"],
            password=os.environ["PGPASSWORD"],
            schema_name="bench",
            table_name=os.environ["PEER_TABLE"],
            schema_auto_update=False,
            include_metadata=False,
        )
        application.dataframe(topic).apply(lambda records: records, expand=True).sink(sink)
        application.run(count=int(os.environ["PEER_RECORDS"]))


if __name__ == "__main__":
    main()
