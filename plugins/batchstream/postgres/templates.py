"""Renders the SQL files below ``sql/`` for one contract. Identifiers are composed, values are quoted, never pasted."""

from functools import cache

from psycopg import sql

from batchstream.contract.model import Check, Contract, Publish
from batchstream.paths import SQL_FOLDER

LOADER_ROLE = "kafka_user"
READER_ROLE = "kafka_reader"
LANDING_SCHEMA = "landing"
TARGET_SCHEMA = "public"
PUBLISHED_SCHEMA = "published"


@cache
def _read(name: str) -> sql.SQL:
    return sql.SQL((SQL_FOLDER / name).read_text(encoding="utf-8"))


def target(contract: Contract) -> sql.Identifier:
    """The table that readers see."""
    return sql.Identifier(TARGET_SCHEMA, contract.name)


def landing(contract: Contract, load_id: int) -> sql.Identifier:
    """The table where one load lands."""
    return sql.Identifier(LANDING_SCHEMA, f"{contract.name}_{load_id}")


def published(contract: Contract) -> sql.Identifier:
    """Where a dataset that is published by a swap keeps its loads, a partition each."""
    return sql.Identifier(PUBLISHED_SCHEMA, contract.name)


def stored(contract: Contract) -> sql.Identifier:
    """The table that holds what readers see."""
    return published(contract) if contract.publish is Publish.SWAP else target(contract)


def _definitions(contract: Contract) -> list[sql.Composable]:
    return [
        sql.SQL("{} {} {}").format(
            sql.Identifier(column.name), sql.SQL(column.type.sql), sql.SQL("NULL" if column.nullable else "NOT NULL")
        )
        for column in contract.columns
    ]


def _load_id_column(load_id: int) -> sql.Composed:
    """Says of all rows that they are of one load: with the CHECK, nobody reads them to see that they fit its partition."""
    return sql.SQL("load_id bigint NOT NULL DEFAULT {0} CHECK (load_id = {0})").format(sql.Literal(load_id))


def ledger_tables() -> sql.Composed:
    """Ledger, inbox and quarantine, if missing."""
    return _read("tables/ledger.sql").format(loader=sql.Identifier(LOADER_ROLE))


def key_index(contract: Contract) -> sql.Identifier:
    """The unique index of the target's key, and the name of its primary key."""
    return sql.Identifier(f"{contract.name}_pkey")


def target_indexes(contract: Contract) -> sql.Composed:
    """The target's indexes, if missing."""
    indexes = [
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} ({});").format(
            sql.Identifier(f"{contract.name}_{column.name}_idx"), target(contract), sql.Identifier(column.name)
        )
        for column in contract.columns
        if column.indexed
    ]
    return _read("tables/target_indexes.sql").format(
        target=target(contract),
        key=sql.Identifier(contract.key_column),
        key_index=key_index(contract),
        created_at_index=sql.Identifier(f"{contract.name}_created_at_idx"),
        indexes=sql.SQL("\n").join(indexes),
    )


def swap_tables(contract: Contract) -> sql.Composed:
    """The partitioned table of a dataset that is published by a swap, and the view that readers see."""
    names: list[sql.Composable] = [sql.Identifier(column.name) for column in contract.columns]
    if contract.key is None:
        names.insert(0, sql.SQL("record_id AS {}").format(sql.Identifier(contract.key_column)))
    return _read("tables/swap.sql").format(
        published=published(contract),
        target=target(contract),
        columns=sql.SQL(",\n    ").join(_definitions(contract)),
        shown=sql.SQL(", ").join(names),
        dataset=sql.Literal(contract.name),
        loader=sql.Identifier(LOADER_ROLE),
        reader=sql.Identifier(READER_ROLE),
    )


def landing_table(contract: Contract, load_id: int) -> sql.Composed:
    """A new landing table for one load."""
    columns = _definitions(contract)
    if contract.publish is Publish.SWAP:
        columns.append(_load_id_column(load_id))
    return _read("tables/landing.sql").format(
        landing=landing(contract, load_id),
        columns=sql.SQL(",\n    ").join(columns),
        loader=sql.Identifier(LOADER_ROLE),
    )


def changed(contract: Contract, load_id: int) -> sql.Composed:
    """Puts the keys of all rows in which target and landing differ in a temporary table."""
    compared = [sql.Identifier(column.name) for column in contract.columns if column.name != contract.key]
    return _read("publish/changed.sql").format(
        target=target(contract),
        landing=landing(contract, load_id),
        key=sql.Identifier(contract.key_column),
        landing_key=landing_key(contract),
        differs=sql.SQL(" OR ").join([sql.SQL("t.{0} IS DISTINCT FROM s.{0}").format(name) for name in compared])
        or sql.SQL("false"),
    )


