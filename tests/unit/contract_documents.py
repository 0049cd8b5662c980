"""Random documents that resemble contracts: those of the project, with a few values changed, left out, added or repeated."""

import copy
import json
import random
from typing import Any

import yaml
from hypothesis import strategies as st

from tests.conftest import HOUSING, ORDERS

BASES = [yaml.safe_load(path.read_text()) for path in (HOUSING, ORDERS)]
TEXTS = [
    *(
        "",
        " ",
        "a",
        "x.md",
        "/etc/hostname.md",
        "build",
        "{{ 1 / 0 }}",
        "{% raw %}",
        "{0}",
        "%s",
        "'",
        '"',
        "--",
        "\\",
        "*",
        "<<",
    ),
    *("integer", "text", "numeric(9,2)", "varchar(3)", "boolean", "date", "timestamptz", "string", "number", "sql", "library"),
    *("SELECT 1", "SELECT count(*) FROM {object}", "SELECT count(*) FROM {published} -- x", "DELETE FROM x", "rowCount", "[a-z"),
    *(
        "@daily",
        "0 6 * * *",
        "0 0 31 2 *",
        "csv",
        "whitespace",
        "swap",
        "data/x.csv",
        "../x",
        "a_b",
        "A b",
        "é" * 70,
        "\u202e\n\t",
    ),
    *("\U0001f600", "topic", "sourcePath", "indexed", "v3.1.0", "2020-01-01", "012", "true", "null", "~"),
]
VALUES = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=20),
    st.sampled_from(
        [None, True, False, 0, 1, -1, 2**63, 10**30, 0.5, 1e300, float("nan"), float("inf"), [], {}, [[]], {"a": {}}]
    ),
)
FIELDS = """
name physicalName physicalType logicalType primaryKey unique required quality enum query metric mustBe mustBeBetween property
description purpose properties schema logicalTypeOptions x minimum maximum minLength pattern customProperties type version servers
tags items rule value
"""
KEYS = st.sampled_from(FIELDS.split())


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """One to four changes, anywhere."""
    document: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(BASES)))
    # One number draws a place; it is in the document as it is by then.
    for seed in draw(st.lists(st.integers(0, 2**32), min_size=1, max_size=4)):
        places = list(_places(document))
        holder, key = places[random.Random(seed).randrange(len(places))]
        change = draw(st.sampled_from(["set", "set", "remove", "add", "repeat"]))
        if change == "set":
            holder[key] = draw(VALUES)
        elif change == "remove":
            del holder[key]
        elif change == "add" and isinstance(holder, dict):
            holder[draw(KEYS)] = draw(VALUES)
        elif isinstance(holder, list):
            holder.insert(key, copy.deepcopy(holder[key]))
        if not document:
            break
    return document


def as_text(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)


def texts() -> st.SearchStrategy[str]:
    """Documents, also with characters that were changed in their text."""
    edits = st.lists(
        st.tuples(st.integers(0, 2**32), st.sampled_from([*"\n\t :-[]{}&*#'\"|>!%@`0_,?", "- ", ": ", "010"])), max_size=3
    )
    return st.tuples(documents().map(as_text), edits).map(_edited)


def _edited(drawn: tuple[str, list[tuple[int, str]]]) -> str:
    text, edits = drawn
    for seed, inserted in edits:
        place = seed % (len(text) + 1)
        text = text[:place] + inserted + text[place + seed % 3 :]
    return text


def _places(value: Any) -> Any:
    """Each holder in a document, with each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        yield value, key
        yield from _places(inner)


def distinct(document: dict[str, Any], number: int) -> dict[str, Any]:
    """A document under a name and a topic of its own, as far as it has the fields for these."""
    document = json.loads(json.dumps(document))
    tables = document.get("schema")
    if isinstance(tables, list) and tables and isinstance(table := tables[0], dict):
        table["physicalName"] = f"x{number}"
    if isinstance(settings := document.get("customProperties"), list):
        document["customProperties"] = [
            entry for entry in settings if not (isinstance(entry, dict) and entry.get("property") == "topic")
        ]
    return document
