"""Enum types and domains of the database as types of columns: looked up when a load opens, and a bad value costs its record."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.contract.model import Publish
from batchstream.errors import ContractError, LoadError
from batchstream.local.installation import Installation
from batchstream.postgres import names
from tests.support.whole import WholeDataset


@pytest.fixture
def schema(admin: psycopg.Connection) -> Iterator[str]:
    """A schema with types of somebody's own, which the loading role may use."""
    name = f"shop_{os.urandom(4).hex()}"
    admin.execute(
        sql.SQL(
            """
            CREATE SCHEMA {0};
            GRANT USAGE ON SCHEMA {0} TO {1}, {2};
            CREATE TYPE {0}."Mood" AS ENUM ('sad', 'so so', 'glad');
            CREATE DOMAIN {0}.mail AS varchar(9) CHECK (VALUE LIKE '%@%');
            CREATE DOMAIN {0}.small AS integer CHECK (VALUE > 0);
            CREATE DOMAIN {0}.smaller AS {0}.small CHECK (VALUE < 10);
            CREATE DOMAIN {0}.certain AS {0}.small NOT NULL;
            CREATE DOMAIN {0}.letters AS text[] CHECK (cardinality(VALUE) < 3);
            CREATE DOMAIN {0}.low AS {0}."Mood" CHECK (VALUE < 'glad');
            CREATE TYPE {0}.pair AS (a integer, b integer)
            """
        ).format(*map(sql.Identifier, (name, names.OWNER, names.LOADER)))
    )
    yield name
    admin.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


def table_of(schema: str, **changed: dict[str, Any]) -> dict[str, Any]:
    types = {"mood": '"Mood"', "mail": "mail", "small": "smaller", "certain": "certain", "letters": "letters", "low": "low"}
    columns = [{"name": name, "physicalType": f"{schema}.{kind}", **changed.get(name, {})} for name, kind in types.items()]
    return {
        "name": f"t_{schema}",
        "properties": [{"name": "key", "physicalType": "int", "primaryKey": True}, *columns],
    }


def record(key: int, **changed: str) -> list[str]:
    fields = dict(
        zip(("mood", "mail", "small", "certain", "letters", "low"), ("sad", "e@f", "3", "1", "{a,b}", "sad"), strict=True)
    )
    return [str(key), *{**fields, **changed}.values()]


@pytest.mark.parametrize("way", Publish)
def test_columns_have_types_of_the_database(
    way: Publish, installation: Installation, tmp_path: Path, schema: str, admin: psycopg.Connection
) -> None:
    dataset = WholeDataset(
        installation, tmp_path / "x", table_of(schema, letters={"required": False}), publish=str(way), rejectedRecordsAllowed=5
    )
    good = [record(1, mood="so so"), record(2, small="", letters="")]
    bad = {
        "mood": record(3, mood="angry"),
        "mail": record(4, mail="nobody"),
        "small": record(5, small="10"),
        "certain": record(6, certain=""),
        "low": record(7, low="glad"),
    }
    # The good ones stand between the bad ones.
    dataset.load([good[0], *bad.values(), good[1]])
    assert dataset.rows(admin) == [
        (1, "so so", "e@f", 3, 1, ["a", "b"], "sad"),
        (2, "sad", "e@f", None, 1, None, "sad"),
    ]
    kinds = admin.execute(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attname IN ('mood', 'mail') ORDER BY attname",
        [dataset.contract.name],
    ).fetchall()
    assert kinds == [(f"{schema}.mail",), (f'{schema}."Mood"',)]
    reasons = [
        reason
        for (reason,) in admin.execute(
            "SELECT q.reason FROM batchstream.quarantine AS q JOIN batchstream.loads USING (load_id) WHERE dataset = %s "
            "ORDER BY record_id",
            [dataset.contract.name],
        )
    ]
    assert [reason.partition(":")[0] for reason in reasons] == [f"column '{name}'" for name in bad]
    assert "'angry'" in reasons[0]
    assert "'nobody' breaks its domain: value for domain" in reasons[1]
    assert "mail_check" in reasons[1]
    assert "NULL breaks its domain" in reasons[3]
    # Once more, now that the table is there.
    assert dataset.load([record(1), good[1]]).published_rows == 2


def test_a_replay_asks_the_domain_again(
    installation: Installation, tmp_path: Path, schema: str, admin: psycopg.Connection
) -> None:
    dataset = WholeDataset(installation, tmp_path / "x", table_of(schema))
    with pytest.raises(LoadError, match="rejected"):
        dataset.load([record(1), record(2, mail="nobody")])
    with pytest.raises(LoadError, match="still rejected: column 'mail': 'nobody' breaks its domain"):
        dataset.replay()
    admin.execute(sql.SQL("ALTER DOMAIN {}.mail DROP CONSTRAINT mail_check").format(sql.Identifier(schema)))
    assert "1 records replayed" in dataset.replay()


@pytest.mark.parametrize(
    ("mood", "said"),
    [
        ({"physicalType": "{}.none"}, "is none of PostgreSQL's, and database 'kafka_streaming' has none of that name"),
        ({"physicalType": "{}.pair"}, "is a composite type, and no enum type or domain; write another type"),
        ({"enum": [{"value": "angry"}]}, "enum: got 'angry', which is none of"),
        ({"logicalTypeOptions": {"minLength": 3}}, "enum: can't be combined with logicalTypeOptions"),
    ],
)
def test_what_does_not_fit_the_database_is_told_before_anything_is_made(
    mood: dict[str, Any], said: str, installation: Installation, tmp_path: Path, schema: str
) -> None:
    mood = {name: value.format(schema) if isinstance(value, str) else value for name, value in mood.items()}
    dataset = WholeDataset(installation, tmp_path / "x", table_of(schema, mood=mood))
    with pytest.raises(ContractError) as caught:
        dataset.load([record(1)])
    assert f"column 'mood': {said}" in str(caught.value) or f"column 'mood': physicalType: type '{schema}." in str(caught.value)
    assert said in str(caught.value)


def test_a_schema_that_the_loading_role_may_not_use_is_told(
    installation: Installation, tmp_path: Path, schema: str, admin: psycopg.Connection
) -> None:
    admin.execute(sql.SQL("REVOKE USAGE ON SCHEMA {} FROM {}").format(sql.Identifier(schema), sql.Identifier(names.LOADER)))
    dataset = WholeDataset(installation, tmp_path / "x", table_of(schema))
    with pytest.raises(ContractError, match=f"GRANT USAGE ON SCHEMA {schema} TO kafka_user"):
        dataset.load([record(1)])


def test_a_type_that_gets_a_label_later_is_as_the_load_began(
    installation: Installation, tmp_path: Path, schema: str, admin: psycopg.Connection
) -> None:
    dataset = WholeDataset(installation, tmp_path / "x", table_of(schema), rejectedRecordsAllowed=1)
    assert dataset.load([record(1), record(2, mood="angry")]).published_rows == 1
    admin.execute(sql.SQL("ALTER TYPE {}.\"Mood\" ADD VALUE 'angry'").format(sql.Identifier(schema)))
    assert dataset.load([record(1), record(2, mood="angry")]).published_rows == 2
