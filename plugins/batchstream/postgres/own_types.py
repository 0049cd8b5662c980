"""Looks up the enum types and domains that a contract names."""

from typing import Any

import psycopg

from batchstream.contract import Contract
from batchstream.contract.model import Column
from batchstream.contract.own_types import known
from batchstream.errors import ContractError
from batchstream.postgres import names

OwnTypes = dict[str, dict[str, Any]]
"""Name in the contract → name, base, labels and is_domain, as `batchstream.contract.own_types.known` takes them."""

# A domain may be made of another one; only the last has a length, or digits, of the type below it.
_FIND = """
WITH RECURSIVE chain AS (
    SELECT t.oid, t.typtype, t.typbasetype, t.typtypmod AS modifier, 0 AS depth FROM pg_type AS t WHERE t.oid = to_regtype(%s)
    UNION ALL
    SELECT t.oid, t.typtype, t.typbasetype, CASE WHEN t.typtype = 'd' THEN t.typtypmod ELSE c.modifier END, c.depth + 1
    FROM chain AS c JOIN pg_type AS t ON t.oid = c.typbasetype WHERE c.typtype = 'd'
)
SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname), t.typtype::text,
    has_schema_privilege(%s, n.oid, 'USAGE') AND has_type_privilege(%s, t.oid, 'USAGE'), quote_ident(n.nspname),
    CASE WHEN b.typtype <> 'e' THEN format_type(b.oid, b.modifier) END,
    (SELECT array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_enum AS e WHERE e.enumtypid = b.oid)
FROM chain AS b, pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.oid = (SELECT oid FROM chain WHERE depth = 0) AND b.depth = (SELECT max(depth) FROM chain)
"""
_KINDS = {"b": "a type of its own kind", "c": "a composite type", "m": "a multirange", "p": "a pseudo-type", "r": "a range"}


def find(connection: psycopg.Connection, contract: Contract) -> OwnTypes:
    """What the database says of each type that the contract alone doesn't tell; none of most contracts.

    Raises:
        ContractError: There is no such type, it is neither an enum type nor a domain, or the loading role may not use it.
    """
    return {column.type.sql: _find(connection, contract, column) for column in contract.columns if column.type.is_unknown}


def _find(connection: psycopg.Connection, contract: Contract, column: Column) -> dict[str, Any]:
    text = column.type.sql
    where = f"{contract.path}: column '{column.name}': physicalType: type '{text}'"
    row = connection.execute(_FIND, [text, names.LOADER, names.LOADER]).fetchone()
    if row is None:
        raise ContractError(
            f"{where} is none of PostgreSQL's, and database '{connection.info.dbname}' has none of that name; mend the name, or "
            "make it there: CREATE TYPE … AS ENUM, or CREATE DOMAIN"
        )
    name, kind, may_use, schema, base, labels = row
    if kind not in ("d", "e"):
        raise ContractError(f"{where} is {_KINDS.get(kind, kind)}, and no enum type or domain; write another type, such as jsonb")
    if not may_use:
        raise ContractError(
            f"{where} may not be used by the loading role; GRANT USAGE ON SCHEMA {schema} TO {names.LOADER}, and ON TYPE {name}"
        )
    found = {"name": name, "base": base, "labels": labels, "is_domain": kind == "d"}
    try:
        known(found)
    except ValueError as error:
        raise ContractError(f"{where} is a domain: {error}") from error
    return found
