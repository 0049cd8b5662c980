"""Breaks the SQL of ledger and publish in one place at a time, and lists what no test notices.

``python -m tests.support.sql_mutants TEST-FILE… -- [FILE…]``, beside a server of `tests.support.postgres_alone` and in a copy of
the project, whose files below ``sql/`` it changes. A function of the ledger is replaced in the database, as its file is applied
only once.
"""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from batchstream.local.installation import Installation
from batchstream.paths import SQL_FOLDER
from batchstream.postgres import names
from tests.conftest import running_installation

SECONDS = 300
"""A test that a mutant keeps waiting for a lock has noticed it; or three times as long as the tests take without a mutant."""

CHANGES = (
    (r"\bAND\b", "OR"),
    (r"\bOR\b", "AND"),
    (r"\bIS NOT NULL\b", "IS NULL"),
    (r"\bIS NULL\b", "IS NOT NULL"),
    (r"\bIS NOT DISTINCT FROM\b", "IS DISTINCT FROM"),
    (r"\bIS DISTINCT FROM\b", "IS NOT DISTINCT FROM"),
    (r"\bNOT IN\b", "IN"),
    (r"(?<!NOT )\bIN \(", "NOT IN ("),
    (r"\bNOT (?=may_note|may_start_from|pg_has_role|FOUND|old\.)", ""),
    (r"(?<= )<>(?= )", "="),
    (r"(?<= )=(?= )(?! ANY)", "<>"),
    (r"(?<= )>(?= )", ">="),
    (r"\bFOR (NO KEY UPDATE|SHARE)\b", ""),
    (r"\bcoalesce\((\w+), ", r"coalesce(NULL, "),
    (r"\b1\b", "2"),
    (r"'(opened|produced|landed|verified|published|failed)'", "'x'"),
    (r"(?m)^        \w+ = [^,\n]+,$", ""),
    (r"\bnow\(\)", "'epoch'"),
)
"""Pattern and what takes its place. The last but one leaves out what an UPDATE assigns."""

FUNCTION = re.compile(r"CREATE (?:OR REPLACE )?FUNCTION.*?\$\$;", re.DOTALL)


def mutants(text: str) -> Iterator[tuple[int, str, str]]:
    """Line, what was changed, and the changed text; comments stay."""
    code = re.sub(r"--[^\n]*", lambda found: " " * len(found[0]), text)
    for pattern, instead in CHANGES:
        for found in re.finditer(pattern, code):
            new = found.expand(instead)
            yield (
                text.count("\n", 0, found.start()) + 1,
                f"{found[0].strip()} → {new}",
                text[: found.start()] + new + text[found.end() :],
            )


@contextmanager
def changed_file(path: Path, text: str) -> Iterator[None]:
    """The file with another text meanwhile."""
    before = path.read_text(encoding="utf-8")
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")


@contextmanager
def changed_functions(installation: Installation, before: str, text: str) -> Iterator[None]:
    """The functions of a file of the ledger meanwhile as in another text."""
    _replace(installation, text)
    try:
        yield
    finally:
        _replace(installation, before)


def _replace(installation: Installation, text: str) -> None:
    with installation.postgres.connect(names.DATABASE) as connection:
        connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(names.OWNER)))
        for function in FUNCTION.findall(text):
            replacing = re.sub(r"^CREATE (OR REPLACE )?", "CREATE OR REPLACE ", function)
            connection.execute(replacing.replace("{{", "{").replace("}}", "}").encode())


def run(tests: list[str], seconds: float | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
        check=False,
    )


def is_noticed(tests: list[str], seconds: float) -> bool:
    """Whether a test turns red."""
    try:
        return run(tests, seconds).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main(tests: list[str], files: list[str]) -> None:
    """Print what survives."""
    chosen = [SQL_FOLDER / name for name in files] or sorted(
        [*SQL_FOLDER.glob("ledger/*.sql"), *SQL_FOLDER.glob("publish/*.sql")]
    )
    with running_installation() as installation:
        begun = time.monotonic()
        unchanged = run(tests)
        if unchanged.returncode:
            sys.exit(f"the tests are red as they are:\n{unchanged.stdout[-4000:]}")
        # On a busy machine they take longer, and that is no mutant's doing.
        seconds = max(SECONDS, 3 * (time.monotonic() - begun))
        for path in chosen:
            text = path.read_text(encoding="utf-8")
            made = survived = 0
            for line, change, mutant in mutants(text):
                in_ledger = path.parent.name == "ledger"
                if in_ledger and FUNCTION.sub("", mutant) != FUNCTION.sub("", text):
                    # A table or a right: of a database that is there already, it would change nothing.
                    continue
                made += 1
                with changed_functions(installation, text, mutant) if in_ledger else changed_file(path, mutant):
                    if not is_noticed(tests, seconds):
                        survived += 1
                        print(f"{path.relative_to(SQL_FOLDER)}:{line}: {change}", flush=True)
            print(f"{path.relative_to(SQL_FOLDER)}: {survived} of {made} survived", flush=True)


if __name__ == "__main__":
    place = sys.argv.index("--")
    main(sys.argv[1:place], sys.argv[place + 1 :])
