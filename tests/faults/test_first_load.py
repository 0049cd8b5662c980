"""The first load of a dataset: its landing becomes the table that readers see, with key and indexes, or nothing changes."""

import time
from collections.abc import Callable

import psycopg
import pytest
from psycopg import sql

from batchstream.cli import show
from batchstream.errors import LoadError, SinkError
from batchstream.postgres import names, relations
from batchstream.postgres.publish import indexes as index_module
from batchstream.postgres.tables import make_tables
from tests.faults.conftest import Hold, approve
from tests.support.pipeline import Pipeline


def indexes(admin: psycopg.Connection, pipeline: Pipeline) -> dict[str, bool]:
    """The columns with an index, and whether that is the primary key."""
    rows = admin.execute(
        "SELECT a.attname, indisprimary FROM pg_index JOIN pg_attribute AS a ON a.attrelid = indrelid AND a.attnum = indkey[0] "
        "WHERE indrelid = to_regclass(%s)",
        [relations.target(pipeline.contract).as_string(admin)],
    ).fetchall()
    assert len(rows) == len(dict(rows))
    return dict(rows)


COMPLETE = {"id": True, "created_at": False, "medv": False}


@pytest.fixture
def table(admin: psycopg.Connection) -> Callable[[Pipeline, int], None]:
    """Makes the table of a dataset before its first load, as its owner may, to grant rights on it; copies no index."""

    def make(pipeline: Pipeline, load_id: int) -> None:
        target, landing = relations.target(pipeline.contract), relations.landing(pipeline.contract, load_id)
        admin.execute(
            sql.SQL(
                "CREATE TABLE {0} (LIKE {1}, created_at timestamptz NOT NULL DEFAULT now(), "
                "updated_at timestamptz NOT NULL DEFAULT now(), load_id bigint NOT NULL); "
                "ALTER TABLE {0} RENAME COLUMN record_id TO id; ALTER TABLE {0} OWNER TO batchstream_owner; "
                "GRANT INSERT, UPDATE ON {0} TO kafka_user; GRANT SELECT ON {0} TO kafka_reader"
            ).format(target, landing)
        )

    return make


