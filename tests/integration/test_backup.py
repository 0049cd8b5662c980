"""A backup of one installation, restored into another one: whole, with rights and ledger, and never over what is there."""

import json
import stat
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from batchstream.contract import Contract
from batchstream.contract.model import Publish
from batchstream.local import backup
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation
from batchstream.local.postgres import client
from batchstream.postgres import migrations, names, setup
from tests.conftest import make_state
from tests.support.small import SmallDataset

LAYOUTS = sorted((Path(__file__).parent / "old_releases").glob("*.sql"))
ROWS = [("a", 1), ("b", None), ("é 😀", 3)]

RIGHTS = """
SELECT kind, name, pg_get_userbyid(owner),
    array(SELECT concat_ws(' ', a.grantor::regrole, a.grantee::regrole, a.privilege_type) FROM aclexplode(acl) AS a ORDER BY 1)
FROM (
    SELECT relkind::text AS kind, n.nspname || '.' || relname AS name, relowner AS owner,
        coalesce(relacl, acldefault('r', relowner)) AS acl
    FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace WHERE n.nspname = ANY (%(schemas)s)
    UNION ALL SELECT 'function', proname, proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc JOIN pg_namespace AS n ON n.oid = pronamespace WHERE n.nspname = ANY (%(schemas)s)
    UNION ALL SELECT 'schema', nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
    FROM pg_namespace WHERE nspname = ANY (%(schemas)s)
) AS objects ORDER BY 1, 2
"""


@contextmanager
def _postgres() -> Iterator[Installation]:
    """An installation of which PostgreSQL alone runs."""
    found = Installation(make_state())
    try:
        found.install()
        found.postgres.start()
        yield found
    finally:
        found.postgres.stop()
        found.clean()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Installation, Installation]]:
    with ExitStack() as stack:
        yield stack.enter_context(_postgres()), stack.enter_context(_postgres())


@pytest.fixture
def both(servers: tuple[Installation, Installation]) -> tuple[Installation, Installation]:
    """Two installations, as they are before their first load."""
    for installation in servers:
        with installation.postgres.connect() as connection:
            connection.autocommit = True
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(names.DATABASE)))
        setup.set_up(installation.postgres.connect, installation.secrets)
    return servers


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "données of to-day.backup"


def _dataset(installation: Installation, housing: Contract, name: str, **arguments: Any) -> SmallDataset:
    arguments = {"key": "code", **arguments}
    return SmallDataset(installation, housing, {"code": "text", "v": "integer NULL"}, name=name, **arguments)


def _ask(installation: Installation, query: str, **values: Any) -> list[tuple[Any, ...]]:
    with installation.postgres.connect(names.DATABASE) as connection:
        return connection.execute(query.encode(), values).fetchall()


def _do(installation: Installation, statement: str) -> None:
    with installation.postgres.connect(names.DATABASE) as connection:
        connection.execute(statement.encode())


def _rights(installation: Installation) -> list[tuple[Any, ...]]:
    return _ask(installation, RIGHTS, schemas=["public", "batchstream", "landing", "published"])


