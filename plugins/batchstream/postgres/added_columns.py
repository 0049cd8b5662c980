"""The columns that batchstream adds, in the tables as they are found: each publish writes them.

Which names they have depends on the contract's columns. When a contract gets a column that is called like one of ours, or loses
it, somebody has to rename ours: a value of the contract is never taken for one of ours, nor the other way round.
"""

import re

import psycopg

from batchstream.contract.model import Contract, Publish
from batchstream.contract.own_columns import PREFIX
from batchstream.errors import ContractError
from batchstream.postgres import relations
from batchstream.postgres.found_columns import FoundColumn, FoundTable, change

_TYPES = {
    "id": "bigint",
    "created_at": "timestamp with time zone",
    "updated_at": "timestamp with time zone",
    "load_id": "bigint",
    "record_id": "bigint",
}


def shown(contract: Contract) -> tuple[str, ...]:
    """The plain names of those that readers see."""
    return ("created_at", "updated_at", "load_id") if contract.keys else ("id", "created_at", "updated_at", "load_id")


def of_base_table(contract: Contract) -> tuple[str, ...]:
    """The plain names of those in the table that holds the rows."""
    return ("record_id", "created_at", "load_id") if contract.publish is Publish.SWAP else shown(contract)


def named(contract: Contract, plain_names: tuple[str, ...]) -> list[str]:
    """What the contract's tables call them."""
    return [getattr(contract.own, plain) for plain in plain_names]


def compare(connection: psycopg.Connection, contract: Contract, table: FoundTable) -> None:
    """See that a base table has them, which somebody else may have made, or which was made for other columns of the contract.

    Raises:
        ContractError: One is missing, has another type, or has a name that is not its own any more.
    """
    for plain in of_base_table(contract):
        name, type_name = getattr(contract.own, plain), _TYPES[plain]
        _require_own_name(connection, contract, table, plain, name)
        found = table.columns.get(name)
        if found is not None and found.type_name == type_name and not found.generated:
            continue
        if plain == "id":
            raise ContractError(
                f"{contract.path}: the contract has no key column, so column '{name}' of table '{table.name}' has to be "
                f"{type_name}, the number of the record in its source; got {found or 'no such column'}; change the contract "
                f"back, or ALTER TABLE {table.name} {relations.set_aside(connection, contract)}: the next load makes the table "
                "anew"
            )
        quoted = relations.quoted(connection, name)
        missing = f"ADD COLUMN {quoted} {type_name} NOT NULL DEFAULT {'0' if type_name == 'bigint' else 'now()'}"
        todo = missing if found is None else change(quoted, found, FoundColumn(type_name, found.not_null))
        raise ContractError(
            f"{contract.path}: column '{name}' of table '{table.name}' has to be {type_name}, as each load writes it; got "
            f"{found or 'no such column'}; ALTER TABLE {table.name} {todo}"
        )


def _require_own_name(connection: psycopg.Connection, contract: Contract, table: FoundTable, plain: str, name: str) -> None:
    """Tell where one of ours stands under the name that it had for other columns of the contract."""
    columns = {column.name for column in contract.columns}
    others = [
        found
        for found, column in table.columns.items()
        if found != name and _may_be_ours(found, plain) and column.type_name == _TYPES[plain] and not column.generated
    ]
    quoted = {one: relations.quoted(connection, one) for one in (name, *others)}
    for other in others:
        rename = f"ALTER TABLE {table.name} RENAME COLUMN {quoted[other]} TO {quoted[name]}"
        if other not in columns:
            cascade = " CASCADE" if contract.publish is Publish.SWAP else ""
            drop = f"ALTER TABLE {table.name} DROP COLUMN {quoted[name]}{cascade}; " if name in table.columns else ""
            raise ContractError(
                f"{contract.path}: column '{other}' of table '{table.name}' is batchstream's '{plain}', called so while "
                f"the contract had a column '{plain}'; write that into the contract again, or {drop}{rename}"
            )
        if name not in table.columns:
            raise ContractError(
                f"{contract.path}: the contract has a column '{other}', so batchstream's own '{plain}' is called '{name}', which "
                f"table '{table.name}' has not; {rename} if '{other}' there is batchstream's, or ADD COLUMN {quoted[name]} "
                f"{_TYPES[plain]} NOT NULL DEFAULT {'0' if _TYPES[plain] == 'bigint' else 'now()'} if it is the contract's"
            )


def _may_be_ours(name: str, plain: str) -> bool:
    return re.fullmatch(rf"(?:{PREFIX})?{plain}|{PREFIX}{plain}_[0-9]+", name) is not None
