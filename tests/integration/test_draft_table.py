"""The contract that is drafted for a table of PostgreSQL: the table that it makes has the columns of that one."""

import os
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchstream.cli import table_server
from batchstream.cli.contract_new import Wanted, write
from batchstream.contract import load_contract
from batchstream.contract.odcs import parse_contract
from batchstream.contract.own_types import all_known
from batchstream.contract.text import contract_text
from batchstream.errors import ConnectionSettingsError, SourceError
from batchstream.local.installation import Installation
from batchstream.postgres import columns, names, own_types

TABLE = """
CREATE SCHEMA {0};
CREATE TYPE {0}."Mood" AS ENUM ('sad', 'glad');
CREATE DOMAIN {0}.mail AS varchar(40) CHECK (VALUE LIKE '%@%');
CREATE TABLE {0}."Odd: table" (
    day date,
    "No." bigint GENERATED ALWAYS AS IDENTITY,
    mood {0}."Mood" NOT NULL,
    mail {0}.mail UNIQUE,
    amount numeric(9,2) NOT NULL,
    at timestamp(3) with time zone,
    tags text[],
    char character(3),
    doc jsonb,
    dropped integer,
    PRIMARY KEY ("No.", day)
);
ALTER TABLE {0}."Odd: table" DROP COLUMN dropped;
GRANT USAGE ON SCHEMA {0} TO {1}, {2};
COMMENT ON TABLE {0}."Odd: table" IS E'Orders:\\n"all" # of them';
COMMENT ON COLUMN {0}."Odd: table".day IS 'when: always';
CREATE TABLE {0}.further (span int4range, price money, page xml, moods {0}."Mood"[], n integer)
"""
PASSWORD = "never-in-a-contract"


@pytest.fixture
def schema(admin: psycopg.Connection) -> str:
    name = f"draft_{os.urandom(4).hex()}"
    admin.execute(sql.SQL(TABLE).format(*map(sql.Identifier, (name, names.OWNER, names.LOADER))))
    return name


@pytest.fixture
def url(installation: Installation) -> str:
    found = installation.engines().owner
    return f"postgresql://{found.user}:{found.password}@{found.host}:{found.port}/{found.dbname}"


def drafted(url: str, table: str, at: Path, connection_id: str | None = None) -> str:
    assert write(Wanted([url], table, connection_id, at)) == 0
    return at.read_text()


def test_the_contract_of_a_table_makes_its_columns(url: str, schema: str, admin: psycopg.Connection, tmp_path: Path) -> None:
    at = tmp_path / "dags" / "contracts" / "x.odcs.yaml"
    text = drafted(url, f'{schema}."Odd: table"', at, "shop")
    assert f'- {{property: sourceTable, value: "{schema}.\\"Odd: table\\""}}' in text
    assert "- {property: sourceConnection, value: shop}" in text
    contract = load_contract(at)
    assert (contract.name, contract.keys, contract.description) == ("Odd: table", ("No.", "day"), 'Orders:\n"all" # of them')
    assert [check.name for check in contract.checks if "mail" in check.name] != []
    types = own_types.find(admin, contract)
    known = parse_contract(contract_text(at), at, types=all_known(types))
    admin.execute(
        sql.SQL("CREATE TABLE {}.copy ({})").format(sql.Identifier(schema), sql.SQL(", ").join(columns.definitions(known)))
    )
    shape = (
        "SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = %s::regclass "
        "AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
    )
    assert admin.execute(shape, [f"{schema}.copy"]).fetchall() == admin.execute(shape, [f'{schema}."Odd: table"']).fetchall()


def test_what_no_column_can_be_is_text_and_said(url: str, schema: str, tmp_path: Path) -> None:
    at = tmp_path / "dags" / "contracts" / "x.odcs.yaml"
    assert "# sourceConnection: the id of an Airflow connection to this database" in drafted(url, f"{schema}.further", at)
    at.unlink()
    text = drafted(url, f"{schema}.further", at, "shop")
    assert "physicalType: text  # not certain: int4range there" in text
    assert "physicalType: text  # not certain: money there" in text
    assert [column.type.sql for column in load_contract(at).columns] == ["text", "text", "text", "text", "integer"]


def test_a_password_is_neither_in_the_contract_nor_in_an_error(url: str, schema: str, tmp_path: Path) -> None:
    password = url.partition("@")[0].rpartition(":")[2]
    assert password not in drafted(url, f"{schema}.further", tmp_path / "x.odcs.yaml")
    for wrong in (url.replace(password, PASSWORD), f"postgresql://a:{PASSWORD}@localhost:x/b", f"postgresql://a:{PASSWORD}@[/b"):
        with pytest.raises(ConnectionSettingsError) as caught:
            table_server.connected(wrong, None)
        assert PASSWORD not in str(caught.value)


def test_a_table_that_is_not_there_or_not_named_is_told_with_those_that_are(
    url: str, schema: str, admin: psycopg.Connection, tmp_path: Path
) -> None:
    admin.execute(sql.SQL("REVOKE ALL ON SCHEMA {} FROM {}").format(sql.Identifier(schema), sql.Identifier(names.OWNER)))
    with pytest.raises(SourceError, match=f"table {schema}.further: permission denied for schema {schema}; mend the name, or"):
        write(Wanted([url], f"{schema}.further", None, tmp_path / "x.odcs.yaml"))
    for table, said in ((None, "no table is named"), ("no.such", "there is no table no.such")):
        with pytest.raises(SourceError, match=f"database '{names.DATABASE}': {said}; name one of its tables by --table: "):
            write(Wanted([url], table, None, tmp_path / "x.odcs.yaml"))


def test_a_connection_of_airflow_says_where_the_table_is(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, url: str, schema: str, tmp_path: Path
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", url)
    monkeypatch.setattr(table_server, "Installation", lambda: installation)
    assert write(Wanted([], f"{schema}.further", "shop", tmp_path / "x.odcs.yaml")) == 0
    assert "{property: sourceConnection, value: shop}" in (tmp_path / "x.odcs.yaml").read_text()
