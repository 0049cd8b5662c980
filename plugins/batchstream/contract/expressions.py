"""Expressions over one record, in Spark's SQL: what they read, and that each gives one value for one record.

Spark has the last word when a load begins; this tells people in time, and names the columns whose values Spark has to be given.
"""

from collections.abc import Collection
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlglot import exp

MAX_EXPRESSION_LENGTH = 10_000

_WRITE = "write one expression of Spark SQL over the columns of the source, such as upper(trim(name))"


@cache
def names_in(text: str) -> frozenset[str]:
    """Names of the columns that an expression reads, as it spells them.

    Raises:
        ValueError: It is no expression that gives one value for one record.
    """
    # Only for contracts that have expressions: the parser takes longer to import than all else that is done to read a contract.
    from sqlglot import exp, parse
    from sqlglot.errors import ParseError, SqlglotError

    if len(text) > MAX_EXPRESSION_LENGTH:
        raise ValueError(f"got {len(text):,} characters; write at most {MAX_EXPRESSION_LENGTH:,}")
    try:
        trees = parse(text, read="spark")
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        where = f"line {first.get('line')}, column {first.get('col')}: {first.get('description')}"
        raise ValueError(f"got {text!r}: {where}; {_WRITE}") from error
    except (SqlglotError, RecursionError) as error:
        raise ValueError(f"got {text!r}: {str(error) or 'is too deep'}; {_WRITE}") from error
    tree = trees[0] if len(trees) == 1 else None
    for node in tree.walk() if tree else ():
        if what := _beyond_a_record(node):
            raise ValueError(f"got {text!r}, with {what}, but an expression sees one record and gives one value; {_WRITE}")
    if tree is None or isinstance(tree, exp.Alias) or not isinstance(tree, exp.Condition | exp.Func | exp.Interval):
        raise ValueError(f"got {text!r}, which is no expression; {_WRITE}")
    return frozenset(column.parts[0].name for column in tree.find_all(exp.Column))


def _beyond_a_record(node: "exp.Expr") -> str | None:
    from sqlglot import exp

    kinds: dict[type[exp.Expr], str] = {
        exp.Window: "a window",
        exp.AggFunc: "an aggregate",
        exp.Query: "a query",
        exp.UDTF: "rows of its own",
        exp.Star: "a star",
        exp.Placeholder: "a placeholder",
        exp.Parameter: "a parameter",
    }
    return next((what for kind, what in kinds.items() if isinstance(node, kind)), None)


def meant(name: str, columns: Collection[str]) -> str:
    """The column that Spark takes a name for: it minds no capitals.

    Raises:
        ValueError: There is none, or there are several.
    """
    if name in columns and sum(other.casefold() == name.casefold() for other in columns) == 1:
        return name
    found = [column for column in columns if column.casefold() == name.casefold()]
    if len(found) > 1:
        raise ValueError(f"reads '{name}', which may be {' or '.join(map(repr, found))}, as Spark minds no capitals; rename one")
    if not found:
        raise ValueError(f"reads '{name}', which is no column of the source; write one of {', '.join(sorted(columns))}")
    return found[0]
