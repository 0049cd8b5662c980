"""A path of a source that holds the date or a parameter of a run, such as ``data/sales-{{ ds }}.csv.gz``.

A closed list of words, and no template language: a path is shown in messages and in the ledger, and a template could put a
password into it.
"""

import re
from collections.abc import Mapping

DATES = ("ds", "ds_nodash", "ts_nodash")
"""As in Airflow's templates: the logical date of the run as 2026-01-31, 20260131, and 20260131T235959."""

PARAMETER = "params."
"""Stands before the name of a parameter of the run."""

_WORD = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_.]*)\s*\}\}")
_REST = re.compile(r"\{\{|\}\}|\{%|%\}")


def require_words(path: str) -> None:
    """See that a path has no other words.

    Raises:
        ValueError: It has.
    """
    for word in _WORD.findall(path):
        if word not in DATES and not re.fullmatch(re.escape(PARAMETER) + r"\w+", word):
            raise ValueError(f"got {path!r}; write {{{{ {' }}, {{ '.join(DATES)} }}}} or {{{{ params.NAME }}}}, not {word!r}")
    if _REST.search(_WORD.sub("", path)):
        raise ValueError(f"got {path!r}, with half a placeholder; write such as {{{{ ds }}}}")


def has_words(path: str) -> bool:
    """Whether a path is another one for each run."""
    return _WORD.search(path) is not None


def filled(path: str, words: Mapping[str, str]) -> str:
    """The path of a run.

    Args:
        path: As the contract has it.
        words: Word → what it stands for in this run.

    Raises:
        ValueError: This run has nothing for a word.
    """
    for word in _WORD.findall(path):
        if word not in words:
            todo = (
                f"give the run the parameter {word.removeprefix(PARAMETER)}"
                if word.startswith(PARAMETER)
                else "this run has no logical date: start one by the schedule, or trigger it with a date"
            )
            raise ValueError(f"got {path!r}; {todo}")
        if "\0" in words[word] or "\n" in words[word]:
            raise ValueError(f"got {path!r}, whose {word} is {words[word]!r} in this run; give it a text of one line")
    return _WORD.sub(lambda found: words[found[1]], path)