def test_the_landing_becomes_the_table_with_key_and_indexes(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    landing = relations.landing(pipeline.contract, load_id).as_string(admin)
    file = admin.execute("SELECT pg_relation_filenode(%s)", [landing]).fetchone()
    assert pipeline.checksum() is None
    assert pipeline.verify(load_id)[0]
    assert pipeline.publish(load_id) == (506, 0, 0, 506)
    assert indexes(admin, pipeline) == COMPLETE
    assert pipeline.shows_source()
    target = relations.target(pipeline.contract).as_string(admin)
    # Not one row was copied.
    assert admin.execute("SELECT pg_relation_filenode(%s), to_regclass(%s)", [target, landing]).fetchone() == (
        *(file or ()),
        None,
    )
    assert admin.execute("SELECT reloptions FROM pg_class WHERE oid = %s::regclass", [target]).fetchone() == (None,)
    defaults = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND atthasdef ORDER BY attname"
    assert admin.execute(defaults, [target]).fetchall() == [("created_at",), ("updated_at",)]
    assert pipeline.reload() == (0, 0, 0, 506)


def test_a_table_that_was_dropped_comes_back_with_the_next_load(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.reload()
    admin.execute(sql.SQL("DROP TABLE {}").format(relations.target(pipeline.contract)))
    assert pipeline.reload() == (506, 0, 0, 506)
    assert indexes(admin, pipeline) == COMPLETE
    assert pipeline.shows_source()


def test_a_landing_that_lost_a_row_after_the_checks_becomes_no_table(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    load_id = pipeline.land()
    assert pipeline.verify(load_id)[0]
    admin.execute(sql.SQL("DELETE FROM {} WHERE record_id = 7").format(relations.landing(pipeline.contract, load_id)))
    with pytest.raises(LoadError, match="506 records landed and were verified, now the landing has 505"):
        pipeline.publish(load_id)
    assert pipeline.checksum() is None
    pipeline.fail(load_id, "a row is missing")
    assert pipeline.reload() == (506, 0, 0, 506)


def test_somebody_who_reads_the_landing_is_named(pipeline: Pipeline, hold: Hold) -> None:
    load_id = pipeline.land()
    assert pipeline.verify(load_id)[0]
    with hold(f"landing.{pipeline.name}_{load_id}", "ACCESS SHARE"):
        with pytest.raises(SinkError, match=r"somebody else holds a lock .*, pid"):
            pipeline.publish(load_id)
        assert pipeline.checksum() is None
    assert pipeline.publish(load_id) == (506, 0, 0, 506)
    assert pipeline.shows_source()


def test_a_reader_in_a_long_transaction_delays_the_primary_key_alone(
    pipeline: Pipeline, admin: psycopg.Connection, hold: Hold, table: Callable[[Pipeline, int], None]
) -> None:
    load_id = pipeline.land()
    assert pipeline.verify(load_id)[0]
    table(pipeline, load_id)
    with hold(f"public.{pipeline.name}", "ACCESS SHARE"):
        begun = time.monotonic()
        assert pipeline.publish(load_id) == (506, 0, 0, 506)
        assert time.monotonic() - begun < 4 * index_module.DECLARE_SECONDS
        assert indexes(admin, pipeline) == {**COMPLETE, "id": False}
        assert pipeline.shows_source()
        with pytest.raises(psycopg.errors.UniqueViolation):
            admin.execute(sql.SQL("INSERT INTO {0} SELECT * FROM {0} LIMIT 1").format(relations.target(pipeline.contract)))
    assert pipeline.reload() == (0, 0, 0, 506)
    assert indexes(admin, pipeline) == COMPLETE


def test_rows_that_somebody_put_there_before_give_way(
    pipeline: Pipeline, admin: psycopg.Connection, table: Callable[[Pipeline, int], None]
) -> None:
    load_id = pipeline.land()
    table(pipeline, load_id)
    landing = relations.landing(pipeline.contract, load_id)
    columns = sql.SQL(", ").join(sql.Identifier(column.name) for column in pipeline.contract.columns)
    admin.execute(
        sql.SQL("INSERT INTO {} (id, {}, load_id) SELECT record_id + 500, {}, 0 FROM {} WHERE record_id <= 10").format(
            relations.target(pipeline.contract), columns, columns, landing
        )
    )
    assert pipeline.verify(load_id)[0]
    assert pipeline.publish(load_id) == (500, 6, 4, 506)
    assert indexes(admin, pipeline) == COMPLETE
    assert pipeline.shows_source()


def test_an_index_that_the_contract_got_later_is_built(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    pipeline.reload()
    admin.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier("public", f"{pipeline.name}_medv_idx")))
    with pipeline.connect(names.OWNER) as connection:
        make_tables(connection, pipeline.contract)
    assert indexes(admin, pipeline) == COMPLETE


@pytest.mark.parametrize("loads_before", [0, 1])
def test_a_repeated_key_is_told_and_changes_nothing(
    orders_pipeline: Pipeline, admin: psycopg.Connection, loads_before: int
) -> None:
    for _ in range(loads_before):
        orders_pipeline.reload()
    load_id = orders_pipeline.land()
    before = orders_pipeline.checksum()
    assert orders_pipeline.verify(load_id)[0]
    approve(orders_pipeline, load_id)
    orders_pipeline.repeat_a_key(admin, load_id)
    with pytest.raises(LoadError, match=r"a key must be unique, .* occurs 2 times"):
        orders_pipeline.publish(load_id)
    assert orders_pipeline.checksum() == before
    orders_pipeline.fail(load_id, "the key stands twice")
    assert orders_pipeline.reload().inserted_rows == (0 if loads_before else 257)


def test_the_summary_of_a_red_first_load_says_that_nothing_is_published(
    pipeline: Pipeline, admin: psycopg.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    load_id = pipeline.land()
    pipeline.fail(load_id, "a check was red")
    show.show_load(admin, pipeline.contract, pipeline.ledger(load_id), 1)
    show.show_what_stays(admin, pipeline.contract)
    shown = capsys.readouterr().out
    assert f"load {load_id} of {pipeline.name}: failed" in shown
    assert "- inserted, - updated, - deleted" in shown
    assert "COUNT(*)" not in shown
    assert f"no load of {pipeline.name} was published yet" in shown
