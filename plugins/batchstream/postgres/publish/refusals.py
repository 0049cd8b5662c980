"""What PostgreSQL's errors mean in a publish: sorted by SQLSTATE, and told with the object that is in the way."""

from collections.abc import Callable, Sequence

import psycopg
from psycopg import errors, sql

from batchstream.contract.model import Contract
from batchstream.errors import BatchstreamError, LoadError, SinkError
from batchstream.postgres import holders, names, relations
from batchstream.postgres.failures import may_pass
from batchstream.postgres.publish import repeats
from batchstream.records.shown import listed

MAX_INDEXED_BYTES = 2704
"""A row of a B-tree takes a third of a page."""

_TRIGGERS = """
SELECT tgname FROM pg_trigger
WHERE tgrelid = to_regclass(%s) AND NOT tgisinternal AND tgenabled IN ('O', 'A') ORDER BY tgname
"""


_EXPRESSIONS = """
SELECT 'constraint ' || quote_ident(conname) FROM pg_constraint WHERE conrelid = to_regclass(%(table)s) AND contype = 'c'
UNION ALL
SELECT 'index ' || indexrelid::regclass::text FROM pg_index
WHERE indrelid = to_regclass(%(table)s) AND (indexprs IS NOT NULL OR indpred IS NOT NULL)
UNION ALL
SELECT 'generated column ' || quote_ident(attname) FROM pg_attribute
WHERE attrelid = to_regclass(%(table)s) AND attgenerated <> '' AND NOT attisdropped
ORDER BY 1
"""


