"""The plain case first: a reload, the same again, and one with changes."""

import csv
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchstream.errors import LoadError
from batchstream.postgres import housekeeping, relations
from tests.faults.conftest import approve
from tests.support.pipeline import Pipeline


def _written(admin: psycopg.Connection, pipeline: Pipeline) -> tuple[int, ...]:
    """PostgreSQL's own count of rows inserted, updated and deleted in the target."""
    admin.execute("SELECT pg_stat_force_next_flush()")
    row = admin.execute(
        "SELECT n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables WHERE relid = %s::regclass",
        [relations.target(pipeline.contract).as_string(admin)],
    ).fetchone()
    assert row is not None
    return tuple(row)


def _stamps(admin: psycopg.Connection, pipeline: Pipeline) -> list[tuple[object, ...]]:
    query = sql.SQL("SELECT id, created_at, updated_at FROM {} ORDER BY id").format(relations.target(pipeline.contract))
    return admin.execute(query).fetchall()


def test_ten_reloads_of_the_same_source_write_506_rows_once(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    assert pipeline.reload() == (506, 0, 0, 506)
    assert pipeline.checksum() == pipeline.expected_checksum()
    first = _stamps(admin, pipeline)
    for _ in range(9):
        assert pipeline.reload() == (0, 0, 0, 506)
    assert pipeline.checksum() == pipeline.expected_checksum()
    assert _stamps(admin, pipeline) == first
    assert _written(admin, pipeline) == (506, 0, 0)


def test_old_landings_and_checkpoints_are_removed(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    for _ in range(housekeeping.KEPT_LOADS + 2):
        load_id = pipeline.land()
        assert pipeline.verify(load_id)[0]
        pipeline.publish(load_id)
    landings = admin.execute(
        "SELECT count(*) FROM pg_tables WHERE schemaname = 'landing' AND tablename LIKE %s", [f"{pipeline.name}%"]
    ).fetchone()
    assert landings == (housekeeping.KEPT_LOADS,)
    folders = list((Path(pipeline.job(load_id).checkpoints) / pipeline.name).iterdir())
    assert len(folders) == housekeeping.KEPT_LOADS
    admin.execute(
        "UPDATE batchstream.loads SET closed_at = now() - make_interval(days => %s) WHERE dataset = %s",
        [housekeeping.KEPT_DAYS + 1, pipeline.name],
    )
    pipeline.open()
    inbox = "SELECT count(*) FROM batchstream.batches JOIN batchstream.loads USING (load_id) WHERE dataset = %s"
    assert admin.execute(inbox, [pipeline.name]).fetchone() == (0,)


def test_three_changed_two_removed_and_one_added_are_what_the_ledger_says(
    orders_pipeline: Pipeline, admin: psycopg.Connection, path: str
) -> None:
    path_of_source = orders_pipeline.contract.source.path
    orders_pipeline.reload()
    with path_of_source.open(newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    before = _rows(admin, orders_pipeline)
    quantity = header.index("quantity")
    changed, removed = [rows[n][0] for n in (3, 100, 250)], [rows[n][0] for n in (0, 128)]
    for row in rows:
        if row[0] in changed:
            row[quantity] = str(int(row[quantity]) % 100 + 200)
    rows = [row for row in rows if row[0] not in removed]
    rows.insert(77, ["NE-0001", *rows[5][1:]])
    with path_of_source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
    assert orders_pipeline.reload() == (1, 3, 2, 256)
    after = _rows(admin, orders_pipeline)
    assert set(before) - set(after) == set(removed)
    assert set(after) - set(before) == {"NE-0001"}
    assert {key for key in set(before) & set(after) if before[key] != after[key]} == set(changed)
    for key in changed:
        assert after[key][0] == before[key][0]  # created_at stays.
    load = admin.execute(
        "SELECT inserted_rows, updated_rows, deleted_rows FROM batchstream.loads WHERE dataset = %s "
        "ORDER BY load_id DESC LIMIT 1",
        [orders_pipeline.name],
    ).fetchone()
    assert load == (1, 3, 2)


def test_a_record_that_stands_twice_is_told_when_the_target_has_it_already(orders_pipeline: Pipeline) -> None:
    orders_pipeline.reload()
    before = orders_pipeline.checksum()
    source = orders_pipeline.contract.source.path
    with source.open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    with source.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([*rows, rows[7]])
    load_id = orders_pipeline.land()
    # This contract has a rule for it, another one may have none.
    approve(orders_pipeline, load_id)
    with pytest.raises(LoadError, match=r"a key must be unique, .* occurs 2 times, first in record 7, last in record 258"):
        orders_pipeline.publish(load_id)
    assert orders_pipeline.checksum() == before


def _rows(admin: psycopg.Connection, pipeline: Pipeline) -> dict[str, tuple[object, ...]]:
    """created_at, then the dataset's columns, by key."""
    contract = pipeline.contract
    columns = [sql.Identifier("created_at"), *(sql.Identifier(column.name) for column in contract.columns)]
    query = sql.SQL("SELECT {}, {} FROM {}").format(
        sql.SQL(", ").join(map(sql.Identifier, contract.key_columns)), sql.SQL(", ").join(columns), relations.target(contract)
    )
    return {row[0]: row[1:] for row in admin.execute(query)}
