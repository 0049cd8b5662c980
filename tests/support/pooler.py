"""A real pgbouncer before the server of the tests."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from batchstream.local import ports
from batchstream.local.accounts import Account
from batchstream.local.installation import Installation
from batchstream.local.processes import as_account
from batchstream.postgres import names
from tests.support.waiting import wait_for

ACCOUNT = "nobody"
"""It refuses to run as root."""

SETTINGS = """\
[databases]
{database} = host={host} port={server_port}
[pgbouncer]
listen_addr = {host}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {logins}
pool_mode = {mode}
"""


@contextmanager
def pooler(installation: Installation, folder: Path, mode: str) -> Iterator[int]:
    """Start one with a pool mode, and give its port."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed; as root .ci/run installs it")
    port = ports.any_free()
    logins, settings = folder / "logins", folder / "pgbouncer.ini"
    logins.write_text("".join(f'"{role}" "{installation.secrets[role]}"\n' for role in (names.OWNER, names.LOADER, names.READER)))
    settings.write_text(
        SETTINGS.format(
            database=names.DATABASE,
            host=ports.LOOPBACK,
            server_port=installation.ports["postgres"],
            port=port,
            logins=logins,
            mode=mode,
        )
    )
    account: Account | None = None
    if os.geteuid() == 0:
        found = pwd.getpwnam(ACCOUNT)
        account = Account(found.pw_uid, found.pw_gid)
        os.chown(logins, *account)
    logins.chmod(0o400)
    process = subprocess.Popen(
        [program, "-q", settings],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **as_account(account),
    )
    try:
        wait_for(lambda: process.poll() is not None or ports.is_open(port), 20, "pgbouncer listens")
        assert process.poll() is None, "pgbouncer ended while starting"
        yield port
    finally:
        process.terminate()
        process.wait()
