"""Finds a Java runtime that Spark 4 and Kafka 4 run on."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

from batchstream.services.errors import ServiceError

SUPPORTED_VERSIONS = (17, 21)


@cache
def java_home() -> Path:
    """Home of the first Java 17 or 21 of JAVA_HOME, PATH and /usr/lib/jvm.

    Raises:
        ServiceError: There is none.
    """
    candidates = [Path(os.environ["JAVA_HOME"])] if os.environ.get("JAVA_HOME") else []
    if found := shutil.which("java"):
        candidates.append(Path(found).resolve().parent.parent)
    candidates += sorted(Path("/usr/lib/jvm").glob("*")) if Path("/usr/lib/jvm").is_dir() else []
    for home in candidates:
        if version(home) in SUPPORTED_VERSIONS:
            return home
    raise ServiceError("Java 17 or 21 was not found: apt-get install openjdk-17-jre-headless (or 21), or set JAVA_HOME")


def version(home: Path) -> int | None:
    """Major version of a Java home; None if it is none."""
    binary = home / "bin" / "java"
    if not os.access(binary, os.X_OK):
        return None
    answer = subprocess.run([binary, "-version"], capture_output=True, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', answer)
    return int(found[1]) if found else None
