"""One Python process without Spark: confluent-kafka, and our codec with COPY BINARY, or json with COPY or an INSERT a row."""

import json
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import psycopg2
from confluent_kafka import Consumer, TopicPartition
from psycopg import sql

from batchstream.contract import load_contract
from batchstream.kafka.topics import KAFKA_VARIABLE, client_settings
from batchstream.postgres.copy_rows import RowCopy
from batchstream.records.codec import RecordCodec
from batchstream.records.messages import MessageKey, decode_key


def messages(topic: str, spans: dict[str, list[int]]) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of the load."""
    kafka = client_settings(json.loads(os.environ[KAFKA_VARIABLE]))
    consumer = Consumer({**kafka, "group.id": "bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, int(partition), first) for partition, (first, _) in spans.items()])
    remaining = sum(last - first + 1 for first, last in spans.values())
    while remaining:
        for message in consumer.consume(min(500, remaining), timeout=5):
            yield message.key() or b"", message.value() or b""
            remaining -= 1
    consumer.close()


def records(codec: RecordCodec, found: Iterator[tuple[bytes, bytes]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    """The records of each message."""
    for raw_key, value in found:
        key = decode_key(raw_key)
        assert isinstance(key, MessageKey)
        yield codec.decode(value, key.first_record_id).records


def rows(found: Iterator[tuple[bytes, bytes]]) -> Iterator[tuple[Any, ...]]:
    """The rows of each message as one gets them without a contract."""
    for raw_key, value in found:
        first = json.loads(raw_key)["first_record_id"]
        for number, record in enumerate(json.loads(value), first):
            yield (number, *record.values())


def main(way: str, contract_path: str, spans: str, table: str) -> None:
    """Land a topic in a table."""
    contract = load_contract(Path(contract_path))
    found = messages(contract.topic.name, json.loads(spans))
    if way == "copy":
        codec = RecordCodec(contract)
        with psycopg.connect() as connection:
            RowCopy(contract, sql.Identifier(*table.split("."))).write(connection, records(codec, found))
    elif way == "json":
        with psycopg.connect() as connection, connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
            for row in rows(found):
                copy.write_row(row)
    else:
        statement = f"INSERT INTO {table} VALUES ({', '.join(['%s'] * (len(contract.columns) + 1))})"
        inserting = psycopg2.connect("")
        with inserting, inserting.cursor() as one_by_one:
            for row in rows(found):
                one_by_one.execute(statement, row)
        inserting.close()


if __name__ == "__main__":
    assert os.environ["PGPASSWORD"]
    main(*sys.argv[1:])
