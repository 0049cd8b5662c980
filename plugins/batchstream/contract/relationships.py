"""Relationships of the standard as checks: each value of a column, or of several together, is in the table that it refers to."""

from collections.abc import Collection, Iterator, Mapping

from open_data_contract_standard.model import Relationship, SchemaObject

from batchstream.contract.metrics import quoted_column
from batchstream.contract.mistake import MistakeError
from batchstream.contract.model import Check

_WRITE = "write such as customers.id: the published table, a dot and its column"


def read_relationships(table: SchemaObject, name: str, called: Mapping[str, str]) -> Iterator[Check]:
    """A check for each foreign key of a table.

    Args:
        table: The table.
        name: Of its published table.
        called: What the contract may call each column, and what the table calls it.

    Raises:
        MistakeError: A relationship is no foreign key, or doesn't say which columns refer to which.
    """
    own = {name, table.name or name}
    for prop in table.properties or []:
        for number, relationship in enumerate(prop.relationships or []):
            field = f"column '{prop.physicalName or prop.name}': relationships[{number}]"
            if relationship.from_ is not None:
                raise MistakeError(f"{field}.from", f"got {relationship.from_!r}; remove it: the column refers")
            yield _check(field, relationship, [prop.physicalName or prop.name or ""], own)
    for number, relationship in enumerate(table.relationships or []):
        field = f"schema[0].relationships[{number}]"
        given = [relationship.from_] if isinstance(relationship.from_, str) else relationship.from_ or []
        # With its table before it, or without.
        plain = [one.removeprefix(f"{table.name}.") for one in given]
        for one in plain:
            if one not in called:
                raise MistakeError(f"{field}.from", f"got {one!r}, which is no column of the contract; write one of its columns")
        if not plain or len({*plain}) < len(plain):
            raise MistakeError(f"{field}.from", f"got {relationship.from_!r}; write the columns that refer, each once")
        yield _check(field, relationship, [called[one] for one in plain], own)


def _check(field: str, relationship: Relationship, columns: list[str], own: Collection[str]) -> Check:
    if relationship.type not in (None, "foreignKey"):
        raise MistakeError(f"{field}.type", f"got {relationship.type!r}; write foreignKey, or remove the relationship")
    targets = [relationship.to] if isinstance(relationship.to, str) else relationship.to or []
    split = [target.rpartition(".") for target in targets]
    tables = {table.removeprefix("public.") for table, _, _ in split}
    if len(split) != len(columns) or len(tables) != 1 or not all(table and column for table, _, column in split):
        raise MistakeError(f"{field}.to", f"got {relationship.to!r} for {len(columns)} columns; {_WRITE}, for each of them")
    (other,) = tables
    if "/" in other or "#" in other:
        raise MistakeError(f"{field}.to", f"got {relationship.to!r}; {_WRITE}")
    pairs = list(zip(map(quoted_column, columns), (quoted_column(column) for _, _, column in split), strict=True))
    # A table that refers to itself is compared with itself as it will be.
    target = "{object}" if other in own else f"public.{quoted_column(other)}"
    query = (
        f"SELECT count(*) FROM {{object}} AS own WHERE {' AND '.join(f'own.{mine} IS NOT NULL' for mine, _ in pairs)} "  # noqa: S608
        f"AND NOT EXISTS (SELECT FROM {target} AS other WHERE {' AND '.join(f'other.{its} = own.{mine}' for mine, its in pairs)})"
    )
    return Check(f"{', '.join(columns)}: rows whose value is not in {', '.join(targets)} mustBe 0", query, "{value} = (0)")
