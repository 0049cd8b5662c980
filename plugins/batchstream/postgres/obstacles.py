"""What somebody has made of a dataset's tables that no publish can work with: told by name, before anything is loaded."""

import psycopg

from batchstream.contract.model import Contract, Publish
from batchstream.errors import ContractError
from batchstream.postgres import columns, key_columns, relations
from batchstream.records.shown import listed

_OWNER = "SELECT relowner::regrole::text, pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = %s::regclass"

_ROW_SECURITY = "SELECT row_security_active(%s::regclass)"

_RULES = "SELECT rulename FROM pg_rewrite WHERE ev_class = %s::regclass AND ev_type <> '1' AND ev_enabled <> 'D' ORDER BY 1"

_HEIRS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass ORDER BY 1"

_BLURRING = """
SELECT a.attname, c.collname FROM pg_attribute AS a JOIN pg_collation AS c ON c.oid = a.attcollation
WHERE a.attrelid = %s::regclass AND a.attname = ANY (%s) AND NOT c.collisdeterministic ORDER BY a.attnum
"""

_CHECKS = "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c' ORDER BY 1"

_PRIMARY_KEY = """
SELECT conname, ARRAY(
    SELECT attname::text FROM unnest(conkey) AS number JOIN pg_attribute ON attrelid = conrelid AND attnum = number)
FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'p'
"""


def require_none(connection: psycopg.Connection, contract: Contract) -> None:
    """See that a load can be published into the tables as they are.

    Args:
        connection: Of the owning role, which publishes.
        contract: The dataset's, whose tables exist.

    Raises:
        ContractError: It can't; the message says by which object, and what to do.
    """
    table = relations.spelled(connection, relations.base_table(contract))
    in_a_merge = (_other_owner, _hidden_rows, _rule, _heir, _blurring_collation, _other_key)
    for find in in_a_merge if contract.publish is Publish.MERGE else (_other_owner, _check):
        mistake = find(connection, contract, table)
        if mistake:
            raise ContractError(f"{contract.path}: table '{table}' {mistake}")
    if contract.publish is Publish.SWAP:
        view = relations.spelled(connection, relations.target(contract))
        if mistake := _other_owner(connection, contract, view):
            raise ContractError(f"{contract.path}: view '{view}' {mistake}")
    columns.compare(connection, contract, table)


def _other_owner(connection: psycopg.Connection, _: Contract, table: str) -> str | None:
    row = connection.execute(_OWNER, [table]).fetchone()
    if row is None or row[1]:
        return None
    return (
        f"belongs to {row[0]}, and a publish is the owner's; as {row[0]}: "
        f"ALTER TABLE {table} OWNER TO {_current_role(connection)}"
    )


def _hidden_rows(connection: psycopg.Connection, _: Contract, table: str) -> str | None:
    if connection.execute(_ROW_SECURITY, [table]).fetchone() != (True,):
        return None
    return (
        "has row level security that is forced on its owner, so a publish would not see every row; "
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY"
    )


def _rule(connection: psycopg.Connection, _: Contract, table: str) -> str | None:
    row = connection.execute(_RULES, [table]).fetchone()
    if row is None:
        return None
    return (
        f"has the rule '{row[0]}', and PostgreSQL merges into no table with rules; "
        f"DROP RULE {relations.quoted(connection, row[0])} ON {table}"
    )


def _check(connection: psycopg.Connection, _: Contract, table: str) -> str | None:
    row = connection.execute(_CHECKS, [table]).fetchone()
    if row is None:
        return None
    return (
        f"has the constraint '{row[0]}', which the table of a load has not, so that none can be attached; "
        f"ALTER TABLE {table} DROP CONSTRAINT {relations.quoted(connection, row[0])}, and write it as a rule into the contract"
    )


def _heir(connection: psycopg.Connection, _: Contract, table: str) -> str | None:
    row = connection.execute(_HEIRS, [table]).fetchone()
    if row is None:
        return None
    return (
        f"is inherited by table '{row[0]}', whose rows a publish would take for the table's own, and delete; "
        f"ALTER TABLE {row[0]} NO INHERIT {table}"
    )


def _blurring_collation(connection: psycopg.Connection, contract: Contract, table: str) -> str | None:
    """Texts that differ and are equal to a table would not be updated."""
    row = connection.execute(_BLURRING, [table, [column.name for column in contract.columns]]).fetchone()
    if row is None:
        return None
    column = relations.quoted(connection, row[0])
    return (
        f"has the collation '{row[1]}' for column '{row[0]}', by which texts that differ are equal, so a publish would not see "
        f'each change; ALTER TABLE {table} ALTER COLUMN {column} TYPE text COLLATE "default"'
    )


def _other_key(connection: psycopg.Connection, contract: Contract, table: str) -> str | None:
    row = connection.execute(_PRIMARY_KEY, [table]).fetchone()
    key = key_columns.of_table(contract)
    if row is None or set(row[1]) == set(key):
        return None
    return (
        f"has the primary key ({', '.join(row[1])}), constraint '{row[0]}', and the key of the contract is "
        f"{listed([*key])}{'' if contract.keys else ', the number of the record, as it names no key column'}; "
        f"change the contract back, or ALTER TABLE {table} {relations.set_aside(connection, contract)}: the next "
        "load makes the table anew"
    )


def _current_role(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT quote_ident(current_user)").fetchone()
    return str(row[0]) if row else ""