def explain(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> BatchstreamError:
    """What to raise in place of an error that ended a publish.

    Args:
        connection: The publish's, after its transaction was rolled back.
        contract: The dataset's.
        load_id: The load.
        error: PostgreSQL's.

    Returns:
        A `SinkError` if a retry can mend it; otherwise a `LoadError` whose message names the object that refused.
    """
    try:
        if isinstance(error, errors.LockNotAvailable):
            return SinkError(
                f"load {load_id}: somebody else holds a lock that the publish of '{contract.name}' needs"
                f"{holders.named(connection)}; nothing was changed: end that transaction"
            )
        for kinds, meaning in _MEANINGS:
            if isinstance(error, kinds) and (said := meaning(connection, contract, load_id, error)):
                return said if isinstance(said, SinkError) else LoadError(f"load {load_id}: {said}; nothing was changed")
    except psycopg.Error:
        pass  # The connection is gone as well: what it was to say stays unsaid.
    if may_pass(error):
        return SinkError(
            f"load {load_id}: PostgreSQL gave up the publish: {_said(error)}; readers see the load before or this one, whole; "
            "the next try finds out which"
        )
    return LoadError(
        f"load {load_id}: PostgreSQL refused the publish, nothing was changed: {_said(error)} (SQLSTATE {error.sqlstate})"
    )


def _foreign_key(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    constraint, table = error.diag.constraint_name, error.diag.table_name
    detail = error.diag.message_detail or error
    if error.diag.schema_name not in (None, names.TARGET_SCHEMA, names.LANDING_SCHEMA):
        table = f"{error.diag.schema_name}.{table}"
    # A swap's key is looked at where the partition is attached.
    if table in (contract.name, f"{contract.handle}_{load_id}"):
        return (
            f"the foreign key '{constraint}' of table '{contract.name}' refuses a record: {detail}; load the table that it "
            "refers to first, mend the source, or drop the constraint"
        )
    return (
        f"the foreign key '{constraint}' of table '{table}' refers to a row that this load deletes or changes: {detail}; delete "
        f"those rows of '{table}', give the constraint ON DELETE and ON UPDATE actions, or drop it"
    )


def _constraint(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    """A constraint that no contract has made."""
    diagnosis = error.diag
    if diagnosis.table_name is None:
        return None
    name = "the partition bound"
    if diagnosis.constraint_name:
        name = f"the constraint '{diagnosis.constraint_name}'"
    elif diagnosis.column_name:
        name = f"column '{diagnosis.column_name}'"
    whose = f"of table '{diagnosis.table_name}', which is not the contract's,"
    by = "" if diagnosis.table_name == contract.name else _triggers(connection, contract, ", written by a trigger: ")
    detail = f" {diagnosis.message_detail}" if diagnosis.message_detail else ""
    return f"{name} {whose} refuses a row{by}: {diagnosis.message_primary}{detail[:300]}; mend the source, or drop the constraint"


def _trigger(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    """Whatever was raised inside a function, where only triggers call any."""
    names = _triggers(connection, contract, "")
    if not names and isinstance(error, errors.RaiseException):
        return (
            "a function that somebody has made refuses the publish, as a trigger of a table that refers to "
            f"'{contract.name}', or of the database: {_said(error)}; mend the source or the function, or drop the trigger"
        )
    if not names or error.diag.context is None or isinstance(error, psycopg.OperationalError):
        return None
    return (
        f"a trigger of table '{contract.name}' ({names}) refuses the publish: {_said(error)}; mend the source or the trigger, or "
        "drop it"
    )


def _expression(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    """Whatever was raised by an expression: PostgreSQL doesn't say whose, and a publish has none that can fail."""
    found = connection.execute(_EXPRESSIONS, {"table": relations.target(contract).as_string(connection)}).fetchall()
    if not found:
        return None
    return (
        f"an expression that somebody has given to table '{contract.name}' ({', '.join(name for (name,) in found)}) fails for a "
        f"record: {_said(error)}; mend the source or the expression, or drop it"
    )


def _too_large(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    """A row that no B-tree takes: the largest of all indexes, by its values as they are stored."""
    found = connection.execute(repeats.INDEX_COLUMNS, [error.diag.schema_name, error.diag.constraint_name or ""]).fetchone()
    own = {column.name for column in contract.columns}
    indexes = [found[0]] if found else [contract.keys, *([column.name] for column in contract.columns if column.indexed)]
    largest: tuple[int, int, list[str]] = (0, 0, [])
    for columns in filter(None, ([name for name in index if name in own] for index in indexes)):
        sizes = [sql.SQL("coalesce(pg_column_size(found.{}), 0)").format(sql.Identifier(name)) for name in columns]
        row = connection.execute(
            sql.SQL("SELECT {size}, found.{record_id} FROM {landing} AS found ORDER BY 1 DESC, 2 LIMIT 1").format(
                size=sql.SQL(" + ").join(sizes),
                record_id=sql.Identifier(contract.own.record_id),
                landing=relations.landing(contract, load_id),
            )
        ).fetchone()
        if row and row[0] > largest[0]:
            largest = (row[0], row[1], columns)
    size, record_id, columns = largest
    # Eight bytes of a row of an index are not the value's.
    if size <= MAX_INDEXED_BYTES - 8:
        return None
    said = f"column {listed(columns)}: a value of a column with an index takes"
    if len(columns) > 1:
        said = f"columns {listed(columns)}: values of one index take together"
    return (
        f"{contract.source.path}: record {record_id}, {said} at most "
        f"{MAX_INDEXED_BYTES} bytes, after compression; got {size}; mend the source, or take the index or the key from "
        f"{'this column' if len(columns) == 1 else 'one of these columns'}"
    )


def _publication(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    """A table whose changes are published to subscribers has to say how its rows are told apart."""
    row = connection.execute(
        "SELECT string_agg(pubname, ', ') FROM pg_publication_tables WHERE schemaname = %s AND tablename = %s",
        [names.TARGET_SCHEMA, contract.name],
    ).fetchone()
    if row is None or row[0] is None:
        return None
    table = relations.spelled(connection, relations.target(contract))
    return (
        f"changes of table '{contract.name}' are in a publication ({row[0]}), and PostgreSQL refuses them: {_said(error)}; "
        f"ALTER TABLE {table} REPLICA IDENTITY FULL, or change the publication"
    )


def _rights(connection: psycopg.Connection, contract: Contract, load_id: int, error: psycopg.Error) -> str | None:
    return f"PostgreSQL refused the publish: {_said(error)}; compare the rights of its role with sql/setup/ and sql/tables/"


_Meaning = Callable[[psycopg.Connection, Contract, int, psycopg.Error], str | SinkError | None]

_MEANINGS: Sequence[tuple[type[psycopg.Error] | tuple[type[psycopg.Error], ...], _Meaning]] = (
    ((errors.UniqueViolation, errors.CardinalityViolation), repeats.explain),
    ((errors.ForeignKeyViolation, errors.RestrictViolation), _foreign_key),
    (errors.IntegrityError, _constraint),
    (errors.ProgramLimitExceeded, _too_large),
    ((errors.ObjectNotInPrerequisiteState, errors.InvalidColumnReference), _publication),
    (psycopg.Error, _trigger),
    (psycopg.DataError, _expression),
    (errors.InsufficientPrivilege, _rights),
)


def _said(error: psycopg.Error) -> str:
    """PostgreSQL's words on one line; psycopg's own, if the server said nothing."""
    diagnosis = error.diag
    parts = [diagnosis.message_primary or str(error), diagnosis.message_detail, diagnosis.context]
    return "; ".join(" ".join(part.split()) for part in parts if part)


def _triggers(connection: psycopg.Connection, contract: Contract, before: str) -> str:
    """Names of the table's triggers, after some words; nothing if there are none, or nobody can be asked."""
    try:
        names = connection.execute(_TRIGGERS, [relations.target(contract).as_string(connection)]).fetchall()
    except psycopg.Error:
        return ""
    return before + ", ".join(name for (name,) in names) if names else ""
