"""The checks of a table, out of all that demands one: rules, keys, unique columns and relationships."""

from open_data_contract_standard.model import DataQuality, SchemaObject

from batchstream.contract.columns import table_name_of
from batchstream.contract.mistake import MistakeError, Place
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Check
from batchstream.contract.quality import expected_row_count, no_duplicates, not_measured, read_check
from batchstream.contract.relationships import read_relationships

MAX_RULES = 5000
"""PostgreSQL measures them in one statement, for which more would be too complex."""

MAX_QUERIES_LENGTH = 100_000
"""Of all rules of type sql: to look at them takes a second for 50,000 characters."""


def read_checks(
    table_name: str, table: SchemaObject, keys: tuple[str, ...], mistakes: Mistakes
) -> tuple[int | None, tuple[Check, ...]]:
    """The number of records that a rule expects, if one does, and the checks in the order in which they are measured.

    Args:
        table_name: Of the table in PostgreSQL.
        table: The entry of the contract's schema.
        keys: The table's names of the primary key's columns.
        mistakes: Takes what is wrong, and what has no effect.
    """
    columns = [(table_name_of(prop), prop) for prop in table.properties or []]
    called = {prop.name or name: name for name, prop in columns}
    rules: list[tuple[Place, str, DataQuality, str | None]] = [
        (("schema", 0, "quality", number), f"schema[0].quality[{number}]", rule, None)
        for number, rule in enumerate(table.quality or [])
    ]
    for column_number, (name, prop) in enumerate(columns):
        rules += [
            (
                ("schema", 0, "properties", column_number, "quality", number),
                f"column '{name}': quality[{number}]",
                rule,
                name,
            )
            for number, rule in enumerate(prop.quality or [])
        ]
    # A dict, as a rule that stands twice is measured once.
    unique = [(name,) for name, prop in columns if prop.unique or (name,) == keys]
    checks = dict.fromkeys(no_duplicates(*names) for names in ([keys, *unique] if len(keys) > 1 else unique))
    relationships = mistakes.read(lambda: list(read_relationships(table, table_name, called)), "schema", 0) or []
    checks |= dict.fromkeys(relationships)
    expected: int | None = None
    # To look at more takes too long.
    few = mistakes.read(lambda: _require_few([rule.query or "" for _, _, rule, _ in rules]), "schema", 0)
    for place, field, rule, column in rules if few else ():
        if mistakes.any_below(place):
            continue
        with mistakes.at(*place, field=field):
            check = read_check(rule, column, table_name, called)
            if check is not None:
                checks[check] = None
            elif why := not_measured(rule):
                mistakes.tell(place, f"{field}: {rule.name or rule.type}: {why}")
            if column is None and expected_row_count(rule) is not None:
                expected = expected_row_count(rule)
    return expected, tuple(checks)


def _require_few(queries: list[str]) -> bool:
    if (length := sum(len(query) for query in queries)) > MAX_QUERIES_LENGTH:
        raise MistakeError("quality", f"all queries together have {length:,} characters; write at most {MAX_QUERIES_LENGTH:,}")
    if len(queries) > MAX_RULES:
        raise MistakeError("quality", f"got {len(queries):,} rules; write at most {MAX_RULES:,}")
    return True
