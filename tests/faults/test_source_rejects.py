"""Bad records of a source: allowed, they cost themselves; not allowed, all of them are told; mended, they are replayed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.errors import LoadError, SourceError
from batchstream.postgres import relations
from tests.support.pipeline import Pipeline

BAD = {3: "x", 4: "y", 205: "z"}
"""Line of the source → what stands there in place of a number; records 2, 3 and 204."""


@pytest.fixture
def spoiled(pipeline: Pipeline) -> Pipeline:
    """Housing with three bad records."""
    pipeline.expect_any_source()
    path = pipeline.contract.source.path
    lines = path.read_text().splitlines()
    for line, text in BAD.items():
        lines[line - 1] = " ".join([text, *lines[line - 1].split()[1:]])
    path.write_text("\n".join(lines) + "\n")
    return pipeline


def allow(pipeline: Pipeline, allowed: int | str) -> None:
    def edit(document: dict[str, Any]) -> None:
        for entry in document["customProperties"]:
            if entry["property"] == "rejectedRecordsAllowed":
                entry["value"] = allowed

    pipeline.edit_contract(edit)


def rejects(admin: psycopg.Connection, load_id: int) -> list[tuple[Any, ...]]:
    return admin.execute(
        "SELECT record_id, line, column_name, left(raw, 1), topic FROM batchstream.quarantine WHERE load_id = %s ORDER BY line",
        [load_id],
    ).fetchall()


@contextmanager
def failing_to_reopen(admin: psycopg.Connection, load_id: int) -> Iterator[None]:
    """What comes last in a replay before the checks."""
    admin.execute(
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$; "
        "CREATE TRIGGER refuse BEFORE UPDATE ON batchstream.loads FOR EACH ROW "
        f"WHEN (NEW.load_id = {load_id} AND NEW.state = 'landed') EXECUTE FUNCTION public.refuse()"
    )
    try:
        yield
    finally:
        admin.execute("DROP TRIGGER refuse ON batchstream.loads; DROP FUNCTION public.refuse()")


IN_QUARANTINE = [(2, 3, "crim", "x", None), (3, 4, "crim", "y", None), (204, 205, "crim", "z", None)]


@pytest.mark.parametrize("allowed", [3, "1%"])
def test_the_others_load(spoiled: Pipeline, admin: psycopg.Connection, path: str, allowed: int | str) -> None:
    allow(spoiled, allowed)
    load_id = spoiled.land()
    assert spoiled.verify(load_id) == (True, f"every quality rule of {spoiled.name} holds")
    assert spoiled.publish(load_id).published_rows == 503
    assert rejects(admin, load_id) == IN_QUARANTINE
    load = spoiled.ledger(load_id)
    counts = ("source_records", "source_rejected_records", "produced_records", "landed_records", "quarantined_records")
    assert [load[name] for name in counts] == [506, 3, 503, 503, 3]
    missing = "SELECT array_agg(n ORDER BY n) FROM generate_series(1, 506) AS n WHERE n NOT IN (SELECT id FROM {})"
    assert admin.execute(missing.format(spoiled.name)).fetchone() == ([2, 3, 204],)


def test_too_many_are_all_told(spoiled: Pipeline, admin: psycopg.Connection) -> None:
    allow(spoiled, 2)
    load_id = spoiled.open()
    spoiled.create_topic(load_id)
    with pytest.raises(
        SourceError, match=r"3 of 506 records break the contract, rejectedRecordsAllowed is 2(.|\n)*line 205"
    ) as refused:
        spoiled.produce(load_id)
    found = refused.value
    assert (found.dataset, found.load_id, found.path) == (spoiled.name, load_id, str(spoiled.contract.source.path))
    assert (found.topic, found.partition) == (None, None)
    assert rejects(admin, load_id) == IN_QUARANTINE
    assert spoiled.ledger(load_id)["state"] == "opened"


def test_the_check_counts_them_again(spoiled: Pipeline, admin: psycopg.Connection) -> None:
    """The producer's own judgement isn't trusted: somebody may have changed the ledger's contract in between."""
    allow(spoiled, 3)
    load_id = spoiled.land()
    # One of a try before, whose rejects don't count.
    admin.execute(
        "INSERT INTO batchstream.quarantine (load_id, attempt, source_path, line, record_id, raw, reason, replayed_at) "
        "SELECT load_id, attempt - 1, source_path, line, record_id, raw, reason, clock_timestamp() FROM batchstream.quarantine "
        "WHERE load_id = %s AND line = 3",
        [load_id],
    )
    assert spoiled.verify(load_id)[0]
    allow(spoiled, 2)
    text = spoiled.contract_path.read_text()
    admin.execute("UPDATE batchstream.loads SET contract_text = %s WHERE load_id = %s", [text, load_id])
    passed, message = spoiled.verify(load_id)
    assert not passed
    assert f"3 rejected, the contract allows 2. The first, at {spoiled.contract.source.path} line 3: column 'crim'" in message


def test_mended_in_the_contract_they_are_replayed(spoiled: Pipeline, admin: psycopg.Connection) -> None:
    allow(spoiled, 3)

    def crim(document: dict[str, Any]) -> dict[str, Any]:
        return next(column for column in document["schema"][0]["properties"] if column["name"] == "crim")

    lines = [line.split() for line in spoiled.contract.source.path.read_text().splitlines()]
    for line in BAD:
        lines[line - 1][0] = "-1"
    # The last column first, so that the header has to be known for a replay.
    spoiled.contract.source.path.write_text("".join(" ".join(reversed(line)) + "\n" for line in lines))
    load_id = spoiled.land()
    assert admin.execute(
        "SELECT header, records, rejected_records FROM batchstream.source_files WHERE load_id = %s", [load_id]
    ).fetchall() == [(" ".join(reversed(lines[0])) + "\n", 506, 3)]
    spoiled.fail(load_id, "three are missing")
    allow(spoiled, 0)
    with pytest.raises(LoadError, match=r"still rejected, at .*: line 3: column 'crim'") as refused:
        spoiled.replay(load_id)
    assert "0 records replayed, nothing was published" in str(refused.value)
    spoiled.edit_contract(lambda document: crim(document).pop("logicalTypeOptions"))
    with failing_to_reopen(admin, load_id), pytest.raises(LoadError, match="its replay: PostgreSQL refused it: not now"):
        spoiled.replay(load_id)
    # All of it or nothing: or the next replay would land them twice.
    landing = relations.landing(spoiled.contract, load_id)
    assert admin.execute(sql.SQL("SELECT count(*) FROM {}").format(landing)).fetchone() == (503,)
    replayed = "SELECT count(replayed_at) FROM batchstream.quarantine WHERE load_id = %s"
    assert admin.execute(replayed, [load_id]).fetchone() == (0,)
    assert "3 records replayed, published" in spoiled.replay(load_id)
    shown = admin.execute(f"SELECT {', '.join(lines[0])} FROM {spoiled.name} ORDER BY id").fetchall()
    assert shown == [tuple(map(float, line)) for line in lines[1:]]
