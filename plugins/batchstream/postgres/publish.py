"""The publish: makes what readers see equal to the verified landing, in one moment."""

from typing import NamedTuple

import psycopg
from psycopg import errors, sql

from batchstream.contract.model import Contract, Publish
from batchstream.errors import LoadError, SinkError
from batchstream.postgres import ledger, swap, target, templates


class Published(NamedTuple):
    """What the publish did to the target."""

    inserted_rows: int
    updated_rows: int
    deleted_rows: int
    published_rows: int


def needs_owner(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether a publish is the owning role's: it attaches a table, or makes the landing of the first load one."""
    return contract.publish is Publish.SWAP or not target.has_key(connection, contract)


def publish(connection: psycopg.Connection, contract: Contract, load_id: int) -> Published:
    """Make the target equal to the landing of a load whose checks are green.

    1. One publish of a dataset at a time.
    2. The load becomes *verified*, and from here on nothing lands for it any more; held until the end, so nobody gives it
       up meanwhile.
    3. The rows that differ are found, and ``MERGE`` inserts, updates and deletes them. The landing of a first load becomes
       the target (`batchstream.postgres.target`). Or, if the contract says ``publish: swap``, the landing gets its keys and
       is shown in place of the load before it (`batchstream.postgres.swap`).
    4. The target holds as many rows as the landing, and the landing as many as were verified, or all of it is rolled back.
    5. The ledger gets the counts and the state *published*, in the same commit that shows the rows to readers.

    A load that is published already is left as it is, so a publish that committed and then reported failure can be
    tried again.

    Args:
        connection: Of the loading role, or of the owning one, as `needs_owner` says.
        contract: The dataset's.
        load_id: The load.

    Raises:
        LoadError: The load was given up, or its records break the target's key.
        SinkError: A lock was not to be had in time, or PostgreSQL gave up the transaction; the target is unchanged.
    """
    try:
        row = ledger.read(connection, load_id)
        if row["state"] == ledger.State.PUBLISHED:
            return Published(*(row[name] for name in Published._fields))
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [contract.name])
            ledger.transition(connection, load_id, ledger.State.VERIFIED)
        if contract.publish is Publish.SWAP:
            with connection.transaction():
                connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [contract.name])
                # Nothing lands any more, so what is counted here is what will be shown.
                prepared_rows = swap.prepare(connection, contract, load_id)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 2))", [contract.name])
            ledger.transition(connection, load_id, ledger.State.VERIFIED)
            keyless = contract.publish is Publish.MERGE and not target.has_key(connection, contract)
            if contract.publish is Publish.SWAP:
                published = _swap(connection, contract, load_id, prepared_rows, verified_rows=row["landed_records"])
            elif target.is_missing(connection, contract):
                published = _first(connection, contract, load_id, verified_rows=row["landed_records"])
            else:
                published = _merge(connection, contract, load_id, keyless=keyless, verified_rows=row["landed_records"])
            ledger.transition(connection, load_id, ledger.State.PUBLISHED, **published._asdict())
        if keyless:
            target.declare_key(connection, contract)
        return published
    except errors.LockNotAvailable as error:
        raise SinkError(
            f"load {load_id}: table '{contract.name}' is locked by somebody else{_holders(connection, contract, load_id)}; "
            f"nothing was changed: end that transaction"
        ) from error
    except (errors.UniqueViolation, errors.CardinalityViolation) as error:
        why = _repeated_key(connection, contract, load_id) or (
            f"the key of '{contract.name}' is violated, though every key of the landing is unique: another writer?"
        )
        raise LoadError(f"load {load_id}: {why}; nothing was changed") from error
    except psycopg.OperationalError as error:
        raise SinkError(f"load {load_id}: PostgreSQL gave up the publish, nothing was changed: {error}") from error
    except errors.InsufficientPrivilege as error:
        raise LoadError(
            f"load {load_id}: PostgreSQL refused the publish, nothing was changed: {error}; compare the rights of its role "
            "with sql/setup/ and sql/tables/"
        ) from error


