"""Spark computes columns of a contract, and leaves records out: on the driver and on executors, with the same counts and rows."""

import hashlib
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.cli.show import show_load
from batchstream.cli.transform_preview import show
from batchstream.contract import Contract
from batchstream.errors import LoadError
from batchstream.postgres import relations
from batchstream.records.messages import NotComputed
from batchstream.spark import failures, load, transforming
from tests.support.cluster import Cluster
from tests.support.pipeline import LARGE, Pipeline


@pytest.fixture(params=["driver", "executors"])
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "executors":
        monkeypatch.setattr(load, "DRIVER_MESSAGES", -1)
    return str(request.param)


def derive(pipeline: Pipeline, derived: Mapping[str, tuple[str, str]], **settings: object) -> None:
    """Add columns by name: type and expression."""

    def edit(document: dict[str, Any]) -> None:
        properties = document["schema"][0]["properties"]
        for name, (kind, expression) in derived.items():
            properties.append({"name": name, "physicalType": kind, "transformLogic": expression, "required": True})
        document["customProperties"] += [{"property": name, "value": value} for name, value in settings.items()]

    pipeline.edit_contract(edit)


def rows(admin: psycopg.Connection, pipeline: Pipeline, columns: str) -> list[tuple[Any, ...]]:
    table = relations.target(pipeline.contract)
    return admin.execute(sql.SQL("SELECT {} FROM {} ORDER BY id").format(sql.SQL(columns), table)).fetchall()  # type: ignore[arg-type]


