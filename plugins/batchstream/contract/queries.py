"""A rule of type sql: one SELECT that gives one value, reads what readers may see, and changes nothing.

PostgreSQL has the last word: it runs the query in a transaction that is READ ONLY, under a role that may read landings and
published tables only. This tells people in time, and sees to it that a query can't reach beyond its own parentheses.
"""

import re
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from batchstream.contract.functions import ALLOWED_FUNCTIONS, WORDS_BEFORE_PARENTHESES

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.tokenizer_core import Token

MAX_QUERY_LENGTH = 10_000
OBJECT, PROPERTY, PUBLISHED = '"\1"', '"\2"', '"\3"'
"""Quoted names that stand for our placeholders while a query is looked at."""

WRITE = "write one SELECT of one value"

_NAME = rf"(?:{PROPERTY}|[a-z_][a-z0-9_]*)"
_CONDITION = rf"{_NAME}\s*(?:(?:=|<>|<|>|<=|>=)\s*(?:{_NAME}|\d+(?:\.\d+)?|'[^'\\]*')|\s+is\s+(?:not\s+)?null)"
# Queries that need no closer look: to import the parser takes longer than all else that is done to read a contract.
_PLAIN = re.compile(
    rf"select\s+(?:count|sum|avg|min|max)\s*\(\s*(?:\*|(?:distinct\s+)?{_NAME})\s*\)"
    rf"\s+from\s+{OBJECT}(?:\s+where\s+{_CONDITION}(?:\s+(?:and|or)\s+{_CONDITION})*)?",
    re.IGNORECASE,
)
# Texts in whose ends versions of SQL differ.
_ODD_TEXTS = ("BYTE_STRING", "UNICODE_STRING", "HEREDOC_STRING", "RAW_STRING", "BIT_STRING", "HEX_STRING", "NATIONAL_STRING")


class Query(NamedTuple):
    """A query that was looked at.

    Attributes:
        text: Without comments, and without a semicolon at its end; placeholders are still marked.
        reads_published: Whether it looks at what readers see of its own dataset.
    """

    text: str
    reads_published: bool


@cache
def read_query(text: str, dataset: str) -> Query:
    """Look at the query of a rule.

    Args:
        text: The query, with `OBJECT`, `PROPERTY` and `PUBLISHED` as placeholders.
        dataset: Name of the table that is published.

    Raises:
        ValueError: It is not one SELECT of one value, or may do more than read.
    """
    if len(text) > MAX_QUERY_LENGTH:
        raise ValueError(f"query: got {len(text):,} characters; write at most {MAX_QUERY_LENGTH:,}")
    if _PLAIN.fullmatch(stripped := text.strip().rstrip("; \n")):
        return Query(stripped, reads_published=False)
    # Only here: see _PLAIN.
    from sqlglot.dialects.postgres import Postgres
    from sqlglot.errors import ParseError, SqlglotError

    try:
        tokens = Postgres().tokenize(text)
        while tokens and tokens[-1].token_type.name == "SEMICOLON":
            tokens.pop()
        _require_plain_tokens(tokens, text)
        trees = Postgres().parser().parse(tokens, text)
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise ValueError(
            f"query: line {first.get('line')}, column {first.get('col')}: {first.get('description')}; {WRITE}"
        ) from error
    except (SqlglotError, RecursionError) as error:
        raise ValueError(f"query: {str(error) or 'is too deep'}; {WRITE}") from error
    tree = _one_select(trees)
    _require_harmless_calls(tokens, text, tree)
    return Query(_joined(tokens, text), reads_published=_reads_published(tree, dataset))


def _require_plain_tokens(tokens: "list[Token]", text: str) -> None:
    depth = 0
    for token in tokens:
        kind = token.token_type.name
        depth += (kind == "L_PAREN") - (kind == "R_PAREN")
        if depth < 0:
            raise ValueError(f"query: a parenthesis closes that none has opened; {WRITE}")
        if kind == "SEMICOLON":
            raise ValueError(f"query: holds several statements; {WRITE}")
        if kind in _ODD_TEXTS:
            raise ValueError(f"query: got {_raw(token, text)}; write a text as '…', and other characters by chr(…)")
        if kind.startswith(("BLOCK_", "L_BRACE", "R_BRACE")):
            raise ValueError("query: got braces; write {object}, {published}, or {property} under a column")
    if depth:
        raise ValueError(f"query: {depth} parentheses are not closed; {WRITE}")


