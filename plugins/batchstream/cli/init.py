"""``batchstream init``: a project of a user's own, which runs as it is."""

import re
import shutil
from pathlib import Path

from batchstream.cli.extras import requirement
from batchstream.errors import BatchstreamError
from batchstream.local.console import say
from batchstream.paths import PACKAGE

TEMPLATE = PACKAGE / "project"


class ProjectError(BatchstreamError):
    """The folder can't become a project: name another one."""


def init(folder: Path) -> int:
    """Write a project into a folder that is empty or missing.

    Raises:
        ProjectError: Something is in the folder already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ProjectError(f"{folder}: has something in it already, which stays as it is; name a new or an empty folder")
    shutil.copytree(TEMPLATE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    settings = folder / "pyproject.toml"
    pinned = re.sub(r"batchstream\[[^\"]+", lambda _: requirement(), settings.read_text(encoding="utf-8"))
    settings.write_text(pinned, encoding="utf-8")
    say(f"{folder} has a project; README.md in it says how to start, and dags/contracts/fruit.odcs.yaml is the first contract")
    return 0
