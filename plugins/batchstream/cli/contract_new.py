"""``batchstream contract new``: writes the contract of a data file, of a URL or of a table, ready to run."""

import shutil
import tempfile
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import urlopen

from batchstream.cli.table_server import connected
from batchstream.draft.contract import Draft, draft
from batchstream.draft.document import table_names
from batchstream.draft.table import draft_table
from batchstream.errors import SourceError
from batchstream.local.console import complain, say
from batchstream.paths import ROOT

SHOWN_BAD_RECORDS = 5
WEB = ("http", "https")
POSTGRES = ("postgresql", "postgres")
TIMEOUT_SECONDS = 30
_USAGE = (
    "name the one source that a contract is wanted for: batchstream contract new data/sales.csv, or https://…, or "
    "--table shop.orders --connection ID"
)


class Wanted(NamedTuple):
    """What a contract is wanted for.

    Attributes:
        sources: The file, the URL of one, or that of a database; none if `connection_id` says where the table is.
        table: Of a database.
        connection_id: Airflow's connection to it.
        output: Where to write; by default among the contracts of the project, called as the source. Nothing is overwritten.
    """

    sources: list[str]
    table: str | None = None
    connection_id: str | None = None
    output: Path | None = None


def write(wanted: Wanted) -> int:
    """Write the contract of a source; 0 if a load would take the source as it is."""
    source = wanted.sources[0] if wanted.sources else ""
    scheme = urlsplit(source).scheme.lower()
    is_table = scheme in POSTGRES or (not wanted.sources and (wanted.table or wanted.connection_id) is not None)
    if len(wanted.sources) > 1 or not (wanted.sources or is_table) or (wanted.table and not is_table):
        complain(_USAGE)
        return 2
    if is_table:
        with connected(source, wanted.connection_id) as connection:
            found = draft_table(connection, wanted.table, wanted.connection_id)
        return _written(found.table, wanted.output, lambda _: found)
    if scheme in WEB:
        return _of_url(source, wanted.output)
    path = Path(source)
    return _written(_stem(path.name), wanted.output, lambda target: draft(path, target), path)


def _of_url(url: str, output: Path | None) -> int:
    """Draft by a copy of the file, which is gone at the end."""
    parts = urlsplit(url)
    if parts.username is not None or parts.password is not None:
        raise SourceError(f"{parts.hostname}: a contract holds no password; name the URL without user and password")
    name = PurePosixPath(unquote(parts.path)).name or "data"
    with tempfile.TemporaryDirectory(prefix="batchstream-") as folder:
        copy = Path(folder) / name
        _download(url, copy)
        inside = Path(folder) / "dags" / "contracts" / "x.odcs.yaml"
        return _written(_stem(name), output, lambda _: draft(copy, inside, url))


def _download(url: str, to: Path) -> None:
    try:
        # Of one of the schemes above, not of file: or of one that a library adds.
        with urlopen(url, timeout=TIMEOUT_SECONDS) as answer, to.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(answer, file)
            length = answer.headers.get("Content-Length")
    except (OSError, HTTPException) as error:
        raise SourceError(f"{url}: can't be downloaded: {error}; mend the URL, or try again") from error
    if length is not None and to.stat().st_size != int(length):
        raise SourceError(f"{url}: got {to.stat().st_size:,} of {int(length):,} bytes; try again")


def _stem(name: str) -> str:
    return name.partition(".")[0]


def _written(called: str, output: Path | None, make: Callable[[Path], Draft], path: Path | None = None) -> int:
    (table,) = table_names([called])
    target = output or ROOT / "dags" / "contracts" / f"{table}.odcs.yaml"
    if target.exists():
        complain(f"{target}: is there already; remove it, or write another one with --output")
        return 1
    found = make(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(found.text, encoding="utf-8")
    say(f"{target}: table {found.table}, {found.columns} columns; read it, as nothing but the source is known of the data")
    if path is not None and not path.resolve().is_relative_to(target.resolve().parent.parent.parent):
        say("the file lies outside of the project: move it there, or name its folder in BATCHSTREAM_DATA_ROOTS")
    if found.bad_records:
        bad = f"{len(found.bad_records):,} records are bad under any contract"
        complain(f"{path or called}: {bad}; mend them, or write rejectedRecordsAllowed:")
        for sentence in found.bad_records[:SHOWN_BAD_RECORDS]:
            complain(f"  {sentence}")
        return 1
    return 0
