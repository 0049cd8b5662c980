"""Quality rules of the standard as checks over the landing."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from open_data_contract_standard.model import DataQuality

from batchstream.contract.metrics import metric_query, quoted_column
from batchstream.contract.model import Check
from batchstream.contract.queries import OBJECT, PROPERTY, PUBLISHED, read_query

# Operator of the standard → SQL verdict; numbers stand in the second pair of braces.
_OPERATORS: dict[str, str] = {
    "mustBe": "{{value}} = {0}",
    "mustNotBe": "{{value}} <> {0}",
    "mustBeGreaterThan": "{{value}} > {0}",
    "mustBeGreaterOrEqualTo": "{{value}} >= {0}",
    "mustBeLessThan": "{{value}} < {0}",
    "mustBeLessOrEqualTo": "{{value}} <= {0}",
    "mustBeBetween": "{{value}} BETWEEN {0} AND {1}",
    "mustNotBeBetween": "{{value}} NOT BETWEEN {0} AND {1}",
}

MAX_BOUND = 1e300
"""Far beyond any count or mean; a number with more digits could not be compared by PostgreSQL's double precision."""

STOPS_NOTHING = ("info", "warning", "warn")
"""Severities of a rule that is measured and told. Any other word, such as critical, is as severe as error, the default."""


def no_duplicates(*columns: str) -> Check:
    """What a primary key and a unique column promise."""
    if len(columns) > 1:
        rule = DataQuality.model_validate({"metric": "duplicateValues", "arguments": {"properties": list(columns)}})
        query = metric_query(rule, None, {column: column for column in columns})
    else:
        query = metric_query(DataQuality.model_validate({"metric": "duplicateValues"}), columns[0], {})
    return Check(f"{', '.join(columns)}: duplicateValues mustBe 0", query, "{value} = (0)")


def not_measured(rule: DataQuality) -> str | None:
    """Why a rule is no check; None if it is one."""
    if rule.type == "text":
        return "is not measured: it is a text for people"
    if rule.type == "custom":
        return f"is not measured: it is for {rule.engine or 'another engine'}"
    return None


def read_check(rule: DataQuality, column: str | None, dataset: str, columns: Mapping[str, str] | None = None) -> Check | None:
    """One quality rule as a check; None for a rule that is not measured.

    Args:
        rule: The rule.
        column: The column it stands under, None under the table.
        dataset: Name of the published table.
        columns: What the contract calls each column → what the table calls it.

    Raises:
        ValueError: The rule is of a kind that we don't measure; the message says which kinds we do.
    """
    kind = rule.type or ("sql" if rule.query and not rule.metric else "library")
    if not_measured(rule) is not None:
        return None
    reads_published = False
    if kind == "sql":
        if not rule.query:
            raise ValueError("a rule of type sql needs a query; write query: SELECT ...")
        text, reads_published = read_query(_mark(rule.query, column), dataset)
        query = _template(text, column)
    elif kind == "library":
        query = metric_query(rule, column, columns or {})
    else:
        raise ValueError(f"type: got '{kind}', which can't be measured; write library, sql, custom or text")
    condition, said = _condition(rule)
    unit = " percent" if rule.unit == "percent" else ""
    return Check(
        name=rule.name or f"{column or 'table'}: {rule.metric or rule.rule or rule.query} {said}{unit}",
        query=query,
        condition=condition,
        reads_published=reads_published,
        stops_publish=_stops(rule),
    )


def _stops(rule: DataQuality) -> bool:
    return (rule.severity or "").lower() not in STOPS_NOTHING


def expected_row_count(rule: DataQuality) -> int | None:
    """The number of a rule that says how many rows there must be."""
    counts = (rule.metric or rule.rule) == "rowCount" and rule.type in (None, "library") and _stops(rule)
    if counts and isinstance(rule.mustBe, int) and not isinstance(rule.mustBe, bool):
        return rule.mustBe
    return None


def _condition(rule: DataQuality) -> tuple[str, str]:
    given = {name: getattr(rule, name) for name in _OPERATORS if getattr(rule, name) is not None}
    if len(given) != 1:
        raise ValueError(f"needs exactly one operator, got {', '.join(given) or 'none'}; write one of {', '.join(_OPERATORS)}")
    ((operator, bound),) = given.items()
    bounds: list[Any] = bound if isinstance(bound, list) else [bound]
    wanted = 2 if operator.endswith("Between") else 1
    numeric = all(isinstance(b, int | float) and not isinstance(b, bool) and -MAX_BOUND < b < MAX_BOUND for b in bounds)
    if not numeric or len(bounds) != wanted or isinstance(bound, list) != (wanted == 2):
        raise ValueError(f"{operator}: got {bound!r}; write {wanted} number{'s' * (wanted - 1)}")
    if bounds != sorted(bounds):
        raise ValueError(f"{operator}: got {bound!r}; write the smaller number first")
    # Decimal keeps the digits as they were written, where a float would be printed with an exponent.
    numbers = [format(Decimal(repr(number)), "f") for number in bounds]
    return _OPERATORS[operator].format(*(f"({number})" for number in numbers)), f"{operator} {' and '.join(numbers)}"


# Placeholder → its mark; the standard writes ``{object}`` or ``${object}``, other tools have further names.
_PLACEHOLDERS = {
    **dict.fromkeys(("object", "table", "model"), OBJECT),
    **dict.fromkeys(("property", "column", "field"), PROPERTY),
    "published": PUBLISHED,
}


def _mark(query: str, column: str | None) -> str:
    if any(mark in query for mark in (OBJECT, PROPERTY, PUBLISHED)):
        raise ValueError("query: names something U+0001, U+0002 or U+0003; write a placeholder, or another name")
    for name, mark in _PLACEHOLDERS.items():
        # Some put it in quotes themselves, as it stands for a name.
        for written in ("${" + name + "}", "{" + name + "}"):
            query = query.replace(f'"{written}"', mark).replace(written, mark)
    if PROPERTY in query and column is None:
        raise ValueError("query: {property} has a meaning only under a column; write the column's name")
    return query


def _template(query: str, column: str | None) -> str:
    """Leave only our placeholders in braces."""
    parts = {OBJECT: "{object}", PUBLISHED: "{published}", PROPERTY: quoted_column(column or "")}
    # At once: a column may be called like a mark.
    return re.sub("|".join(parts), lambda found: parts[found[0]], query.replace("{", "{{").replace("}", "}}"))