def _one_select(trees: "list[exp.Expr | None]") -> "exp.Expr":
    from sqlglot import exp

    tree = trees[0] if trees else None
    if len(trees) != 1 or not isinstance(tree, exp.Query):
        raise ValueError(f"query: got {_kind(tree)}; {WRITE}")
    harmful = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Create, exp.Drop, exp.Command, exp.Copy)
    for node in tree.walk():
        if isinstance(node, harmful) or (isinstance(node, exp.CTE) and not isinstance(node.this, exp.Query | exp.Values)):
            raise ValueError(
                f"query: got {_kind(node.this if isinstance(node, exp.CTE) else node)}, and a rule only reads; {WRITE}"
            )
        if isinstance(node, exp.Into | exp.Lock):
            what = "INTO" if isinstance(node, exp.Into) else "a lock (FOR UPDATE or the like)"
            raise ValueError(f"query: got {what}, and a rule only reads; {WRITE}")
    values = tree.selects
    if len(values) != 1 or values[0].is_star:
        raise ValueError(f"query: gives {'all columns' if any(v.is_star for v in values) else f'{len(values)} values'}; {WRITE}")
    return tree


def _kind(node: Any) -> str:
    return "nothing" if node is None else str(node.this if node.key == "command" else node.key).upper()


def _require_harmless_calls(tokens: "list[Token]", text: str, tree: "exp.Expr") -> None:
    from sqlglot import exp

    # WITH name (columns) AS …, and … AS name (columns).
    names = {alias.this.meta.get("start") for alias in tree.find_all(exp.TableAlias) if alias.this is not None}
    for number, (token, following) in enumerate(pairwise(tokens)):
        raw = _raw(token, text)
        if following.token_type.name != "L_PAREN" or not (raw[0].isalpha() or raw[0] in '_"') or token.start in names:
            continue
        name = token.text if raw[0] == '"' else raw.lower().split()[-1]  # GROUP BY is one token.
        schema = _raw(tokens[number - 2], text).lower() if number > 1 and _raw(tokens[number - 1], text) == "." else None
        word = schema is None and raw[0] != '"' and name in WORDS_BEFORE_PARENTHESES
        if not word and (schema not in (None, "pg_catalog") or name not in ALLOWED_FUNCTIONS):
            called = name if schema is None else f"{schema}.{name}"
            raise ValueError(
                f"query: calls {called!r}, which is none of the functions that a rule may call; "
                "write such as count, avg or date_trunc; docs/contracts.md says where the list is"
            )


def _reads_published(tree: "exp.Expr", dataset: str) -> bool:
    """Whether a query reads the published table of its own dataset; see that it reads nothing but published tables."""
    from sqlglot import exp

    local = {_folded(cte.args["alias"].this) for cte in tree.find_all(exp.CTE)}
    if dataset in local:
        raise ValueError(f"query: names a WITH query {dataset!r}, as the published table is; write another name")
    published = False
    for table in tree.find_all(exp.Table):
        if not isinstance(table.this, exp.Identifier):
            continue  # A function.
        name, schema = _folded(table.this) or "", _folded(table.args.get("db"))
        where = ".".join(filter(None, [_folded(table.args.get("catalog")), schema, name]))
        if f'"{name}"' in (OBJECT, PUBLISHED) and schema is None:
            published = published or f'"{name}"' == PUBLISHED
        elif schema is None and name in local:
            continue
        elif where not in (name, f"public.{name}") or name.startswith("pg_"):
            raise ValueError(f"query: reads {where!r}; a rule reads {{object}}, {{published}} and published tables of others")
        else:
            published = published or name == dataset
    return published


def _folded(identifier: Any) -> str | None:
    """A name as PostgreSQL takes it."""
    if identifier is None:
        return None
    return str(identifier.name) if identifier.args.get("quoted") else str(identifier.name).lower()


def _joined(tokens: "list[Token]", text: str) -> str:
    """The query without its comments, which would hide what follows it."""
    parts: list[str] = []
    end = 0
    for token in tokens:
        gap = text[end : token.start]
        parts += ["" if not gap or not parts else "\n" if "\n" in gap else " ", _raw(token, text)]
        end = token.end + 1
    return "".join(parts)


def _raw(token: "Token", text: str) -> str:
    return text[token.start : token.end + 1]
