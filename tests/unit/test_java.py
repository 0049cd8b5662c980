"""Which Java runs Spark and Kafka; homes of Java here are scripts that answer as its versions do."""

import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from batchstream.local import java
from batchstream.local.errors import ServiceError
from batchstream.local.java import is_supported, java_home, version
from batchstream.paths import ROOT

Machine = Callable[..., None]


def make_home(folder: Path, number: str) -> Path:
    binary = folder / "bin" / "java"
    binary.parent.mkdir(parents=True)
    binary.write_text(f"#!/bin/sh\necho 'openjdk version \"{number}\" 2026-04-21' >&2\n")
    binary.chmod(0o755)
    return folder


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    """Makes a machine with a Java at JAVA_HOME, one on PATH, and some others."""

    def make(*others: str, given: str | None = None, path: str | None = None) -> None:
        monkeypatch.delenv("JAVA_HOME", raising=False)
        if given is not None:
            monkeypatch.setenv("JAVA_HOME", str(make_home(tmp_path / "given", given)))
        monkeypatch.setenv("PATH", str(make_home(tmp_path / "path", path) / "bin") if path else "/nonexistent")
        for number in others:
            make_home(tmp_path / "jvm" / f"java-{number}", number)
        monkeypatch.setattr(java, "INSTALLED", tmp_path / "jvm")
        java_home.cache_clear()

    yield make
    java_home.cache_clear()


@pytest.mark.parametrize(
    ("number", "parts", "supported"),
    [
        ("17.0.15", (17, 0, 15), True),
        ("17", (17,), True),
        ("21.0.2", (21, 0, 2), True),
        ("25.0.3", (25, 0, 3), True),
        ("25.1", (25, 1), True),
        # Its G1 collector damaged data.
        ("25.0.2", (25, 0, 2), False),
        ("25", (25,), False),
        ("25-ea", (25,), False),
        ("1.8.0_392", (1, 8, 0), False),
        ("11.0.22", (11, 0, 22), False),
        ("23.0.1", (23, 0, 1), False),
        ("26", (26,), False),
    ],
)
def test_a_version_is(number: str, parts: tuple[int, ...], supported: bool, tmp_path: Path) -> None:
    assert version(make_home(tmp_path / "home", number)) == parts
    assert is_supported(parts) == supported


@pytest.mark.parametrize("number", ["17.0.15", "21", "25", "25-ea", "25.0.2", "25.0.3", "25.0.10", "25.1", "11.0.22", "26.0.1"])
def test_the_set_up_looks_for_the_same_versions(number: str, tmp_path: Path) -> None:
    home = make_home(tmp_path / "home", number)
    (pattern,) = re.findall(r"grep -qE '(version [^']+)'", (ROOT / "scripts" / "bootstrap").read_text(encoding="utf-8"))
    answer = subprocess.run([home / "bin" / "java"], capture_output=True, text=True, check=True).stderr
    found = subprocess.run(["grep", "-qE", pattern], input=answer, text=True, check=False)
    assert (found.returncode == 0) == is_supported(version(home) or (0,))


def test_a_folder_without_java_has_no_version(tmp_path: Path) -> None:
    assert version(tmp_path) is None


def test_that_of_java_home_is_taken_before_a_newer_one(machine: Machine, tmp_path: Path) -> None:
    machine("25.0.3", given="17.0.15", path="21.0.2")
    assert java_home() == tmp_path / "given"


@pytest.mark.parametrize("given", [None, "11.0.22"])
def test_else_the_newest(given: str | None, machine: Machine, tmp_path: Path) -> None:
    machine("17.0.9", "21.0.2", "25.0.2", "26", given=given, path="17.0.15")
    assert java_home() == tmp_path / "jvm" / "java-21.0.2"


def test_that_of_path_may_be_the_newest(machine: Machine, tmp_path: Path) -> None:
    machine("17.0.9", path="25.0.3")
    assert java_home() == tmp_path / "path"


def test_a_machine_without_one_is_told_what_to_install(machine: Machine) -> None:
    machine("11.0.22", "25.0.2", path="26")
    with pytest.raises(ServiceError, match=r"Java 17, 21, or 25 from 25\.0\.3 on, was not found: make setup installs one"):
        java_home()
