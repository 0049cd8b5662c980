"""The relations of a dataset, and what PostgreSQL says of them.

| word | relation |
|---|---|
| target | what readers query: a table, or with ``publish: swap`` a view |
| landing | the table where one load lands; a swap makes it a partition |
| partitioned table | what the view of a swap reads: a partition for each load that was published |
| base table | what holds the rows that readers see: the target itself, or the partitioned table |
"""

import psycopg
from psycopg import sql

from batchstream.contract.model import Contract, Publish
from batchstream.contract.names import handle_of, why_impossible
from batchstream.errors import ContractError
from batchstream.postgres import names

_KINDS = {
    "r": "a table",
    "v": "a view",
    "m": "a materialized view",
    "f": "a foreign table",
    "p": "a partitioned table",
    "S": "a sequence",
    "i": "an index",
    "I": "an index",
    "c": "a type",
}


def target(contract: Contract) -> sql.Identifier:
    """What readers query: a table, or the view of a swap."""
    return sql.Identifier(names.TARGET_SCHEMA, contract.name)


def landing(contract: Contract, load_id: int) -> sql.Identifier:
    """The table where one load lands."""
    return landing_of(contract.name, load_id)


def landing_of(dataset: str, load_id: int) -> sql.Identifier:
    """The same, by the name of the dataset."""
    return sql.Identifier(names.LANDING_SCHEMA, f"{handle_of(dataset)}_{load_id}")


def partitioned_table(contract: Contract) -> sql.Identifier:
    """Where a dataset that is published by a swap keeps its loads, a partition each."""
    return sql.Identifier(names.PARTITIONS_SCHEMA, contract.name)


def base_table(contract: Contract) -> sql.Identifier:
    """The table that holds the rows that readers see."""
    return partitioned_table(contract) if contract.publish is Publish.SWAP else target(contract)


def own_columns(contract: Contract) -> dict[str, sql.Identifier]:
    """Our own columns as the templates below ``sql/`` name them: there each has its plain name in braces."""
    return {plain: sql.Identifier(name) for plain, name in contract.own._asdict().items()}


def exists(connection: psycopg.Connection, relation: sql.Identifier) -> bool:
    """Whether there is a relation of that name."""
    return kind_of(connection, relation) is not None


def target_exists(connection: psycopg.Connection, contract: Contract) -> bool:
    """Whether a load was published, or somebody has made the target.

    Raises:
        ContractError: It was made for the other way to publish, or for something else.
    """
    found = kind_of(connection, target(contract)) or _type_in_the_way(connection, contract)
    if found in (None, "v" if contract.publish is Publish.SWAP else "r"):
        return found is not None
    kind = _KINDS.get(str(found), found)
    if found in ("r", "v"):
        raise ContractError(
            f"{contract.path}: customProperties: publish: got '{contract.publish}', but '{contract.name}' is {kind}, made for "
            f"the other way; change it back, or rename '{contract.name}' so that it is made anew"
        )
    raise ContractError(
        f"{contract.path}: '{contract.name}' has to be a table or a view of batchstream's own, and is {kind}; rename or drop "
        f"it, or give the dataset another name"
    )


def kind_of(connection: psycopg.Connection, relation: sql.Identifier) -> str | None:
    """The ``relkind`` of a relation; None if there is none of that name."""
    row = connection.execute(
        "SELECT relkind::text FROM pg_class WHERE oid = to_regclass(%s)", [relation.as_string(connection)]
    ).fetchone()
    return str(row[0]) if row else None


def _type_in_the_way(connection: psycopg.Connection, contract: Contract) -> str | None:
    """The ``relkind`` of a type, if there is one of the target's name: each table has a type of its own name, too."""
    row = connection.execute(
        # A type of arrays gives way.
        "SELECT 1 FROM pg_type WHERE typnamespace = %s::regnamespace AND typname = %s AND typcategory <> 'A'",
        [names.TARGET_SCHEMA, contract.name],
    ).fetchone()
    return "c" if row else None


def spelled(connection: psycopg.Connection, relation: sql.Identifier) -> str:
    """The name of a relation that exists as people write it: quoted where it has to be."""
    row = connection.execute("SELECT %s::regclass::text", [relation.as_string(connection)]).fetchone()
    return str(row[0]) if row else ""


def set_aside(connection: psycopg.Connection, contract: Contract) -> str:
    """What stands after ALTER TABLE to rename a table, so that the next load makes it anew."""
    old = f"{contract.name}_old"
    return f"RENAME TO {quoted(connection, f'{contract.handle}_old' if why_impossible(old) else old)}"


def quoted(connection: psycopg.Connection, name: str) -> str:
    """A name as people write it: quoted where it has to be."""
    row = connection.execute("SELECT quote_ident(%s)", [name]).fetchone()
    return str(row[0]) if row else ""
