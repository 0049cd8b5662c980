"""The metrics of the standard's library, as queries over the landing."""

import json
import re
from collections.abc import Mapping
from typing import Any

from open_data_contract_standard.model import DataQuality

from batchstream.contract.names import quoted
from batchstream.contract.patterns import pattern_of

UNITS = ("rows", "percent")

# Metric → what it takes as arguments.
_ARGUMENTS: dict[str, tuple[str, ...]] = {
    "rowCount": (),
    "nullValues": (),
    "missingValues": ("missingValues",),
    "invalidValues": ("validValues", "pattern"),
    "duplicateValues": ("properties",),
}
OF_TABLE = ("rowCount", "duplicateValues")
OF_COLUMN = ("nullValues", "missingValues", "invalidValues", "duplicateValues")

# What RE2 knows and PostgreSQL doesn't, or means otherwise.
_OTHER_TO_POSTGRES = re.compile(r"\\[pPzQEC]|\(\?(?![:i])|\(\?i(?!\))")


def metric_query(rule: DataQuality, column: str | None, columns: Mapping[str, str]) -> str:
    """The query that measures a rule.

    Args:
        rule: Of type library.
        column: What the table calls the column the rule stands under; None under the table.
        columns: What the contract calls each column → what the table calls it.

    Raises:
        ValueError: The metric, its arguments or its unit are none that can be measured.
    """
    metric = str(rule.metric or rule.rule)
    known = OF_TABLE if column is None else OF_COLUMN
    if not (rule.metric or rule.rule):
        raise ValueError(f"metric is missing; use {', '.join(known)}, or a rule of type sql")
    if metric not in known:
        raise ValueError(f"metric '{metric}' can't be measured here; use {', '.join(known)}, or a rule of type sql")
    given = _arguments(rule, metric)
    percent = _is_percent(rule, metric)
    if metric == "rowCount":
        return "SELECT count(*) FROM {object}"
    if metric == "duplicateValues":
        return _duplicates(column, given, columns, percent=percent)
    name = quoted_column(str(column))
    condition = {"nullValues": _null, "missingValues": _missing, "invalidValues": _invalid}[metric](name, given)
    if percent:
        return f"SELECT {_share(f'count(*) FILTER (WHERE {condition})')} FROM {{object}}"  # noqa: S608
    return f"SELECT count(*) FROM {{object}} WHERE {condition}"  # noqa: S608


def quoted_column(name: str) -> str:
    """A column in the template of a query: importing psycopg to quote it would triple the time to parse a DAG file."""
    return _in_template(quoted(name))


def _in_template(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _arguments(rule: DataQuality, metric: str) -> dict[str, Any]:
    allowed = _ARGUMENTS[metric]
    for name in rule.arguments or {}:
        if name not in allowed:
            write = f"write {' or '.join(allowed)}" if allowed else "remove it"
            raise ValueError(f"arguments: {name} has no meaning for metric '{metric}'; {write}, or a rule of type sql")
    return rule.arguments or {}


def _is_percent(rule: DataQuality, metric: str) -> bool:
    if rule.unit not in (None, *UNITS):
        raise ValueError(f"unit: got {rule.unit!r}; write {' or '.join(UNITS)}")
    if rule.unit == "percent" and metric == "rowCount":
        raise ValueError("unit: got 'percent', but all rows are always 100 percent of them; write rows or remove it")
    return rule.unit == "percent"


def _share(count: str) -> str:
    """Percent of all rows; of no rows it is none."""
    return f"coalesce(100.0 * ({count}) / nullif(count(*), 0), 0)"


def _duplicates(column: str | None, given: dict[str, Any], columns: Mapping[str, str], *, percent: bool) -> str:
    names = _list("properties", given) if "properties" in given else None
    if (names is None) is (column is None):
        wanted = "needs arguments: {properties: [...]} under the table" if column is None else "has a column already"
        raise ValueError(f"metric 'duplicateValues' {wanted}; write the columns under the table only")
    for name in names or ():
        if name not in columns:
            raise ValueError(f"arguments: properties: got {name!r}; write one of {', '.join(columns)}")
    if names is None:
        name = quoted_column(str(column))
        duplicates = f"count({name}) - count(DISTINCT {name})"
        return f"SELECT {_share(duplicates) if percent else duplicates} FROM {{object}}"  # noqa: S608
    together = ", ".join(quoted_column(columns[name]) for name in names)
    # As of a UNIQUE constraint, rows with a NULL among them are no duplicates.
    whole = " AND ".join(f"{quoted_column(columns[name])} IS NOT NULL" for name in names)
    duplicates = (
        f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {{object}} WHERE {whole} GROUP BY {together}) AS g"  # noqa: S608
    )
    return f"SELECT {_share(duplicates)} FROM {{object}}" if percent else duplicates  # noqa: S608


def _null(column: str, _: dict[str, Any]) -> str:
    return f"{column} IS NULL"


def _missing(column: str, given: dict[str, Any]) -> str:
    if "missingValues" not in given:
        return f"{column} IS NULL OR {column}::text = ''"
    return _among(column, _list("missingValues", given))


def _invalid(column: str, given: dict[str, Any]) -> str:
    if not given:
        raise ValueError("metric 'invalidValues' needs arguments; write validValues or pattern")
    wrong: list[str] = []
    if "validValues" in given:
        wrong.append(f"NOT ({_among(column, _list('validValues', given))})")
    if "pattern" in given:
        wrong.append(f"{column}::text !~ {_literal(_pattern(given['pattern']))}")
    # NULL is missing, and not invalid.
    return f"{column} IS NOT NULL AND ({' OR '.join(wrong)})"


def _pattern(pattern: Any) -> str:
    if not isinstance(pattern, str) or _OTHER_TO_POSTGRES.search(pattern):
        raise ValueError(f"arguments: pattern: got {pattern!r}; write a regular expression that RE2 and PostgreSQL both know")
    try:
        pattern_of(pattern)
    except ValueError as error:
        raise ValueError(f"arguments: pattern: got {pattern!r}: {error}; write a regular expression of RE2") from error
    return pattern


def _list(name: str, given: dict[str, Any]) -> list[Any]:
    values = given[name]
    if not isinstance(values, list) or not values or any(isinstance(value, list | dict) for value in values):
        raise ValueError(f"arguments: {name}: got {values!r}; write a list of values")
    return values


def _among(column: str, values: list[Any]) -> str:
    """Whether a value is one of a list. A number is also the text that looks like it, as YAML's quotes are easily forgotten."""
    conditions = [f"{column} IS NULL"] if None in values else []
    if texts := [_literal(value if isinstance(value, str) else json.dumps(value)) for value in values if value is not None]:
        conditions.append(f"{column}::text IN ({', '.join(texts)})")
    if others := [_literal(json.dumps(value)) for value in values if value is not None and not isinstance(value, str)]:
        # 1 is 1.00 to numeric(9,2), but no text is like another.
        conditions.append(f"to_jsonb({column}) IN ({', '.join(others)})")
    return " OR ".join(conditions)


def _literal(text: str) -> str:
    return "'" + _in_template(text.replace("'", "''")) + "'"
