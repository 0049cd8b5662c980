"""A table of another PostgreSQL database, and the result of a query, as the source of a data set."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from batchstream.airflow.places import opened_place
from batchstream.cli.contract_new import Wanted, write
from batchstream.contract import Contract
from batchstream.errors import BatchstreamError, ConnectionSettingsError, PlaceError, SourceError
from batchstream.load.spool import copied, look_at
from batchstream.local.installation import Installation
from batchstream.records.source_reader import SourceReader
from tests.integration.test_type_casts import GOOD
from tests.support.whole import WholeDataset
from tests.unit.building import make_contract

TEXTS = ["", "a", "\\N", "\\.", "NULL", 'a "quoted", text', "a\tb\nc\rd\\e\bf\fg\vh", " blanks ", "é 日本 😀", "\n" * 3000]
KINDS = {
    "smallint": ["-32768", "0"],
    "bigint": ["9223372036854775807", "-1"],
    "real": ["0.1", "1e-30", "-3.4e38"],
    "double precision": ["0.1", "1e300", "5e-324", "0.30000000000000004", "-0"],
    "text": TEXTS,
    "varchar(20)": TEXTS[:-1],
    "boolean": ["true", "false"],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "timestamp": ["2024-02-29 12:00:00.000001", "0001-01-01 00:00:00"],
    "timestamptz": ["2024-02-29 12:00:00.5+05:30", "1900-01-01 00:00:00Z"],
    "uuid": ["07b22ec3-3a92-46f6-80c9-c1dfa6176fe5"],
    # Arrays and JSON as PostgreSQL reads them; a source file may have more.
    **{kind: [text for text in texts if not (kind.endswith("[]") and text.startswith("["))] for kind, texts in GOOD.items()},
}


class Shop:
    """Another database, in which the role that loads may read the schema public."""

    def __init__(self, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
        self._installation = installation
        self.name = f"shop {os.urandom(4).hex()}"
        with installation.postgres.connect() as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self.name)))
        self.loader = installation.engines().loader
        self._monkeypatch = monkeypatch
        self.connect()

    def connect(self, **changes: Any) -> None:
        """Make Airflow's connection of the shop."""
        fields = {
            "conn_type": "postgres",
            "host": self.loader.host,
            "port": self.loader.port,
            "login": self.loader.user,
            "password": self.loader.password,
            "schema": self.name,
        }
        self._monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(fields | changes))

    def run(self, *statements: str | sql.Composed) -> list[tuple[Any, ...]]:
        """Run statements as a superuser; returns the rows of the last one."""
        with self._installation.postgres.connect(self.name) as connection:
            for statement in statements:
                cursor = connection.execute(statement)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def drop(self) -> None:
        with self._installation.postgres.connect() as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(self.name)))


@pytest.fixture
def shop(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    found = Shop(installation, monkeypatch)
    yield found
    found.drop()


def refused(contract: Contract) -> BatchstreamError:
    """What is said before a load is opened."""
    with pytest.raises(BatchstreamError) as caught:
        look_at(contract, opened_place)
    assert "secret" not in str(caught.value)
    return caught.value


def query(folder: Path, text: str, *names: str, **settings: Any) -> Contract:
    columns = [{"name": name, "physicalType": "text"} for name in names or ("a",)]
    return make_contract(folder, columns, sourcePath=None, sourceQuery=text, sourceConnection="shop", **settings)


def test_each_type_arrives_as_it_was(shop: Shop, admin: psycopg.Connection, installation: Installation, tmp_path: Path) -> None:
    names = [f"c{number}" for number in range(len(KINDS))]
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind)) for name, kind in zip(names, KINDS, strict=True)
    )
    shop.run(sql.SQL("CREATE TABLE everything (key integer, {})").format(columns), "GRANT SELECT ON everything TO PUBLIC")
    rows = max(map(len, KINDS.values()))
    for number in range(rows):
        values = [
            sql.SQL("CAST({} AS {})").format(sql.Literal(texts[number % len(texts)]), sql.SQL(kind))
            for kind, texts in KINDS.items()
        ]
        shop.run(sql.SQL("INSERT INTO everything VALUES ({}, {})").format(sql.Literal(number), sql.SQL(", ").join(values)))
    shop.run(sql.SQL("INSERT INTO everything (key) VALUES ({})").format(sql.Literal(rows)))
    table = {
        "name": f"from_shop_{os.urandom(4).hex()}",
        "properties": [
            {"name": "key", "physicalType": "integer", "primaryKey": True},
            *({"name": name, "physicalType": kind} for name, kind in zip(names, KINDS, strict=True)),
        ],
    }
    dataset = WholeDataset(installation, tmp_path / "x", table, sourceTable="public.everything", sourceConnection="shop")
    assert dataset.load_as_it_is().inserted_rows == rows + 1
    assert tuple(dataset.load_as_it_is())[:3] == (0, 0, 0)
    shown = sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(name)) for name in names)
    there = shop.run(sql.SQL("SELECT key, {} FROM everything ORDER BY key").format(shown))
    here = admin.execute(
        sql.SQL("SELECT key, {} FROM {} ORDER BY key").format(shown, sql.Identifier(str(table["name"])))
    ).fetchall()
    assert here == there
    noted = admin.execute(
        "SELECT DISTINCT path, records FROM batchstream.source_files JOIN batchstream.loads USING (load_id) WHERE dataset = %s",
        [table["name"]],
    ).fetchall()
    assert noted == [("connection 'shop': table public.everything", rows + 1)]


