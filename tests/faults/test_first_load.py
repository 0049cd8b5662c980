"""The first load of a dataset: key and indexes of its table are built after the rows, and nobody waits for them."""

import time

import psycopg
import pytest
from psycopg import sql

from batchstream.errors import LoadError
from batchstream.postgres import opening, setup, target, templates
from tests.faults.conftest import Hold
from tests.support.pipeline import Pipeline


def indexes(admin: psycopg.Connection, pipeline: Pipeline) -> dict[str, bool]:
    """The indexes of the table by name, and whether each is the primary key."""
    rows = admin.execute(
        "SELECT indexrelid::regclass::text, indisprimary FROM pg_index WHERE indrelid = %s::regclass",
        [templates.target(pipeline.contract).as_string(admin)],
    ).fetchall()
    return {name.removeprefix(f"{pipeline.name}_"): primary for name, primary in rows}


COMPLETE = {"pkey": True, "created_at_idx": False, "medv_idx": False}


def test_key_and_indexes_are_there_after_the_first_load(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    assert indexes(admin, pipeline) == {}
    assert pipeline.verify(load_id)[0]
    assert pipeline.publish(load_id) == (506, 0, 0, 506)
    assert indexes(admin, pipeline) == COMPLETE
    assert pipeline.shows_source()


def test_a_reader_in_a_long_transaction_delays_the_primary_key_alone(
    pipeline: Pipeline, admin: psycopg.Connection, hold: Hold
) -> None:
    load_id = pipeline.land()
    assert pipeline.verify(load_id)[0]
    with hold(f"public.{pipeline.name}", "ACCESS SHARE"):
        begun = time.monotonic()
        assert pipeline.publish(load_id) == (506, 0, 0, 506)
        assert time.monotonic() - begun < 4 * target.DECLARE_SECONDS
        assert indexes(admin, pipeline) == {**COMPLETE, "pkey": False}
        assert pipeline.shows_source()
        with pytest.raises(psycopg.errors.UniqueViolation):
            admin.execute(sql.SQL("INSERT INTO {0} SELECT * FROM {0} LIMIT 1").format(templates.target(pipeline.contract)))
    assert pipeline.reload() == (0, 0, 0, 506)
    assert indexes(admin, pipeline) == COMPLETE


def test_rows_that_somebody_put_there_before_give_way(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    landing = templates.landing(pipeline.contract, load_id)
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in pipeline.contract.columns)
    admin.execute(
        sql.SQL("INSERT INTO {} (id, {}, load_id) SELECT record_id + 500, {}, 0 FROM {} WHERE record_id <= 10").format(
            templates.target(pipeline.contract), columns, columns, landing
        )
    )
    assert pipeline.verify(load_id)[0]
    assert pipeline.publish(load_id) == (500, 6, 4, 506)
    assert indexes(admin, pipeline) == COMPLETE
    assert pipeline.shows_source()


def test_an_index_that_the_contract_got_later_is_built(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.reload()
    admin.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", f"{pipeline.name}_medv_idx")))
    with pipeline.connect(setup.OWNER) as connection:
        opening.make_tables(connection, pipeline.contract)
    assert indexes(admin, pipeline) == COMPLETE


@pytest.mark.parametrize("loads_before", [0, 1])
def test_a_repeated_key_is_told_and_changes_nothing(
    orders_pipeline: Pipeline, admin: psycopg.Connection, loads_before: int
) -> None:
    for _ in range(loads_before):
        orders_pipeline.reload()
    load_id = orders_pipeline.land()
    before = orders_pipeline.checksum()
    orders_pipeline.repeat_a_key(admin, load_id)
    with pytest.raises(LoadError, match=r"a key must be unique, .* occurs 2 times"):
        orders_pipeline.publish(load_id)
    assert orders_pipeline.checksum() == before
    orders_pipeline.fail(load_id, "the key stands twice")
    assert orders_pipeline.reload().inserted_rows == (0 if loads_before else 257)