@pytest.mark.parametrize("way", list(Publish))
def test_a_restored_data_set_goes_on_as_if_nothing_had_happened(
    both: tuple[Installation, Installation], housing: Contract, file: Path, way: Publish
) -> None:
    old, new = both
    before = _dataset(old, housing, "fruit", publish=way, indexed=["v"])
    before.load([*ROWS[:2], ("gone", 9)])
    before.load(ROWS, allow_deletes=True)
    failed = before.land([("x", 1)])
    before.fail(failed, "of the test")
    _do(
        old,
        "INSERT INTO batchstream.quarantine (load_id, source_path, line, raw, reason) "
        f"SELECT {failed}, 'f.csv', n, 'raw', 'bad' FROM generate_series(1, 9) AS n",
    )
    rights = _rights(old)

    assert backup.backup(old, file) == []
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    backup.restore(new, file)

    assert _rights(new) == rights
    after = _dataset(new, housing, "fruit", publish=way, indexed=["v"])
    assert after.rows() == before.rows() == sorted(ROWS)
    ledger = (
        "SELECT l.*, count(v) FROM batchstream.loads AS l LEFT JOIN batchstream.verdicts AS v USING (load_id) GROUP BY load_id"
    )
    assert _ask(new, f"{ledger} ORDER BY load_id") == _ask(old, f"{ledger} ORDER BY load_id")
    assert _ask(new, "SELECT count(*) FROM batchstream.quarantine") == [(9,)]
    assert _ask(new, "SELECT count(*) FROM pg_stats WHERE tablename ~ 'fruit'") == _ask(
        old, "SELECT count(*) FROM pg_stats WHERE tablename ~ 'fruit'"
    )
    with after.connect(names.READER) as reader:
        for statement in ("DELETE FROM fruit", "SELECT * FROM batchstream.quarantine", "SELECT * FROM batchstream.load_secrets"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(statement.encode())

    load_id = after.land(ROWS)
    assert load_id == failed + 1
    published = after.publish(load_id)
    if way is Publish.MERGE:
        assert (published.inserted_rows, published.updated_rows, published.deleted_rows) == (0, 0, 0)
    assert after.rows() == sorted(ROWS)
    _do(
        new,
        "INSERT INTO batchstream.quarantine (load_id, source_path, line, raw, reason) "
        f"VALUES ({load_id}, 'f.csv', 1, 'raw', 'bad')",
    )
    assert _ask(new, "SELECT max(quarantine_id) FROM batchstream.quarantine") == [(10,)]


def test_neither_passwords_nor_secrets_of_loads_are_in_it(
    both: tuple[Installation, Installation], housing: Contract, file: Path
) -> None:
    old, new = both
    _dataset(old, housing, "fruit").load(ROWS)
    ((secret,),) = _ask(old, "SELECT encode(secret, 'hex') FROM batchstream.load_secrets")
    backup.backup(old, file)
    told = subprocess.run([client("pg_restore"), "--file=-", file], capture_output=True, text=True, check=True).stdout
    assert "COPY public.fruit " in told
    assert secret not in told
    assert "SCRAM" not in told
    assert not [name for name, text in old.secrets.items() if text in told]
    backup.restore(new, file)
    assert _ask(new, "SELECT count(*) FROM batchstream.load_secrets") == [(0,)]


def test_a_load_in_progress_is_left_out_and_marked_as_failed(
    both: tuple[Installation, Installation], housing: Contract, file: Path
) -> None:
    old, new = both
    before = _dataset(old, housing, "fruit")
    before.load(ROWS)
    working = before.land([*ROWS, ("c", 4)])
    backup.backup(old, file)
    before.publish(working)

    backup.restore(new, file)
    ((state, reason),) = _ask(new, f"SELECT state, reason FROM batchstream.loads WHERE load_id = {working}")
    assert state == "failed"
    assert file.name in reason
    assert _ask(new, f"SELECT to_regclass('landing.fruit_{working}')") == [(None,)]
    after = _dataset(new, housing, "fruit")
    assert after.rows() == sorted(ROWS)
    assert after.load([*ROWS, ("c", 4)]).inserted_rows == 1


def test_a_role_of_a_users_own_is_told_before_and_needed_after(
    both: tuple[Installation, Installation], housing: Contract, file: Path
) -> None:
    old, new = both
    _dataset(old, housing, "fruit").load(ROWS)
    for installation in both:
        _do(installation, "DROP ROLE IF EXISTS analyst")
    _do(old, "CREATE ROLE analyst; GRANT SELECT ON fruit TO analyst; CREATE VIEW mine AS SELECT v FROM fruit")
    try:
        assert backup.backup(old, file) == ["analyst"]
        with pytest.raises(ServiceError, match=r'nothing was changed: .*role "analyst" does not exist'):
            backup.restore(new, file)
        assert _rights(new) == [row for row in _rights(new) if row[0] == "schema"]
        _do(new, "CREATE ROLE analyst")
        backup.restore(new, file)
        assert _rights(new) == _rights(old)
    finally:
        for installation in both:
            _do(installation, "DROP OWNED BY analyst; DROP ROLE analyst")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda path: path.stem)
def test_a_backup_of_an_older_release_is_brought_to_this_one(
    both: tuple[Installation, Installation], housing: Contract, file: Path, layout: Path
) -> None:
    old, new = both
    way = Publish.SWAP if layout.stem.startswith("swap") else Publish.MERGE
    with _dataset(old, housing, "fruit").connect() as connection:
        connection.execute(layout.read_bytes())
        connection.execute("UPDATE batchstream.loads SET state = 'produced' WHERE load_id = 1")
    # Rights that a release has added since.
    _do(old, "REVOKE ALL ON SCHEMA landing FROM batchstream_checker")
    backup.backup(old, file)
    backup.restore(new, file)
    newest = max(int(path.name.partition("_")[0]) for path in migrations.MIGRATIONS_FOLDER.glob("*.sql"))
    assert _ask(new, "SELECT max(version) FROM batchstream.migrations") == [(newest,)]
    assert _ask(new, "SELECT state FROM batchstream.loads WHERE load_id = 1") == [("failed",)]
    key = None if layout.stem.endswith("by_the_number_of_the_record") else "code"
    after = _dataset(new, housing, "fruit", publish=way, indexed=["v"], key=key)
    assert after.rows() == [("a", 2), ("b", 2)]
    after.load([("a", 3), ("b", 2)])
    assert after.rows() == [("a", 3), ("b", 2)]
    assert _ask(new, "SELECT has_schema_privilege('batchstream_checker', 'landing', 'USAGE')") == [(True,)]