def test_a_table_loads_by_the_contract_that_is_drafted_for_it(installation: Installation, shop: Shop, tmp_path: Path) -> None:
    name = f"Odd. {os.urandom(4).hex()}"
    table = sql.Identifier("public", name)
    shop.run(
        sql.SQL('CREATE TABLE {} ("No." bigint PRIMARY KEY, at timestamptz(3) NOT NULL, tags text[])').format(table),
        sql.SQL("INSERT INTO {} VALUES (1, now(), NULL), (2, now(), ARRAY['a', NULL])").format(table),
        sql.SQL("GRANT SELECT ON {} TO PUBLIC").format(table),
    )
    at = tmp_path / "dags" / "contracts" / "x.odcs.yaml"
    role = shop.loader
    url = f"postgresql://{role.user}:{role.password}@{role.host}:{role.port}/{quote(shop.name)}"
    assert write(Wanted([url], f'public."{name}"', "shop", at)) == 0
    assert WholeDataset.of(installation, at).load_as_it_is().inserted_rows == 2


def test_empty_texts_of_a_single_column_are_records(shop: Shop, tmp_path: Path) -> None:
    contract = query(tmp_path, "SELECT * FROM (VALUES (''), (NULL), ('x'), ('')) AS v (a); ")
    with copied(contract, opened_place) as readable:
        (batch,) = SourceReader(readable)
    assert batch.value == b'[{"a":""},{"a":null},{"a":"x"},{"a":""}]'


def test_columns_are_found_by_name(shop: Shop, tmp_path: Path) -> None:
    text = "SELECT 1 AS c, 'é\t' AS \"a\tb\", 2 AS a -- a comment"
    contract = query(tmp_path, text, "a", "c", sourceOtherColumns="ignored")
    with copied(contract, opened_place) as readable:
        (batch,) = SourceReader(readable)
    assert batch.value == b'[{"a":"2","c":"1"}]'
    with (
        pytest.raises(SourceError, match=r"connection 'shop': query SELECT 1 AS c, .*the header is not the contract's"),
        copied(query(tmp_path, text, "a", "c"), opened_place),
    ):
        pytest.fail("something could have been sent")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1; SELECT 2", "cannot insert multiple commands into a prepared statement"),
        ("SELECT 1 AS a) TO STDOUT; DROP TABLE t; --", 'syntax error at or near ")"'),
        ("SELECT 1 AS a) TO PROGRAM 'touch /tmp/x' --", 'syntax error at or near ")"'),
        ("DROP TABLE t", "gives no columns; write one SELECT"),
        ("SELEC 1", "syntax error at or near"),
        ("SELECT * FROM nowhere", 'relation "nowhere" does not exist'),
        ("SELECT * FROM hidden", "permission denied for table hidden"),
    ],
)
def test_what_is_not_one_query_is_refused(text: str, said: str, shop: Shop, tmp_path: Path) -> None:
    shop.run("CREATE TABLE t (a text)", "CREATE TABLE hidden (a text)")
    error = refused(query(tmp_path, text))
    assert isinstance(error, SourceError)
    assert said in str(error)
    assert str(error).startswith("connection 'shop': query ")


def test_a_query_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    shop.run("CREATE TABLE t (a text)", "INSERT INTO t VALUES ('x')", "GRANT ALL ON t TO PUBLIC")
    contract = query(tmp_path, "WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone")
    with pytest.raises(SourceError, match="read-only transaction"), copied(contract, opened_place):
        pytest.fail("something could have been sent")
    assert shop.run("SELECT a FROM t") == [("x",)]


def test_a_query_that_ends_midway_is_red(shop: Shop, tmp_path: Path) -> None:
    text = "SELECT (1000 / (2000 - n))::text AS a FROM generate_series(1, 5000) AS n"
    with pytest.raises(SourceError, match="division by zero"), copied(query(tmp_path, text), opened_place):
        pytest.fail("something could have been sent")
    # The server's end of the connection goes away.
    text = (
        "SELECT CASE n WHEN 4000 THEN pg_terminate_backend(pg_backend_pid())::text ELSE n::text END AS a "
        "FROM generate_series(1, 5000) AS n"
    )
    with pytest.raises(PlaceError, match="terminating connection"), copied(query(tmp_path, text), opened_place):
        pytest.fail("something could have been sent")


def test_credentials_that_are_refused_name_their_connection(shop: Shop, tmp_path: Path) -> None:
    shop.connect(password="a secret")
    error = refused(query(tmp_path, "SELECT 1 AS a"))
    assert isinstance(error, ConnectionSettingsError)
    assert "connection 'shop'" in str(error)
    shop.connect(port=1)
    error = refused(query(tmp_path, "SELECT 1 AS a"))
    assert isinstance(error, PlaceError)
    assert "PostgreSQL can't be reached" in str(error)
