"""Roles and the database are named in one module. What can't take a name from there has a copy, and each copy is compared."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchstream.postgres import names

ROOT = Path(__file__).parents[2]
OURS = {names.OWNER, names.LOADER, names.READER, names.CHECKER, names.DATABASE}

COPIES = {
    # Run by hand as well, on servers that others administer.
    "sql/setup/checker.sql": {names.CHECKER, names.LOADER},
    "sql/setup/schemas.sql": OURS,
    # Needs nothing but Python.
    "scripts/make_env.py": OURS & set(names.LOGINS),
    "docker-compose.yaml": OURS & set(names.LOGINS),
    "docker/pgadmin-servers.json": {names.READER, names.DATABASE},
    "deploy/managed/postgres-connection.json": {names.LOADER, names.DATABASE},
    "plugins/batchstream/project/connections.env.example": {names.LOADER, names.OWNER, names.DATABASE},
}

# Statements that an administrator runs by hand.
DOCUMENTS = {"docs/own-airflow.md": {names.OWNER, names.LOADER, names.READER, names.DATABASE}}

FOLDERS = ("benchmarks", "dags", "deploy", "docker", "plugins", "scripts", "spark_apps", "sql")


def named_in(text: str) -> set[str]:
    return {name for name in OURS if name in text}


def literals(code: str) -> Iterator[str]:
    """The texts of a module, without docstrings and comments."""
    tree = ast.parse(code)
    told = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in told:
            yield node.value


def places() -> Iterator[Path]:
    yield from (path for path in ROOT.iterdir() if re.match(r"docker-compose.*|Dockerfile|Makefile|\.env.*", path.name))
    for folder in FOLDERS:
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix not in (".pyc", ".md"))


@pytest.mark.parametrize(("path", "expected"), (COPIES | DOCUMENTS).items(), ids=COPIES | DOCUMENTS)
def test_a_copy_has_the_names_of_the_module(path: str, expected: set[str]) -> None:
    assert named_in((ROOT / path).read_text()) == expected


def test_there_are_no_other_copies() -> None:
    found = set()
    for path in places():
        text = path.read_text(errors="replace")
        if named_in("\n".join(literals(text)) if path.suffix == ".py" else text):
            found.add(str(path.relative_to(ROOT)))
    assert found == {*COPIES, "plugins/batchstream/postgres/names.py"}


def test_a_password_is_made_for_each_role_that_logs_in() -> None:
    text = (ROOT / "scripts" / "make_env.py").read_text()
    roles = {names.SUPERUSER, *names.LOGINS}
    assert set(ast.literal_eval(re.findall(r"^ROLES = (.*)$", text, re.MULTILINE)[0])) == roles
    secrets = (ROOT / "docker-compose.yaml").read_text()
    assert all(f"{role}_password: {{file: secrets/{role}_password}}" in secrets for role in roles)