def _first(connection: psycopg.Connection, contract: Contract, load_id: int, *, verified_rows: int) -> Published:
    target.take_landing(connection, contract, load_id)
    rows = _count(connection, templates.target(contract))
    if rows != verified_rows:
        raise _other_number(load_id, verified_rows, rows)
    return Published(inserted_rows=rows, updated_rows=0, deleted_rows=0, published_rows=rows)


def _merge(connection: psycopg.Connection, contract: Contract, load_id: int, *, keyless: bool, verified_rows: int) -> Published:
    if keyless:
        # Somebody made the table before the first load.
        target.build_indexes(connection, contract)
    counts = _merge_changed(connection, contract, load_id)
    landing_rows = _count(connection, templates.landing(contract, load_id))
    if landing_rows != verified_rows:
        raise _other_number(load_id, verified_rows, landing_rows)
    target_rows = _count(connection, templates.target(contract))
    if target_rows != landing_rows:
        # A record that stands twice and is in the target already differs from nothing, so MERGE doesn't meet it.
        why = _repeated_key(connection, contract, load_id) or (
            f"'{contract.name}' would have {target_rows} rows and the landing has {landing_rows}: another writer?"
        )
        raise LoadError(f"load {load_id}: {why}; nothing was changed")
    return Published(*counts, target_rows)


def _count(connection: psycopg.Connection, table: sql.Identifier) -> int:
    found = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    return int(found[0]) if found else 0


def _merge_changed(connection: psycopg.Connection, contract: Contract, load_id: int) -> tuple[int, int, int]:
    # Without statistics the planner expects an empty landing and joins by nested loops. How many rows there are is enough for
    # it, of a table that is read once more and dropped: more than the least sample takes longer the more rows there are.
    connection.execute("SET LOCAL default_statistics_target = 1")
    connection.execute(sql.SQL("ANALYZE {}").format(templates.landing(contract, load_id)))
    # It expects every row to differ, which would cost more to hand over than to compare in one process.
    connection.execute("SET LOCAL parallel_tuple_cost = 0")
    connection.execute(templates.changed(contract, load_id))
    inserted, updated, deleted = connection.execute(templates.merge(contract, load_id)).fetchone() or (0, 0, 0)
    return inserted, updated, deleted


def _swap(
    connection: psycopg.Connection, contract: Contract, load_id: int, prepared_rows: int, *, verified_rows: int
) -> Published:
    if prepared_rows != verified_rows:
        raise _other_number(load_id, verified_rows, prepared_rows)
    replaced_rows = swap.show(connection, contract, load_id, prepared_rows)
    return Published(inserted_rows=prepared_rows, updated_rows=0, deleted_rows=replaced_rows, published_rows=prepared_rows)


def _other_number(load_id: int, verified_rows: int, rows: int) -> LoadError:
    return LoadError(
        f"load {load_id}: {verified_rows} records landed and were verified, now the landing has {rows}; nothing was changed: "
        "start a new run"
    )


def _holders(connection: psycopg.Connection, contract: Contract, load_id: int) -> str:
    """Who holds locks on what a publish writes, as far as our role may see it."""
    holders = connection.execute(
        "SELECT DISTINCT l.pid, a.usename, a.application_name FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid) "
        "WHERE l.relation IN (to_regclass(%s), to_regclass(%s)) AND l.granted AND l.pid <> pg_backend_pid()",
        [name.as_string(connection) for name in (templates.stored(contract), templates.landing(contract, load_id))],
    ).fetchall()
    return "".join(f", pid {pid} ({user} {application or ''})".replace(" )", ")") for pid, user, application in holders)


def _repeated_key(connection: psycopg.Connection, contract: Contract, load_id: int) -> str | None:
    """Which key stands twice in the landing; None if none does."""
    key = templates.landing_key(contract)
    row = connection.execute(
        sql.SQL(
            "SELECT {key}::text, count(*), min(record_id), max(record_id) FROM {landing} GROUP BY {key} "
            "HAVING count(*) > 1 ORDER BY min(record_id) LIMIT 1"
        ).format(key=key, landing=templates.landing(contract, load_id))
    ).fetchone()
    if row is None:
        return None
    value, times, first, last = row
    return (
        f"{contract.source.path}: column '{contract.key_column}': a key must be unique, {value!r} occurs {times} times, first "
        f"in record {first}, last in record {last}; mend the source"
    )
