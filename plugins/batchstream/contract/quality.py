"""Quality rules of the standard as checks over the landing."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from open_data_contract_standard.model import DataQuality

from batchstream.contract.model import Check
from batchstream.contract.names import quoted
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

# Metric of the standard → query over the landing, for a column by `_identifier`.
_COLUMN_METRICS: dict[str, Callable[[str], str]] = {
    "nullValues": lambda column: f"SELECT count(*) FROM {{object}} WHERE {column} IS NULL",  # noqa: S608
    "missingValues": lambda column: f"SELECT count(*) FROM {{object}} WHERE {column} IS NULL OR {column}::text = ''",  # noqa: S608
    "duplicateValues": lambda column: f"SELECT count({column}) - count(DISTINCT {column}) FROM {{object}}",  # noqa: S608
}


# Fields that would change what a rule means → the only value that is what we do.
MAX_BOUND = 1e300
"""Far beyond any count or mean; a number with more digits could not be compared by PostgreSQL's double precision."""

_SUPPORTED = {"unit": "rows", "severity": "error"}


def no_duplicates(*columns: str) -> Check:
    """What a primary key and a unique column promise."""
    return Check(f"{', '.join(columns)}: duplicateValues mustBe 0", _duplicates(columns), "{value} = (0)")


def _duplicates(columns: Sequence[str]) -> str:
    """How many rows have the values of a row before them. As for a unique index, NULL is like nothing."""
    names = [_identifier(column) for column in columns]
    if len(names) == 1:
        return _COLUMN_METRICS["duplicateValues"](names[0])
    # In groups, which all cores count: count(DISTINCT …) would sort every row in one process.
    return (
        "SELECT coalesce(sum(times - 1), 0) FROM (SELECT count(*) AS times FROM {object} "  # noqa: S608
        f"WHERE {' AND '.join(f'{name} IS NOT NULL' for name in names)} GROUP BY {', '.join(names)}) AS found"
    )


def read_check(rule: DataQuality, column: str | None, dataset: str) -> Check | None:
    """One quality rule as a check; None for a rule that is text for people.

    Args:
        rule: The rule.
        column: The column it stands under, None under the table.
        dataset: Name of the published table.

    Raises:
        ValueError: The rule is of a kind that we don't measure; the message says which kinds we do.
    """
    kind = rule.type or "library"
    if kind == "text":
        return None
    for name, supported in _SUPPORTED.items():
        if (got := getattr(rule, name)) not in (None, supported):
            raise ValueError(f"{name}: got {got!r}, but a rule counts rows and stops the publish; write {supported} or remove it")
    reads_published = False
    if kind == "sql":
        if not rule.query:
            raise ValueError("a rule of type sql needs a query; write query: SELECT ...")
        text, reads_published = read_query(_mark(rule.query, column), dataset)
        query = _template(text, column)
    elif kind == "library":
        query = _metric(rule, column)
    else:
        raise ValueError(f"type: got '{kind}', which can't be measured; write library, sql or text")
    condition, said = _condition(rule)
    return Check(
        name=rule.name or f"{column or 'table'}: {rule.metric or rule.rule or rule.query} {said}",
        query=query,
        condition=condition,
        reads_published=reads_published,
    )


def expected_row_count(rule: DataQuality) -> int | None:
    """The number of a rule that says how many rows there must be."""
    if (rule.metric or rule.rule) == "rowCount" and isinstance(rule.mustBe, int) and not isinstance(rule.mustBe, bool):
        return rule.mustBe
    return None


def _metric(rule: DataQuality, column: str | None) -> str:
    metric = rule.metric or rule.rule
    if rule.arguments:
        raise ValueError(f"metric '{metric}' with arguments can't be measured; write a rule of type sql")
    if metric == "rowCount" and column is None:
        return "SELECT count(*) FROM {object}"
    if metric in _COLUMN_METRICS and column is not None:
        return _COLUMN_METRICS[metric](_identifier(column))
    known = "rowCount" if column is None else ", ".join(_COLUMN_METRICS)
    raise ValueError(f"metric '{metric}' can't be measured here; use {known}, or a rule of type sql")


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


# Placeholder → its mark; the standard writes ``{object}`` or ``${object}``.
_PLACEHOLDERS = {"object": OBJECT, "table": OBJECT, "property": PROPERTY, "column": PROPERTY, "published": PUBLISHED}


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
    parts = {OBJECT: "{object}", PUBLISHED: "{published}", PROPERTY: _identifier(column or "")}
    # At once: a column may be called like a mark.
    return re.sub("|".join(parts), lambda found: parts[found[0]], query.replace("{", "{{").replace("}", "}}"))


def _identifier(column: str) -> str:
    """A column in the template of a query. psycopg's composition says the same, and would triple the time to parse a DAG file."""
    return quoted(column).replace("{", "{{").replace("}", "}}")
