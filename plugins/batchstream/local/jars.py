"""Downloads the jars of jars.lock from Maven Central, each checked against its checksum."""

import hashlib
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from rich.progress import Progress

from batchstream.local.console import out
from batchstream.local.errors import ServiceError
from batchstream.paths import JARS_LOCK, ROOT

REPOSITORY_VARIABLE = "BATCHSTREAM_MAVEN_REPOSITORY"
MAVEN_CENTRAL = "https://repo1.maven.org/maven2"
PARALLEL_DOWNLOADS = 6
TIMEOUT_SECONDS = 60

SERVICES = ("kafka", "spark")
"""Kinds of jars that every installation needs; the lock file has those of the benchmark too."""


class Jar(NamedTuple):
    """One line of the lock file."""

    kind: str
    coordinates: str
    sha256: str

    @property
    def path(self) -> str:
        """Path below a Maven repository."""
        group, artifact, version = self.coordinates.split(":")
        return f"{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"


def locked_jars() -> list[Jar]:
    """Every jar of the lock file."""
    lines = JARS_LOCK.read_text().splitlines()
    return [Jar(*line.replace("sha256:", "").split()) for line in lines if not line.startswith("#")]


def jar_paths(folder: Path, kind: str) -> list[Path]:
    """Where the jars of one kind are, in the order of the lock file."""
    return [folder / kind / Path(jar.path).name for jar in locked_jars() if jar.kind == kind]


def download_missing(folder: Path, kinds: tuple[str, ...] = SERVICES) -> None:
    """Download what is missing, several at once, with a progress bar.

    Raises:
        ServiceError: A download failed, or its checksum is not the locked one.
    """
    missing = [(jar, path) for jar, path in _targets(folder, kinds) if not path.exists()]
    if not missing:
        return
    with Progress(console=out) as progress, ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
        bar = progress.add_task(f"jars for {' and '.join(kinds)} from Maven Central", total=len(missing))
        for _ in pool.map(lambda item: _download(*item), missing):
            progress.advance(bar)


def _targets(folder: Path, kinds: tuple[str, ...]) -> Iterator[tuple[Jar, Path]]:
    for jar in locked_jars():
        if jar.kind in kinds:
            yield jar, folder / jar.kind / Path(jar.path).name


def _download(jar: Jar, path: Path) -> None:
    url = f"{os.environ.get(REPOSITORY_VARIABLE, MAVEN_CENTRAL).rstrip('/')}/{jar.path}"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310 - the scheme is the user's or https
            content = answer.read()
    except (urllib.error.URLError, TimeoutError) as error:
        raise ServiceError(f"{url}: {error}; check the network, or set {REPOSITORY_VARIABLE} to another repository") from error
    found = hashlib.sha256(content).hexdigest()
    if found != jar.sha256:
        raise ServiceError(f"{url}: expected sha256 {jar.sha256}, got {found}; nothing was kept, try again")
    partial = path.with_suffix(f".{os.getpid()}.partial")
    partial.write_bytes(content)
    partial.rename(path)


if __name__ == "__main__":
    # For an image, which wants one kind and not the other.
    download_missing(ROOT / ".batchstream" / "jars", tuple(sys.argv[1:]))