def first_load(contract: Contract, load_id: int) -> sql.Composed:
    """Makes a landing the table that readers see."""
    record_id = "RENAME COLUMN record_id TO {}" if contract.key is None else "DROP COLUMN record_id"
    return _read("publish/first.sql").format(
        landing=landing(contract, load_id),
        schema=sql.Identifier(TARGET_SCHEMA),
        moved=sql.Identifier(TARGET_SCHEMA, f"{contract.name}_{load_id}"),
        name=sql.Identifier(contract.name),
        target=target(contract),
        record_id=sql.SQL(record_id).format(sql.Identifier(contract.key_column)),
        load_id=sql.Literal(load_id),
        loader=sql.Identifier(LOADER_ROLE),
        reader=sql.Identifier(READER_ROLE),
    )


def merge(contract: Contract, load_id: int) -> sql.Composed:
    """The publish of what `changed` found; its one row holds the counts of rows inserted, updated and deleted."""
    names = [sql.Identifier(column.name) for column in contract.columns]
    changing = [sql.Identifier(column.name) for column in contract.columns if column.name != contract.key]
    columns: list[sql.Composable] = [*names]
    values: list[sql.Composable] = [sql.SQL("s.{}").format(name) for name in names]
    if contract.key is None:
        columns.insert(0, sql.Identifier(contract.key_column))
        values.insert(0, sql.SQL("s.record_id"))
    return _read("publish/merge.sql").format(
        target=target(contract),
        landing=landing(contract, load_id),
        key=sql.Identifier(contract.key_column),
        landing_key=landing_key(contract),
        assignments=sql.SQL(", ").join([sql.SQL("{0} = s.{0}").format(name) for name in changing or names]),
        columns=sql.SQL(", ").join(columns),
        values=sql.SQL(", ").join(values),
        load_id=sql.Literal(load_id),
    )


def landing_key(contract: Contract) -> sql.Identifier:
    """The column of the landing that becomes the target's primary key."""
    return sql.Identifier(contract.key or "record_id")


def swap_prepare(contract: Contract, load_id: int) -> sql.Composed:
    """Gives a landing its key, its indexes and the columns that all its rows share."""
    indexes = [
        sql.SQL("CREATE INDEX ON {} ({});").format(landing(contract, load_id), sql.Identifier(column.name))
        for column in contract.columns
        if column.indexed
    ]
    return _read("publish/prepare.sql").format(
        published=published(contract),
        landing=landing(contract, load_id),
        key=landing_key(contract),
        indexes=sql.SQL("\n").join(indexes),
        load_id_column=_load_id_column(load_id),
        load_id=sql.Literal(load_id),
    )


def swap(contract: Contract, load_id: int) -> sql.Composed:
    """Shows a prepared landing to readers."""
    return _read("publish/swap.sql").format(
        load_id=sql.Literal(load_id),
        dataset=sql.Literal(contract.name),
    )


def row_count_check(contract: Contract, load_id: int) -> sql.Composed:
    """Compares the counts of all stages; one row of verdict and sentence."""
    return _read("checks/row_count.sql").format(
        load_id=sql.Literal(load_id),
        load_number=sql.SQL(str(load_id)),
        dataset=sql.SQL(contract.name),
        landing=landing(contract, load_id),
        expected=sql.Literal(contract.expected_records),
        rejected_allowed=_rejected_allowed(contract),
    )


def _rejected_allowed(contract: Contract) -> sql.Composable:
    allowed = contract.rejected_records_allowed
    if allowed.percent is None:
        return sql.Literal(allowed.records)
    return sql.SQL("floor(ledger.source_records * {}::numeric / 100)::bigint").format(str(allowed.percent))


def _measurement(number: int, check: Check, table: sql.Identifier) -> sql.Composed:
    # OFFSET 0, or PostgreSQL runs the query twice: once for the value, once for the verdict.
    return sql.SQL(
        "SELECT {number} AS number, {rule} AS rule, value::text AS value, ({condition}) AS passed "
        "FROM (SELECT ({query}) AS value OFFSET 0) AS measured"
    ).format(
        number=sql.Literal(number),
        rule=sql.Literal(check.name),
        condition=sql.SQL(check.condition).format(value=sql.SQL("value")),
        query=sql.SQL(check.query).format(object=table),
    )


def column_check(contract: Contract, load_id: int) -> sql.Composed:
    """Measures the contract's quality rules over the landing; one row of verdict and sentence."""
    measurements: list[sql.Composable] = [
        _measurement(n, check, landing(contract, load_id)) for n, check in enumerate(contract.checks, 1)
    ]
    nothing: sql.Composable = sql.SQL("SELECT 0 AS number, '' AS rule, '' AS value, true AS passed")
    return _read("checks/columns.sql").format(
        measurements=sql.SQL("\n    UNION ALL ").join(measurements or [nothing]), dataset=sql.SQL(contract.name)
    )


def published_check(contract: Contract, load_id: int) -> sql.Composed:
    """Compares the target with the ledger; one row of verdict and sentence."""
    return _read("checks/published.sql").format(
        load_id=sql.Literal(load_id),
        target=target(contract),
        target_name=sql.Literal(contract.name),
        expected=sql.Literal(contract.expected_records),
    )
