"""The tables have the columns that docs/api.md promises to readers."""

import re

import psycopg
import pytest

from batchstream.paths import ROOT
from tests.support.pipeline import Pipeline

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")


def promised(table: str) -> list[str]:
    rows = re.findall(rf"^\| `{re.escape(table)}`[^|]*\| (.+) \|$", DOCUMENT, re.MULTILINE)
    return re.findall(r"`(\w+)`", " ".join(rows))


@pytest.mark.parametrize("table", ["batchstream.loads", "batchstream.quarantine"])
def test_no_promised_column_is_missing(pipeline: Pipeline, admin: psycopg.Connection, table: str) -> None:
    pipeline.open()
    columns = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
    found = {name for (name,) in admin.execute(columns, [table])}
    assert promised(table)
    gone = set(promised(table)) - found
    assert not gone, "readers may use these columns: keep them, or mend docs/api.md and tell users in CHANGELOG.md what to write"
