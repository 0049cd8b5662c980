"""The commands that need services and no Airflow: psql, exec, clean."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from batchstream.local.installation import Installation
from batchstream.paths import ROOT
from tests.support.commands import batchstream


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-X", "-Atc", "SELECT current_user"], "kafka_reader"),
        (["--role", "owner", "-X", "-Atc", "SELECT current_user"], "batchstream_owner"),
        (["--role=owner", "--", "-X", "--tuples-only", "-c", "SELECT current_user"], " batchstream_owner\n"),
    ],
)
def test_psql_needs_no_installed_client_and_takes_its_own_arguments(
    installation: Installation, arguments: list[str], said: str, tmp_path: Path
) -> None:
    done = batchstream(installation, "psql", *arguments, PATH=str(tmp_path))
    assert (done.returncode, done.stdout.strip("\n")) == (0, said.strip("\n"))


def test_exec_passes_options_on(installation: Installation) -> None:
    done = batchstream(installation, "exec", "sh", "-c", 'printf "%s|" "$@"', "name", "--role", "x y", "-h")
    assert (done.returncode, done.stdout) == (0, "--role|x y|-h|")


def test_clean_removes_no_data_without_an_answer(installation: Installation) -> None:
    done = batchstream(installation, "clean")
    assert done.returncode == 1
    assert "make clean YES=1" in done.stdout
    assert installation.postgres.daemon.pid is not None
    installation.postgres.connect().close()


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {}])
def test_errors_have_no_escape_codes_where_nobody_wants_them(setting: dict[str, str]) -> None:
    done = subprocess.run(
        ["script", "-qec", f"{sys.executable} -m batchstream.cli.main run no_such_dataset", "/dev/null"],
        env={**os.environ, "TERM": "xterm", **setting},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "there is no contract for 'no_such_dataset'" in done.stdout
    assert ("\x1b" in done.stdout) == (not setting)


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {}])
def test_no_color_is_no_bold_and_no_italics_either(setting: dict[str, str]) -> None:
    code = "from batchstream.local.console import out; out.print('[bold]plain[/bold] and [italic]straight[/italic]')"
    done = subprocess.run(
        ["script", "-qec", shlex.join([sys.executable, "-c", code]), "/dev/null"],
        env={**os.environ, "TERM": "xterm", **setting},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ("\x1b" in done.stdout) == (not setting)
    assert "straight" in done.stdout
