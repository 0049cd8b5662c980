"""A dataset that is published by a swap: each load whole, the last one stays, old ones go when nobody can see them."""

import psycopg
import pytest
from psycopg import IsolationLevel, errors, sql

from batchstream.errors import ContractError, LoadError, SinkError
from batchstream.postgres import names, relations
from batchstream.postgres.housekeeping import KEPT_LOADS
from batchstream.postgres.publish import swap
from batchstream.postgres.publish.steps import publish
from tests.faults.conftest import approve
from tests.support.pipeline import Pipeline

ROWS = 506


@pytest.fixture
def swapping(pipeline: Pipeline) -> Pipeline:
    pipeline.expect_any_source()
    pipeline.publish_by_swap()
    return pipeline


def partitions(admin: psycopg.Connection, pipeline: Pipeline) -> list[str]:
    parent = relations.partitioned_table(pipeline.contract).as_string(admin)
    rows = admin.execute(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY inhrelid", [parent]
    ).fetchall()
    return [name for (name,) in rows]


def mean(connection: psycopg.Connection, pipeline: Pipeline) -> tuple[int, float]:
    row = connection.execute(sql.SQL("SELECT count(*), avg(crim) FROM {}").format(relations.target(pipeline.contract))).fetchone()
    assert row is not None
    return row


def test_each_load_replaces_the_one_before_it_whole(swapping: Pipeline, admin: psycopg.Connection) -> None:
    assert swapping.reload() == (ROWS, 0, 0, ROWS)
    assert swapping.shows_source()
    swapping.change_source(records=400)
    assert swapping.reload() == (ROWS, 0, ROWS, ROWS)
    assert swapping.shows_source()
    times = admin.execute(
        sql.SQL("SELECT count(DISTINCT created_at), count(DISTINCT load_id), bool_and(created_at = updated_at) FROM {}").format(
            relations.target(swapping.contract)
        )
    ).fetchone()
    assert times == (1, 1, True)


