"""`make env`: writes what docker-compose.yaml needs and git must not have. What is there already stays as it is.

`.env` has the settings, `secrets/` the passwords. The files in there are readable for all, as each service reads its own under
another user of its container, and the folder is private.
Needs nothing but Python.
"""

import base64
import os
import re
import secrets
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOGINS = {"airflow_ui_password": "AIRFLOW_PASSWORD", "pgadmin_password": "PGADMIN_PASSWORD"}
ROLES = ("postgres", "batchstream_owner", "kafka_user", "kafka_reader", "airflow")


def password() -> str:
    """Letters, digits, - and _: safe in a URL, in a properties file and in pgpass."""
    return secrets.token_urlsafe(24)


def main() -> None:
    """Write each file that is missing, and each setting."""
    folder = ROOT / "secrets"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o700)
    # An older clone has these in .env. They stay the same, as pgAdmin keeps the one with which its volume was made.
    for name, variable in LOGINS.items():
        write(folder / name, settings_in(ROOT / ".env").get(variable, "").strip("\"'") or password())
    for role in ROLES:
        write(folder / f"{role}_password", password())
    for name in ("kafka_password", "kafka_admin_password", "airflow_jwt_secret", "airflow_api_secret"):
        write(folder / name, password())
    # Fernet wants exactly 32 bytes, in URL-safe base64 with its padding.
    write(folder / "airflow_fernet_key", base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
    airflow = (folder / "airflow_password").read_text()
    write(folder / "airflow_sql_alchemy_conn", f"postgresql+psycopg2://airflow:{airflow}@postgres:5432/airflow")
    reader = (folder / "kafka_reader_password").read_text()
    write(folder / "pgpass", f"postgres:5432:*:kafka_reader:{reader}\n")
    write(folder / "spark.properties", f"spark.authenticate true\nspark.authenticate.secret {password()}\n")
    settings = {
        "BIND_ADDRESS": "127.0.0.1",
        "COMPOSE_PROFILES": "all",
        "AIRFLOW_USER": "operator",
        "PGADMIN_EMAIL": "operator@example.com",
    }
    complete(ROOT / ".env", settings)
    # Compose mounts these with their modes, into containers of other users; a clone's own umask may be strict.
    for path in (ROOT / "docker").glob("*"):
        path.chmod(path.stat().st_mode | 0o444)


def settings_in(path: Path) -> dict[str, str]:
    """Settings of a file that Compose reads; none if there is no such file."""
    lines = path.read_text().splitlines() if path.exists() else []
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)}


def complete(path: Path, settings: dict[str, str]) -> None:
    """Write the settings that a file doesn't have; what somebody wrote there stays."""
    text = path.read_text() if path.exists() else ""
    there = settings_in(path)
    missing = "".join(f"{name}={value}\n" for name, value in settings.items() if name not in there)
    if not text:
        write(path, missing, mode=0o600)
    elif missing:
        with path.open("a") as file:
            file.write(missing if text.endswith("\n") else f"\n{missing}")
        path.chmod(0o600)
        print(f"added to {path.relative_to(ROOT)}: {', '.join(re.findall(r'^[A-Z_]+', missing, re.MULTILINE))}")  # noqa: T201


def write(path: Path, text: str, mode: int = 0o444) -> None:
    """Write a file, unless it exists."""
    if not path.exists():
        partial = path.with_name(f"{path.name}.partial")
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        partial.rename(path)
        print(f"wrote {path.relative_to(ROOT)}")  # noqa: T201 - the user sees what is new


if __name__ == "__main__":
    main()
