"""`make env` and the certificates: private, never the same twice, never written over."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    for name in ("make_env.py", "make_certificates.sh"):
        shutil.copy(ROOT / "scripts" / name, tmp_path / "scripts")
    return tmp_path


def make_env(clone: Path) -> str:
    return subprocess.run([sys.executable, clone / "scripts" / "make_env.py"], capture_output=True, text=True, check=True).stdout


def written(clone: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(clone)): path.read_bytes()
        for path in [clone / ".env", *(clone / "secrets").rglob("*")]
        if path.is_file()
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_there_is_kept_and_what_is_missing_is_made(clone: Path) -> None:
    make_env(clone)
    before = written(clone)
    (clone / "secrets" / "kafka_password").unlink()
    assert make_env(clone) == "wrote secrets/kafka_password\n"
    after = written(clone)
    assert after.pop("secrets/kafka_password") != before.pop("secrets/kafka_password")
    assert after == before


def test_a_setting_that_somebody_wrote_is_kept_and_the_others_are_added(clone: Path) -> None:
    (clone / ".env").write_text("PGADMIN_EMAIL=admin@example.com")
    assert "added to .env: BIND_ADDRESS, COMPOSE_PROFILES, AIRFLOW_USER\n" in make_env(clone)
    assert mode(clone / ".env") == 0o600
    lines = (clone / ".env").read_text().splitlines()
    assert lines[0] == "PGADMIN_EMAIL=admin@example.com"
    assert len({line.partition("=")[0] for line in lines}) == len(lines) == 4
    assert make_env(clone) == ""


def test_the_logins_that_an_older_clone_has_in_env_stay_the_logins(clone: Path) -> None:
    (clone / ".env").write_text("PGADMIN_PASSWORD='admin'\n")
    make_env(clone)
    assert (clone / "secrets" / "pgadmin_password").read_text() == "admin"
    assert len((clone / "secrets" / "airflow_ui_password").read_text()) == 32


def test_nobody_else_can_read_them(clone: Path) -> None:
    make_env(clone)
    assert mode(clone / ".env") == 0o600
    assert mode(clone / "secrets") == 0o700


def test_no_two_clones_share_a_password(clone: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    make_env(clone)
    other = shutil.copytree(clone / "scripts", tmp_path_factory.mktemp("other") / "scripts").parent
    make_env(other)
    assert {name for name, text in written(clone).items() if written(other)[name] == text} == {".env"}


def test_the_files_are_those_that_the_compose_files_name(clone: Path) -> None:
    make_env(clone)
    subprocess.run([clone / "scripts" / "make_certificates.sh"], check=True, capture_output=True)
    named = set()
    for path in ROOT.glob("docker-compose*.yaml"):
        named |= {word.rstrip("}") for word in path.read_text().split() if word.startswith("secrets/") and word[8:9].isalpha()}
    made = set(written(clone)) - {".env"}
    unused = {"secrets/kafka_admin_password", *(f"secrets/tls/{name}" for name in ("ca.key", "ca.srl", "kafka.key", "kafka.crt"))}
    assert made - unused == named


@pytest.mark.parametrize(("host", "option"), [("data.example.com", "-verify_hostname"), ("192.0.2.7", "-verify_ip")])
def test_the_certificates_hold_for_the_name_that_is_given_to_clients_outside(clone: Path, host: str, option: str) -> None:
    (clone / ".env").write_text(f"KAFKA_ADVERTISED_HOST={host}\n")
    make_env(clone)
    subprocess.run([clone / "scripts" / "make_certificates.sh"], check=True, capture_output=True)
    tls = clone / "secrets" / "tls"
    for service in ("kafka", "postgres"):
        subprocess.run(["openssl", "verify", "-CAfile", tls / "ca.crt", option, host, tls / f"{service}.crt"], check=True)


def test_every_user_can_read_the_settings_that_compose_mounts(clone: Path) -> None:
    (clone / "docker").mkdir()
    settings = clone / "docker" / "postgresql.conf"
    settings.touch(mode=0o600)
    make_env(clone)
    assert mode(settings) == 0o644


def test_the_certificates_hold_for_their_hosts_and_are_kept(clone: Path) -> None:
    make_env(clone)
    script = clone / "scripts" / "make_certificates.sh"
    subprocess.run([script], check=True, capture_output=True)
    before = written(clone)
    tls = clone / "secrets" / "tls"
    for host in ("kafka", "postgres"):
        command = ["openssl", "verify", "-CAfile", tls / "ca.crt", "-verify_hostname", host, tls / f"{host}.crt"]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0
        wrong = [part if part != host else "elsewhere" for part in command]
        assert subprocess.run(wrong, capture_output=True, check=False).returncode != 0
    subprocess.run([script], check=True, capture_output=True)
    assert written(clone) == before
