"""A column of every type, from a CSV file by Kafka and Spark to the published table, by each way of publishing."""

import csv
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql

from batchstream.contract.model import Column
from batchstream.contract.types import parse_type
from batchstream.local.installation import Installation
from batchstream.postgres import landing_table, relations
from batchstream.records.codec import Misfit, RecordCodec
from batchstream.records.literals import literal
from tests.integration.conftest import MakeDataset
from tests.integration.test_type_casts import GOOD
from tests.support.pipeline import Pipeline
from tests.support.spark import SharedSpark

KINDS = list(GOOD)
ROWS = max(map(len, GOOD.values()))
NULL = "NO VALUE"


def rows() -> list[list[str]]:
    """Each good text of each type, and at last a record of nothing but NULL."""
    texts = [[GOOD[kind][number % len(GOOD[kind])] for kind in KINDS] for number in range(ROWS)]
    return [[str(number), *fields] for number, fields in enumerate([*texts, [NULL] * len(KINDS)])]


def write(pipeline: Pipeline, records: list[list[str]]) -> None:
    with pipeline.contract.source.path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(
            [["key", *(f"c{number}" for number in range(len(KINDS)))], *records]
        )
    os.utime(pipeline.contract.source.path, (0, 1_000_000_000))


def write_contract(project: Path, name: str, settings: dict[str, Any], columns: list[dict[str, Any]]) -> Path:
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "customProperties": [{"property": setting, "value": value} for setting, value in settings.items()],
        "schema": [{"name": name, "properties": columns}],
    }
    path = project / "dags" / "contracts" / f"{name}.odcs.yaml"
    path.parent.mkdir(parents=True)
    (project / "data").mkdir()
    path.write_text(yaml.safe_dump(document))
    return path


@pytest.fixture(params=["merge", "swap"])
def every_type(installation: Installation, spark: SharedSpark, tmp_path: Path, request: pytest.FixtureRequest) -> Pipeline:
    name = f"types_{os.urandom(4).hex()}"
    settings = {"sourcePath": "data/x.csv", "topic": name, "publish": request.param, "sourceNull": NULL, "schedule": None}
    columns = [{"name": f"c{number}", "physicalType": kind} for number, kind in enumerate(KINDS)]
    path = write_contract(tmp_path, name, settings, [{"name": "key", "physicalType": "integer", "primaryKey": True}, *columns])
    return Pipeline(installation, spark, path)


def test_a_column_of_every_type_is_published(every_type: Pipeline, admin: psycopg.Connection) -> None:
    records = rows()
    write(every_type, records)
    assert every_type.reload()[0] == len(records)
    target = relations.target(every_type.contract)
    for number, kind in enumerate(KINDS):
        column = sql.Identifier(f"c{number}")
        found = admin.execute(sql.SQL("SELECT {}::text FROM {} ORDER BY key").format(column, target)).fetchall()
        assert found.pop() == (None,), kind
        column_type = parse_type(kind)
        for (value,), record in zip(found, records, strict=False):
            text = record[number + 1]
            if column_type.element is not None and text.startswith("["):
                text = text.replace("[", "{").replace("]", "}")
            cast = sql.SQL("SELECT (%s::text)::{}::text").format(sql.SQL(column_type.sql))
            stripped = text if column_type.python is str or "json" in kind else text.strip()
            assert admin.execute(cast, [stripped]).fetchone() == (value,), (kind, text)


def test_types_of_the_database_go_the_whole_way(
    installation: Installation, spark: SharedSpark, tmp_path: Path, admin: psycopg.Connection
) -> None:
    name = f"own_{os.urandom(4).hex()}"
    for statement in ("CREATE TYPE {} AS ENUM ('sad', 'glad')", "CREATE DOMAIN {} AS text CHECK (VALUE LIKE '%@%')"):
        admin.execute(sql.SQL(statement).format(sql.Identifier(f"{name}_{'mood' if 'ENUM' in statement else 'mail'}")))
    settings = {"sourcePath": "data/x.csv", "topic": name, "rejectedRecordsAllowed": 2, "schedule": None}
    columns = [
        {"name": "mood", "physicalType": f"{name}_mood"},
        {"name": "mail", "physicalType": f"public.{name}_mail", "primaryKey": True},
    ]
    path = write_contract(tmp_path, name, settings, columns)
    source = tmp_path / "data" / "x.csv"
    source.write_text("mood,mail\nglad,a@b\nangry,c@d\nsad,nobody\n,e@f\n")
    os.utime(source, (0, 1_000_000_000))
    assert Pipeline(installation, spark, path).reload()[0] == 2
    found = admin.execute(sql.SQL("SELECT mood, mail FROM {} ORDER BY mail").format(sql.Identifier(name))).fetchall()
    assert found == [("glad", "a@b"), (None, "e@f")]


def test_what_differs_in_its_text_alone_is_updated(every_type: Pipeline, admin: psycopg.Connection) -> None:
    records = rows()
    changing = {"interval": ("1 mon", "30 days"), "json": ("[1]", "[1] "), "jsonb": ("[1.0]", "[1.00]"), "json[]": ("{1}", "{2}")}
    for kind, (before, _) in changing.items():
        records[0][KINDS.index(kind) + 1] = before
    write(every_type, records)
    every_type.reload()
    assert every_type.reload()[1] == 0
    for kind, (_, after) in changing.items():
        records[0][KINDS.index(kind) + 1] = after
        write(every_type, records)
        published = every_type.reload()
        assert published[1] == (1 if every_type.contract.publish == "merge" else 0), kind
        query = sql.SQL("SELECT {}::text FROM {} WHERE key = 0").format(
            sql.Identifier(f"c{KINDS.index(kind)}"), relations.target(every_type.contract)
        )
        assert admin.execute(query).fetchone() == (after,)


def test_a_replayed_record_lands_with_its_types(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small({f"c{number}": kind for number, kind in enumerate(KINDS)}, key=None)
    contract = replace(dataset.contract, columns=tuple(_column(number, kind) for number, kind in enumerate(KINDS)))
    texts = [literal(column, ())(GOOD[kind][0]) for kind, column in zip(KINDS, contract.columns, strict=True)]
    codec = RecordCodec(contract)
    found = codec.examine(codec.encode(texts)[1:-1])
    assert not isinstance(found, Misfit)
    load_id = dataset.open()
    with dataset.connect() as connection:
        landing_table.insert(connection, contract, load_id, [(7, *found)])
    landing = relations.landing(contract, load_id)
    (row,) = admin.execute(sql.SQL("SELECT record_id, {} FROM {}").format(sql.Identifier("c0"), landing)).fetchall()
    assert row == (7, 0)
    dataset.fail(load_id)


def _column(number: int, kind: str) -> Column:
    return Column(f"c{number}", parse_type(kind), nullable=False, source_name=f"c{number}")
