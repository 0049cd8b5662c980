"""Passwords and keys of one installation, generated once, in one file that only its owner may read."""

import base64
import json
import os
import secrets
from pathlib import Path

NAMES = ("postgres", "batchstream_owner", "kafka_user", "kafka_reader", "airflow", "airflow_admin", "jwt", "fernet")


def load_secrets(folder: Path) -> dict[str, str]:
    """The secrets of an installation; made at the first call."""
    path = folder / "secrets.json"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        made = {name: secrets.token_urlsafe(24) for name in NAMES}
        # Fernet wants exactly 32 bytes, in URL-safe base64 with its padding.
        made["fernet"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        write_private(path, json.dumps(made, indent=1))
    found: dict[str, str] = json.loads(path.read_text())
    return found


def write_private(path: Path, text: str) -> None:
    """Write a file of mode 600, complete or not at all."""
    partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    partial.rename(path)