def test_nothing_is_restored_over_data_sets(both: tuple[Installation, Installation], housing: Contract, file: Path) -> None:
    old, new = both
    _dataset(old, housing, "fruit").load(ROWS)
    backup.backup(old, file)
    there = _dataset(new, housing, "vegetables")
    there.load([("leek", 1)])
    with pytest.raises(
        ServiceError, match=r"without data sets, and this one has public\.vegetables: use a new clone, or .*clean"
    ):
        backup.restore(new, file)
    assert there.rows() == [("leek", 1)]
    assert _ask(new, "SELECT to_regclass('public.fruit')") == [(None,)]


def test_no_file_is_overwritten_and_none_is_left_half_written(
    both: tuple[Installation, Installation], housing: Contract, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = both
    with pytest.raises(ServiceError, match="nothing to back up"):
        backup.backup(old, file)
    _dataset(old, housing, "fruit").load(ROWS)
    file.write_text("of somebody")
    with pytest.raises(ServiceError, match=r"exists already: name another file"):
        backup.backup(old, file)
    assert file.read_text() == "of somebody"
    dangling = file.with_name("link")
    dangling.symlink_to("nowhere")
    with pytest.raises(ServiceError, match=r"exists already"):
        backup.backup(old, dangling)
    with pytest.raises(ServiceError, match=r"no/file can't be written \(No such file or directory\): name a file in a folder"):
        backup.backup(old, file.parent / "no" / "file")
    fresh = file.with_name("fresh")
    with old.postgres.connect(names.DATABASE) as connection:
        # Somebody else's, which pg_dump does not wait for. The server ends it, or a pg_dump that waits would wait for ever.
        connection.execute("SET idle_in_transaction_session_timeout = '20s'")
        connection.execute("LOCK TABLE fruit")
        monkeypatch.setattr(backup, "LOCK_WAIT", "100ms")
        with pytest.raises(ServiceError, match=r"fresh: pg_dump failed, and nothing was changed: .*LOCK TABLE .*public\.fruit"):
            backup.backup(old, fresh)
    assert sorted(path.name for path in file.parent.iterdir()) == sorted([file.name, "link"])


@pytest.mark.parametrize("kind", ["missing", "text", "cut", "of another database"])
def test_what_is_no_whole_backup_changes_nothing(
    both: tuple[Installation, Installation], housing: Contract, file: Path, kind: str
) -> None:
    old, new = both
    if kind == "text":
        file.write_text("SELECT 1;\n")
    elif kind == "cut":
        _dataset(old, housing, "fruit").load((str(number), number) for number in range(20_000))
        backup.backup(old, file)
        file.write_bytes(file.read_bytes()[:-50_000])
    elif kind == "of another database":
        environment = {**old.client_environment("postgres"), "PGDATABASE": "postgres"}
        subprocess.run([client("pg_dump"), "--format=custom", f"--file={file}"], env=environment, check=True)
    said = {
        "missing": "no such file",
        "text": "nothing was changed: .*valid archive",
        "cut": "nothing was changed: .*end of file",
        "of another database": "has no ledger of batchstream",
    }[kind]
    with pytest.raises(ServiceError, match=rf"^{file}: .*{said}"):
        backup.restore(new, file)
    assert {row[0] for row in _rights(new)} == {"schema"}


def test_a_postgresql_of_a_users_own_is_told_not_passed_over(
    both: tuple[Installation, Installation], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = both
    elsewhere = json.dumps({"conn_type": "postgres", "host": "db.example", "login": "me", "schema": "db"})
    for name in ("BATCHSTREAM_POSTGRES", "BATCHSTREAM_POSTGRES_OWNER"):
        monkeypatch.setenv(f"AIRFLOW_CONN_{name}", elsewhere)
    for work in (backup.backup, backup.restore):
        with pytest.raises(ServiceError, match=r"'batchstream_postgres' is your own \(AIRFLOW_CONN_BATCHSTREAM_POSTGRES\)"):
            work(old, file)
