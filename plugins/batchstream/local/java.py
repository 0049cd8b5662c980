"""Finds a Java runtime that Spark 4.2 and Kafka 4 run on."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from batchstream.local.errors import ServiceError

Version = tuple[int, ...]

SUPPORTED: dict[int, Version] = {17: (17,), 21: (21,), 25: (25, 0, 3)}
"""Major version → the first that will do; the G1 collector of Java 25 damaged data before 25.0.3 (SPARK-55852)."""

INSTALLED = Path("/usr/lib/jvm")

UTF_8 = {"LC_ALL": "C.UTF-8"}
"""Environment by which Java reads paths as UTF-8; with ``LC_ALL=C`` it finds no file whose path has an accent."""

AHEAD_OF_TIME = 25
"""From this version on, Java links classes ahead of time and not only reads them from an archive (JEP 483, JEP 514)."""


@cache
def java_home() -> Path:
    """Home of JAVA_HOME's Java, or of the newest of PATH and /usr/lib/jvm, as Spark starts sooner with Java 25.

    Raises:
        ServiceError: None of them is supported.
    """
    given = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    found = [Path(java).resolve().parent.parent] if (java := shutil.which("java")) else []
    found += [home.resolve() for home in sorted(INSTALLED.glob("*"))]
    for homes in (given, dict.fromkeys(found)):
        supported = [(number, home) for home in homes if (number := version(home)) and is_supported(number)]
        if supported:
            return max(supported, key=lambda one: one[0])[1]
    raise ServiceError(
        "Java 17, 21, or 25 from 25.0.3 on, was not found: make setup installs one, or says how; or set JAVA_HOME to one"
    )


def is_supported(number: Version) -> bool:
    """Whether Spark and Kafka run on a version of Java."""
    return number[0] in SUPPORTED and number >= SUPPORTED[number[0]]


def version(home: Path) -> Version | None:
    """Version of a Java home, such as (17, 0, 15); None if it is none."""
    binary = home / "bin" / "java"
    if not os.access(binary, os.X_OK):
        return None
    answer = subprocess.run([binary, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "([0-9.]+)', answer)
    return tuple(int(part) for part in found[1].split(".") if part) if found else None


@cache
def links_ahead_of_time() -> bool:
    """Whether the Java that runs Spark does."""
    return (version(java_home()) or (0,))[0] >= AHEAD_OF_TIME