def test_what_readers_see_has_key_and_indexes(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    (shown,) = partitions(admin, swapping)
    found = admin.execute(
        "SELECT pg_get_indexdef(indexrelid), indisunique FROM pg_index WHERE indrelid = %s::regclass", [shown]
    ).fetchall()
    assert sorted((text.rpartition("(")[2].rstrip(")"), unique) for text, unique in found) == [
        ("medv", False),
        ("record_id", True),
    ]


def scanned(swapping: Pipeline, load_id: int) -> list[str]:
    """Prepares a landing, and returns the tables whose rows PostgreSQL read for constraints."""
    with swapping.connect(names.OWNER) as owner:
        seen: list[str] = []
        owner.add_notice_handler(lambda notice: seen.append(notice.message_primary or ""))
        owner.execute("SET client_min_messages = debug1")
        assert swap.prepare(owner, swapping.contract, load_id) == ROWS
    assert any("is implied by existing constraints" in message for message in seen)
    return [message.split('"')[1] for message in seen if message.startswith("verifying table")]


def test_a_landing_becomes_a_partition_without_a_look_at_its_rows(swapping: Pipeline) -> None:
    load_id = swapping.land()
    approve(swapping, load_id)
    assert scanned(swapping, load_id) == []
    swapping.publish(load_id)
    assert swapping.shows_source()


def test_a_landing_that_was_opened_for_a_merge_can_be_shown_too(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    load_id = swapping.produced()
    landing = relations.landing(swapping.contract, load_id)
    admin.execute(sql.SQL("ALTER TABLE {} DROP COLUMN load_id").format(landing))
    swapping.consume(load_id)
    approve(swapping, load_id)
    assert scanned(swapping, load_id) == [f"{swapping.name}_{load_id}"]
    assert swapping.publish(load_id).published_rows == ROWS
    assert swapping.shows_source()


def test_a_long_transaction_sees_the_load_it_began_with_and_is_in_nobodys_way(swapping: Pipeline) -> None:
    swapping.reload()
    with swapping.connect(names.READER) as reader:
        reader.autocommit = False
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        before = mean(reader, swapping)
        swapping.change_source(records=300)
        swapping.reload()
        assert mean(reader, swapping) == before
        reader.commit()
        after = mean(reader, swapping)
    assert after[0] == before[0] == ROWS
    assert after[1] != before[1]


def test_a_transaction_that_has_not_read_yet_sees_its_load_too(swapping: Pipeline) -> None:
    swapping.reload()
    with swapping.connect(names.READER) as reader:
        reader.autocommit = False
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1 FROM pg_class LIMIT 1")  # Takes the snapshot, and no lock on the dataset.
        swapping.change_source(records=300)
        swapping.reload()
        assert mean(reader, swapping)[0] == ROWS


def test_a_repeated_query_of_one_transaction_never_finds_an_empty_table(swapping: Pipeline) -> None:
    """A prepared statement isn't planned again in a transaction, and a partition that came since isn't in its plan."""
    swapping.reload()
    with swapping.connect(names.READER) as reader:
        reader.autocommit = False
        reader.prepare_threshold = 0
        for seed in range(3):
            seen = [mean(reader, swapping)[0] for _ in range(8)]
            assert seen == [ROWS] * 8
            swapping.change_source(seed=seed, records=300)
            swapping.reload()
        assert mean(reader, swapping)[0] == ROWS
        reader.commit()
        with swapping.connect(names.READER) as other:
            assert mean(reader, swapping) == mean(other, swapping)


def test_a_snapshot_older_than_the_kept_loads_is_refused_not_shown_an_empty_table(swapping: Pipeline) -> None:
    swapping.reload()
    with swapping.connect(names.READER) as reader:
        reader.autocommit = False
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        reader.execute("SELECT 1 FROM pg_class LIMIT 1")  # Takes the snapshot, and no lock on the dataset.
        for _ in range(KEPT_LOADS + 1):
            swapping.reload()
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="was removed since it began"):
            mean(reader, swapping)
        reader.rollback()
        assert mean(reader, swapping)[0] == ROWS


def test_a_load_whose_records_were_all_rejected_is_shown_too(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    load_id = swapping.land()
    admin.execute(sql.SQL("DELETE FROM {}").format(relations.landing(swapping.contract, load_id)))
    admin.execute("UPDATE batchstream.loads SET landed_records = 0 WHERE load_id = %s", [load_id])
    approve(swapping, load_id)
    with pytest.raises(LoadError, match=f"{ROWS} of the {ROWS} rows of .* would be deleted"):
        swapping.publish(load_id)
    with swapping.connect(names.OWNER) as connection:
        assert publish(connection, swapping.contract, load_id, allow_deletes=True) == (0, 0, ROWS, 0)
    assert swapping.checksum() is None
    swapping.reload()
    assert swapping.shows_source()


def test_old_loads_go_when_nobody_can_see_them(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    first = partitions(admin, swapping)
    with swapping.connect(names.READER) as reader:
        reader.autocommit = False
        reader.isolation_level = IsolationLevel.REPEATABLE_READ
        before = mean(reader, swapping)
        for _ in range(KEPT_LOADS):
            swapping.reload()
        assert mean(reader, swapping) == before
    swapping.reload()
    left = partitions(admin, swapping)
    assert len(left) == KEPT_LOADS
    assert not set(first) & set(left)
    assert admin.execute("SELECT to_regclass(%s)", [first[0]]).fetchone() == (None,)
    assert swapping.shows_source()


def test_the_load_that_is_shown_outlives_any_number_of_red_ones(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    (shown,) = partitions(admin, swapping)
    for _ in range(KEPT_LOADS + 1):
        swapping.fail(swapping.open(), "red")
    assert partitions(admin, swapping) == [shown]
    assert swapping.shows_source()


def test_a_publish_that_is_cut_off_changes_nothing_and_can_be_tried_again(
    swapping: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapping.reload()
    before = swapping.checksum()
    swapping.change_source()
    load_id = swapping.land()
    approve(swapping, load_id)
    with monkeypatch.context() as broken:
        broken.setattr(swap, "_show", lambda *_: sql.SQL("SELECT pg_terminate_backend(pg_backend_pid())"))
        with pytest.raises(SinkError):
            swapping.publish(load_id)
    assert swapping.checksum() == before
    assert swapping.publish(load_id).published_rows == ROWS
    assert swapping.publish(load_id).published_rows == ROWS
    assert swapping.shows_source()


def test_rows_that_were_not_verified_are_not_shown(swapping: Pipeline, admin: psycopg.Connection) -> None:
    load_id = swapping.land()
    approve(swapping, load_id)
    landing = relations.landing(swapping.contract, load_id)
    admin.execute(sql.SQL("DELETE FROM {} WHERE record_id = 7").format(landing))
    with pytest.raises(LoadError, match="506 records landed and were verified, now the landing has 505"):
        swapping.publish(load_id)
    assert swapping.checksum() is None


def test_a_repeated_key_is_told_and_the_last_load_stays(orders_pipeline: Pipeline, admin: psycopg.Connection) -> None:
    orders_pipeline.publish_by_swap()
    orders_pipeline.reload()
    before = orders_pipeline.checksum()
    load_id = orders_pipeline.land()
    approve(orders_pipeline, load_id)
    orders_pipeline.repeat_a_key(admin, load_id)
    with pytest.raises(LoadError, match="a key must be unique"):
        orders_pipeline.publish(load_id)
    assert orders_pipeline.checksum() == before


@pytest.mark.parametrize("first", ["merge", "swap"])
def test_the_other_way_to_publish_needs_the_relation_out_of_its_way(pipeline: Pipeline, first: str) -> None:
    pipeline.expect_any_source()
    original = pipeline.contract_path.read_text()
    if first == "swap":
        pipeline.publish_by_swap()
    pipeline.reload()
    before = pipeline.checksum()
    if first == "swap":
        pipeline.contract_path.write_text(original)
        pipeline.expect_any_source()
    else:
        pipeline.publish_by_swap()
    kind = "a view" if first == "swap" else "a table"
    with pytest.raises(ContractError, match=f"customProperties: publish: got .*, but .* is {kind}.*rename"):
        pipeline.open()
    assert pipeline.checksum() == before


def rename_away(admin: psycopg.Connection, pipeline: Pipeline, kind: str) -> None:
    """As the error message says."""
    target = relations.target(pipeline.contract)
    old = sql.Identifier(f"{pipeline.name}_old_{kind.lower()}")
    admin.execute(sql.SQL("ALTER {} {} RENAME TO {}").format(sql.SQL(kind), target, old))


def test_from_swap_to_merge_and_back_no_outdated_load_is_shown_or_kept(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    rename_away(admin, swapping, "VIEW")
    swapping.publish_by_merge()
    swapping.change_source(records=20)
    for _ in range(KEPT_LOADS):
        swapping.reload()
    assert swapping.shows_source()
    assert partitions(admin, swapping) == []
    rename_away(admin, swapping, "TABLE")
    swapping.publish_by_swap()
    load_id = swapping.produced()
    assert mean(admin, swapping)[0] == 0
    swapping.consume(load_id)
    swapping.finish(load_id)


def test_a_column_that_readers_would_not_see_is_told(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    target, stored = relations.target(swapping.contract), relations.partitioned_table(swapping.contract)
    admin.execute(sql.SQL("ALTER TABLE {} ADD COLUMN score double precision").format(stored))
    with pytest.raises(
        ContractError, match=r"table 'published\.\w+' has column 'score', which the contract has not.*DROP COLUMN"
    ):
        swapping.open()
    score = {"name": "score", "physicalType": "double precision", "logicalType": "number"}
    swapping.edit_contract(lambda document: document["schema"][0]["properties"].append(score))
    path = swapping.contract.source.path
    header, *lines = path.read_text().splitlines()
    path.write_text("\n".join([f"{header} score", *(f"{line} 1.5" for line in lines)]) + "\n")
    with pytest.raises(ContractError, match=r"column 'score': view '\w+' does not show it .*; DROP VIEW"):
        swapping.open()
    assert mean(admin, swapping)[0] == ROWS
    admin.execute(sql.SQL("DROP VIEW {}").format(target))
    load_id = swapping.produced()
    # The view is made anew, over the load that was shown before.
    query = sql.SQL("SELECT count(*), count(score), avg(score) FROM {}").format(target)
    assert admin.execute(query).fetchone() == (ROWS, 0, None)
    swapping.consume(load_id)
    swapping.finish(load_id)
    assert admin.execute(query).fetchone() == (ROWS, ROWS, 1.5)


def test_a_table_below_the_view_that_was_renamed_is_told(swapping: Pipeline, admin: psycopg.Connection) -> None:
    swapping.reload()
    stored = relations.partitioned_table(swapping.contract)
    admin.execute(sql.SQL("ALTER TABLE {} RENAME TO {}").format(stored, sql.Identifier(f"{swapping.name}_away")))
    with pytest.raises(ContractError, match=r"the table .* that it reads is not.*ALTER VIEW \w+ RENAME TO"):
        swapping.open("refused")
    row = admin.execute(
        "SELECT state FROM batchstream.loads WHERE dataset = %s AND run_id = 'refused'", [swapping.name]
    ).fetchone()
    assert row == ("failed",)
    rename_away(admin, swapping, "VIEW")
    swapping.reload()
    assert swapping.shows_source()
