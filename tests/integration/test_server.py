"""What stands where a PostgreSQL server should: fit for loads, or refused with a sentence before anything is sent."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from batchstream.contract import Contract
from batchstream.contract.model import Publish
from batchstream.errors import ConnectionSettingsError
from batchstream.load.open import open_load
from batchstream.local import ports
from batchstream.local.installation import Installation
from batchstream.local.postgres import EmbeddedPostgres
from batchstream.postgres import names, server
from batchstream.postgres.connection import PostgresSettings
from batchstream.postgres.opening import Run
from tests.conftest import make_state
from tests.integration.conftest import MakeDataset
from tests.support.pooler import pooler


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that another account may pass, too."""
    for path in (tmp_path, *tmp_path.parents):
        if path.owner() == Path.home().owner() and path != Path("/"):
            path.chmod(path.stat().st_mode | 0o011)
    return tmp_path


def refused(settings: PostgresSettings, contract: Contract) -> str:
    with pytest.raises(ConnectionSettingsError) as caught:
        open_load(settings, contract, Run("refused"))
    where = f"connection '{settings.connection_id}' ({settings.host}:{settings.port}): "
    assert str(caught.value).startswith(where)
    return str(caught.value).removeprefix(where)


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_changes_sessions_is_refused(
    small: MakeDataset, installation: Installation, folder: Path, mode: str
) -> None:
    with pooler(installation, folder, mode) as port:
        dataset = small({"v": "integer"}, key="v", port=port)
        assert refused(dataset.owner, dataset.contract).startswith("a pooler that changes sessions with each transaction")


@pytest.mark.parametrize("way", list(Publish))
def test_a_pooler_that_keeps_sessions_is_no_matter(
    small: MakeDataset, installation: Installation, folder: Path, way: Publish
) -> None:
    with pooler(installation, folder, "session") as port:
        dataset = small({"k": "integer", "v": "integer"}, key="k", publish=way, port=port)
        with dataset.connect() as connection:
            server.require_fit(connection, dataset.owner)
        dataset.load([(1, 1), (2, 2)])
        assert dataset.load([(1, 1), (2, 3)]).published_rows == 2
        assert dataset.rows() == [(1, 1), (2, 3)]


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_of_another_encoding_is_refused(small: MakeDataset, installation: Installation, encoding: str) -> None:
    name = f"of_{encoding.lower()}"
    make = sql.SQL("CREATE DATABASE {} OWNER {} ENCODING {} LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0")
    with installation.postgres.connect() as admin:
        admin.autocommit = True
        admin.execute(make.format(sql.Identifier(name), sql.Identifier(names.OWNER), sql.Literal(encoding)))
        try:
            dataset = small({"v": "integer"}, key="v", dbname=name)
            assert refused(dataset.owner, dataset.contract) == (
                f"the database has the encoding {encoding}, which can't hold every text; make it with UTF8"
            )
        finally:
            admin.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def test_an_older_server_is_refused(small: MakeDataset, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = small({"v": "integer"}, key="v")
    monkeypatch.setattr(server, "MIN_VERSION", 990000)
    assert refused(dataset.owner, dataset.contract).endswith("is too old; use 99 or newer")


def test_a_session_that_looks_at_no_foreign_key_is_refused(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small({"v": "integer"}, key="v")
    admin.execute("ALTER ROLE batchstream_owner SET session_replication_role = replica")
    try:
        said = refused(dataset.owner, dataset.contract)
    finally:
        admin.execute("ALTER ROLE batchstream_owner RESET session_replication_role")
    assert said.startswith("session_replication_role is replica")
    assert "ALTER ROLE batchstream_owner RESET session_replication_role" in said


@pytest.mark.parametrize("setting", ["array_nulls = off", "restrict_nonsystem_relation_kind = 'view'"])
def test_arrays_and_views_are_read_whatever_a_role_says(small: MakeDataset, admin: psycopg.Connection, setting: str) -> None:
    dataset = small({"k": "integer", "a": "integer[]"}, key="k", publish=Publish.SWAP)
    admin.execute(f"ALTER ROLE batchstream_owner SET {setting}")
    try:
        for rows in ([(1, [1, None])], [(1, [None]), (2, [])]):
            dataset.load(rows)
            assert dataset.rows(names.OWNER) == rows
    finally:
        admin.execute(f"ALTER ROLE batchstream_owner RESET {setting.split()[0]}")


@pytest.fixture
def standby() -> Iterator[PostgresSettings]:
    """A server that replays what a primary has written, and takes reads alone."""
    state = make_state()
    (state / "logs").mkdir()
    password = "of-the-standby"
    made = EmbeddedPostgres(state, ports.any_free(), password)
    try:
        made.start()
        made.stop()
        (made.data / "standby.signal").touch()
        made.start()
        yield PostgresSettings("test_standby", ports.LOOPBACK, made.port, "postgres", password, "postgres")
    finally:
        made.stop()
        made.remove()
        shutil.rmtree(state, ignore_errors=True)


def test_a_standby_is_refused(standby: PostgresSettings, housing: Contract) -> None:
    assert refused(standby, housing) == "the server is a standby, which takes no writes; name the primary"
    with psycopg.connect(
        host=standby.host, port=standby.port, user=standby.user, password=standby.password, dbname=standby.dbname
    ) as reading:
        assert reading.execute("SELECT to_regclass('batchstream.loads')").fetchone() == (None,)