@pytest.mark.usefixtures("path")
def test_derived_columns_and_a_filter(
    pipeline: Pipeline,
    admin: psycopg.Connection,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Nothing is computed of what the filter leaves out: some of it can't be."""
    pipeline.expect_any_source()
    derived = {
        "per_room": ("double precision", "medv / RM"),
        "label": ("text", "concat('t', cast(rad as string), '\u00e9') -- a comment"),
        "ratio": ("double precision", "medv / (tax - 711)"),
    }
    derive(pipeline, derived, recordFilter="medv < 50 and tax <> 711")
    with caplog.at_level("INFO"):
        published = pipeline.reload()
    found = rows(admin, pipeline, "medv, rm, rad, per_room, label, ratio, id")
    source = [[float(value) for value in line.split()] for line in pipeline.contract.source.file.read_text().splitlines()[1:]]
    expected = [
        (line[13], line[5], line[8], line[13] / line[5], f"t{int(line[8])}\u00e9", line[13] / (line[9] - 711), number)
        for number, line in enumerate(source, 1)
        if line[13] < 50 and line[9] != 711
    ]
    assert 0 < len(expected) < 506
    assert found == expected
    load_row = pipeline.ledger(max_load(admin, pipeline))
    assert (load_row["consumed_records"], load_row["filtered_records"]) == (506, 506 - len(expected))
    assert published.inserted_rows == len(expected)
    assert "Generate posexplode(from_json(" in caplog.text
    assert f"landed={len(expected)} rejected=0 duplicates=0 other_loads=0 filtered={506 - len(expected)} rows_in" in caplog.text
    capsys.readouterr()
    show_load(admin, pipeline.contract, load_row, 1)
    assert f"filtered out       │ {506 - len(expected)} records" in capsys.readouterr().out
    assert pipeline.reload().inserted_rows == 0


def test_what_expressions_may_give(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    """Types with parts become JSON or an array, and no value is rounded."""
    pipeline.expect_any_source()
    derived = {
        "doc": ("jsonb", "named_struct('rad', rad, 'none', null)"),
        "parts": ("text[]", "array(cast(rad as string), null, 'a \"b\"')"),
        "raw": ("bytea", "unhex('00ff')"),
        "day": ("date", "to_date('31.01.2026', 'dd.MM.yyyy')"),
        "at": ("timestamptz", "timestamp'2026-01-31 10:00:00.123456'"),
        "exact": ("numeric(20,4)", "cast(medv as decimal(12,4))"),
        "small": ("smallint", "cast(rad as tinyint)"),
        "big": ("bigint", "9007199254740993L"),
        "hash": ("text", "sha2('a', 256)"),
    }
    derive(pipeline, derived)
    pipeline.reload()
    first, *_ = rows(admin, pipeline, ", ".join(derived))
    at = datetime(2026, 1, 31, 10, 0, 0, 123456, UTC)
    exact = [{"rad": 1, "none": None}, ["1", None, 'a "b"'], b"\0\xff", at.date(), at, Decimal("24.0000"), 1, 2**53 + 1]
    assert list(first) == [*exact, hashlib.sha256(b"a").hexdigest()]


def test_a_flood_of_records_that_cannot_be_computed_ends_the_load(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failures, "MAX_NOT_COMPUTED", 3)
    derive(pipeline, {"ratio": ("double precision", "medv / (tax - 711)")})
    with pytest.raises(LoadError, match=r"more than 3 records can't be computed; column 'ratio'"):
        pipeline.compute(pipeline.contract, [b'{"medv":1,"tax":711}'] * 4)


@pytest.mark.parametrize("name", ["pandas", "pyarrow"])
def test_the_extra_that_is_missing_is_named(housing: Contract, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(transforming, "find_spec", lambda package: None if package == name else "found")
    with pytest.raises(LoadError, match=rf"and {name} is not installed where it runs; install batchstream\[transforms\] there"):
        transforming.require_arrow(housing)


@pytest.mark.nightly
def test_executors_without_the_connector_are_told(pipeline: Pipeline, cluster: Cluster) -> None:
    pipeline.repeat_source(LARGE)
    derive(pipeline, {"twice": ("double precision", "2 * medv")})
    load_id = pipeline.produced()
    process = pipeline.submit(
        load_id, master=cluster.url, **{"spark.executor.memory": "512m", "spark.executor.extraClassPath": ""}
    )
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 1, output[-3000:]
    assert "executors lack the jars of Spark's Kafka connector" in pipeline.ledger(load_id)["reason"]


def max_load(admin: psycopg.Connection, pipeline: Pipeline) -> int:
    row = admin.execute("SELECT max(load_id) FROM batchstream.loads WHERE dataset = %s", [pipeline.name]).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.usefixtures("path")
def test_a_record_that_cannot_be_computed_costs_itself(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.expect_any_source()
    pipeline.allow_rejected(200)
    derive(pipeline, {"twice": ("double precision", "2 * medv"), "ratio": ("double precision", "medv / (tax - 711)")})
    pipeline.reload()
    found = rows(admin, pipeline, "id, twice")
    source = [line.split() for line in pipeline.contract.source.file.read_text().splitlines()[1:]]
    assert found == [(number, 2 * float(line[13])) for number, line in enumerate(source, 1) if line[9] != "711"]
    refused = pipeline.quarantine(max_load(admin, pipeline))
    assert [row[3] for row in refused] == [number for number, line in enumerate(source, 1) if line[9] == "711"]
    assert "column 'ratio': transformLogic 'medv / (tax - 711)' can't be computed of tax = 711, medv = " in refused[0][5]
    assert "[DIVIDE_BY_ZERO] Division by zero" in refused[0][5]


@pytest.mark.parametrize(
    ("kind", "expression", "told"),
    [
        ("integer", "medv / rm", "gives double, and the column is integer; write cast(medv / rm as int)"),
        ("text", "no_such_function(medv)", "[UNRESOLVED_ROUTINE]"),
        ("double precision", "upper(medv) + array(1)", "[DATATYPE_MISMATCH"),
    ],
)
def test_an_expression_that_spark_refuses(pipeline: Pipeline, kind: str, expression: str, told: str) -> None:
    derive(pipeline, {"x": (kind, expression)})
    load_id = pipeline.produced()
    with pytest.raises(LoadError) as error:
        pipeline.consume(load_id)
    assert told in str(error.value)
    assert "\n" not in str(error.value)


def test_what_could_not_be_computed_is_replayed_by_a_mended_contract(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    """One of them the mended filter leaves out: it is accounted for, and has not landed."""
    pipeline.expect_any_source()
    derive(pipeline, {"ratio": ("double precision", "medv / (tax - 711)")}, recordFilter="true")
    load_id = pipeline.land()
    passed, message = pipeline.verify(load_id)
    assert not passed
    assert "5 rejected, the contract allows 0" in message
    pipeline.fail(load_id, message)
    with pytest.raises(LoadError, match=r"still rejected, at partition 0 .* can't be computed of tax = 711"):
        pipeline.replay(load_id)
    text = pipeline.contract_path.read_text()
    pipeline.contract_path.write_text(
        text.replace("medv / (tax - 711)", "medv / nullif(tax - 711, 0)").replace("value: 'true'", "value: tax < 711 or b > 350")
    )
    with pytest.raises(LoadError, match="is not double precision NOT NULL"):
        pipeline.replay(load_id)
    text = pipeline.contract_path.read_text()
    pipeline.contract_path.write_text(text.replace("nullif(tax - 711, 0)", "if(tax = 711, 1, tax - 711)"))
    assert "published" in pipeline.replay(load_id)
    source = [[float(value) for value in line.split()] for line in pipeline.contract.source.file.read_text().splitlines()[1:]]
    late = [number for number, line in enumerate(source, 1) if line[9] == 711 and line[11] > 350]
    assert 0 < len(late) < 5
    assert rows(admin, pipeline, "id, ratio") == [
        (number, line[13] / (1 if line[9] == 711 else line[9] - 711))
        for number, line in enumerate(source, 1)
        if line[9] != 711 or number in late
    ]


def test_a_preview_shows_what_goes_in_and_what_comes_out(pipeline: Pipeline, capsys: pytest.CaptureFixture[str]) -> None:
    derive(pipeline, {"ratio": ("double precision", "rm / (rad - 3)")}, recordFilter="medv <> 36.2")
    show(pipeline.contract, pipeline.compute)
    lines = [[cell.strip() for cell in line.split("│")[1:-1]] for line in capsys.readouterr().out.splitlines() if "│" in line]
    assert lines[0] == ["1", "6.575", "1", "24.0", str(6.575 / (1 - 3)), ""]
    assert ["5", "7.147", "3", "36.2", "", "filtered out"] in lines
    assert lines[3][:5] == ["4", "6.998", "3", "33.4", ""]
    assert "can't be computed of rm = 6.998, rad = 3" in " ".join(cells[-1] for cells in lines)


def test_a_process_of_its_own_computes(pipeline: Pipeline) -> None:
    """As replay and preview do it."""
    derive(pipeline, {"ratio": ("double precision", "medv / rm")})
    code = (
        "import os, sys; from pathlib import Path; from batchstream.contract import load_contract; "
        "from batchstream.spark.local_session import compute_here; "
        "print(compute_here(os.environ, load_contract(Path(sys.argv[1])), [sys.argv[2].encode()]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(pipeline.contract_path), '{"medv":7.0,"rm":2.0}'],
        env=pipeline.installation.environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == """[b'{"ratio":3.5}']"""


def test_a_value_that_spark_cannot_have_is_not_taken_for_null(pipeline: Pipeline) -> None:
    derive(pipeline, {"ratio": ("double precision", "coalesce(medv, 0) / rm")})
    good, bad = pipeline.compute(pipeline.contract, [b'{"medv":1.0,"rm":2.0}', b'{"medv":"x","rm":2.0}'])
    assert good == b'{"ratio":0.5}'
    assert isinstance(bad, NotComputed)
    assert bad.reason.startswith('a value of it can\'t be computed of medv = "x", rm = 2.0: [MALFORMED_RECORD_IN_PARSING')
