"""Passwords and keys of one installation, generated once, in one file that only its owner may read."""

import base64
import fcntl
import json
import os
import secrets
from pathlib import Path

from batchstream.postgres import names

NAMES = (names.SUPERUSER, *names.LOGINS, "airflow_admin", "jwt", "fernet", "kafka")


def load_secrets(folder: Path) -> dict[str, str]:
    """The secrets of an installation; what is missing, of a new one or since an older release, is made."""
    path = folder / "secrets.json"
    found = _read(path)
    if found.keys() >= set(NAMES):
        return found
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    lock = os.open(folder, os.O_RDONLY)
    try:
        # Two commands in one clone: the second finds what the first has made.
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = {name: secrets.token_urlsafe(24) for name in NAMES}
        # Fernet wants exactly 32 bytes, in URL-safe base64 with its padding.
        made["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        found = made | _read(path)
        write_private(path, json.dumps(found, indent=1))
    finally:
        os.close(lock)
    return found


def _read(path: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 600, complete or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.rename(path)
