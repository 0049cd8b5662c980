"""Docker's client plug-ins: those that are installed, or built from their Go modules, which a module proxy serves."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.compose.commands import CommandError, run
from tests.compose.engine import STATE, NoEngineError, install


class Plugin(NamedTuple):
    """A plug-in of docker's command line."""

    command: str
    module: str
    version: str
    package: str
    variable: str


PLUGINS = (
    Plugin("compose", "github.com/docker/compose/v5", "v5.0.0", "./cmd", "internal.Version"),
    Plugin("buildx", "github.com/docker/buildx", "v0.29.1", "./cmd/buildx", "version.Version"),
)
OLDEST_GO = (1, 21)
"""From this version on Go fetches the tool chain that a module asks for."""


def plugin_environment(engine: Mapping[str, str]) -> dict[str, str]:
    """Build what is missing; returns what makes docker's client find it.

    Raises:
        NoEngineError: Something is missing and there is no Go to build it.
    """
    missing = [plugin for plugin in PLUGINS if not _works(plugin, engine)]
    if not missing:
        return {}
    # A configuration of its own, so that nothing is left in the user's.
    configuration = STATE / "docker-config"
    folder = configuration / "cli-plugins"
    folder.mkdir(parents=True, exist_ok=True)
    for plugin in PLUGINS:
        target = folder / f"docker-{plugin.command}"
        wanted = plugin in missing and not target.exists()
        if wanted:
            _build(plugin, target)
    return {"DOCKER_CONFIG": str(configuration)}


def _works(plugin: Plugin, engine: Mapping[str, str]) -> bool:
    try:
        run("docker", plugin.command, "version", env=engine, timeout_seconds=30)
    except CommandError:
        return False
    return True


def _build(plugin: Plugin, target: Path) -> None:
    go = _go(plugin)
    environment = {"GOTOOLCHAIN": "auto", "GOFLAGS": "-buildvcs=false", "CGO_ENABLED": "0"}
    found = json.loads(run(go, "mod", "download", "-json", f"{plugin.module}@{plugin.version}", env=environment))
    # The module's cache is read-only, and a build writes beside the sources' go.sum.
    sources = STATE / "sources" / plugin.command
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(found["Dir"], sources, copy_function=shutil.copyfile)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    flags = f"-s -w -X {plugin.module}/{plugin.variable}={plugin.version}"
    run(go, "-C", sources, "build", "-trimpath", "-ldflags", flags, "-o", partial, plugin.package, env=environment)
    partial.rename(target)
    shutil.rmtree(sources)


def _go(plugin: Plugin) -> str:
    """A Go that is new enough, installed from Debian if there is none."""
    if not shutil.which("go") and shutil.which("apt-get") and os.geteuid() == 0:
        install("golang-go")
    found = shutil.which("go")
    if found:
        version = re.search(r"go(\d+)\.(\d+)", run(found, "version"))
        if version and (int(version[1]), int(version[2])) >= OLDEST_GO:
            return found
    wanted = ".".join(map(str, OLDEST_GO))
    raise NoEngineError(f"docker {plugin.command} is missing, and building it needs Go {wanted} or newer: install either")
