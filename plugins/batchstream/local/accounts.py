"""The account that PostgreSQL runs under: it refuses to run as root."""

import hashlib
import os
import pwd
import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from batchstream.local.errors import ServiceError

SYSTEM_ACCOUNT = "batchstream"
FALLBACK_FOLDER = Path("/var/lib/batchstream")
TRIES = 5


class Account(NamedTuple):
    """A user of the system, with its group."""

    uid: int
    gid: int


def database_account() -> Account | None:
    """Account for PostgreSQL: None to run as oneself; as root, a system account that is made if missing."""
    if os.geteuid() != 0:
        return None
    for _ in range(TRIES):
        try:
            found = pwd.getpwnam(SYSTEM_ACCOUNT)
            return Account(found.pw_uid, found.pw_gid)
        except KeyError:
            # Another clone may be making the same account at this moment.
            command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_ACCOUNT]
            subprocess.run(command, check=False, capture_output=True)
            time.sleep(0.2)
    raise ServiceError(f"PostgreSQL can't run as root, and 'useradd --system {SYSTEM_ACCOUNT}' failed: make this account")


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether an account may pass every folder on the way to a path."""
    if account is None:
        return True
    return all(
        (status := folder.stat()).st_uid == account.uid or status.st_mode & 0o001
        for folder in (path if path.is_dir() else path.parent, *path.parents)
    )


def fallback_folder(state: Path) -> Path:
    """Where a database lives whose account can't reach the clone, for example below /root."""
    return FALLBACK_FOLDER / hashlib.sha256(str(state).encode()).hexdigest()[:12]


def copy_for_all(source: Path, target: Path) -> None:
    """Copy a folder to where every account can read it, unless it is there already."""
    if target.exists():
        return
    FALLBACK_FOLDER.mkdir(parents=True, exist_ok=True)
    FALLBACK_FOLDER.chmod(0o755)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.parent.chmod(0o755)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    shutil.copytree(source, partial, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            # As chmod a+rX: the original may have been installed for its owner alone.
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))
    partial.rename(target)
