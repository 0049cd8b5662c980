"""Which interpreter the set-up takes: one that is an executable whole, if there is one, before the first on PATH."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from batchstream.paths import ROOT

NOTES_WHAT_IT_IS_ASKED = """#!/bin/sh
case $1 in --version) echo "uv {version}"; exit;; esac
echo "$@" >{folder}/asked
mkdir -p {folder}/.venv/bin
cp {nothing} {folder}/.venv/bin/python
"""

needs_whole = pytest.mark.skipif(
    "libpython" in Path("/proc/self/maps").read_text(), reason="the interpreter of the tests is no whole one"
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone whose uv only notes what it is asked for: that takes an interpreter, and is not what is tested."""
    for name in ("uv.lock", "jars.lock", "pyproject.toml", "scripts/bootstrap", "scripts/uv-requirements.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    pins = (line.split() for line in (tmp_path / "scripts" / "uv-requirements.txt").read_text().splitlines())
    version = next(words[0].removeprefix("uv==") for words in pins if words and words[0].startswith("uv=="))
    text = NOTES_WHAT_IT_IS_ASKED.format(version=version, folder=tmp_path, nothing=shutil.which("true"))
    _program(tmp_path / ".batchstream/uv/bin/uv", text)
    return tmp_path


def _program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def _whole(path: Path) -> Path:
    return _program(path, f'#!/bin/sh\nexec "{Path(sys.executable).resolve()}" "$@"\n')


def _in_a_shared_library(path: Path) -> Path:
    """Like an interpreter that was built with --enable-shared: a library of that name is loaded into its process."""
    library = path.parent / f"libpython-{path.name}.so"
    some_library = next(line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "/libm.so" in line)
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(some_library, library)
    return _program(path, f'#!/bin/sh\nLD_PRELOAD="{library}" exec "{Path(sys.executable).resolve()}" "$@"\n')


def _chosen(clone: Path) -> Path:
    path = os.pathsep.join([str(clone / "bin"), os.environ["PATH"]])
    done = subprocess.run(
        [clone / "scripts" / "bootstrap"], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Path((clone / "asked").read_text().split("--python ")[1].strip())


@needs_whole
def test_a_whole_one_goes_before_the_first_on_path(clone: Path) -> None:
    _in_a_shared_library(clone / "bin" / "python3")
    whole = _whole(clone / "bin" / "python3.11")
    assert _chosen(clone) == whole


@needs_whole
def test_the_first_on_path_is_taken_if_it_is_a_whole_one(clone: Path) -> None:
    first = _whole(clone / "bin" / "python3")
    _whole(clone / "bin" / "python3.11")
    assert _chosen(clone) == first


WITHOUT_JAVA = """\
mount -t tmpfs none /usr/lib/jvm && exec "$0"
"""

APT = """#!/bin/sh
case "$*" in *" install "*) echo "$@" >>{folder}/installed; exit 1; esac
"""


def _without_java(clone: Path, user: int, packages: str) -> subprocess.CompletedProcess[str]:
    """Run it on a machine without Java whose apt has some packages."""
    _program(clone / "bin" / "id", f"#!/bin/sh\necho {user}\n")
    _program(clone / "bin" / "sudo", "#!/bin/sh\nexit 1\n")
    _program(clone / "bin" / "apt-cache", f'#!/bin/sh\ncase "{packages}" in *$2*) echo "Package: $2"; esac\n')
    _program(clone / "bin" / "apt-get", APT.format(folder=clone))
    environment = {name: value for name, value in os.environ.items() if name != "JAVA_HOME"}
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", WITHOUT_JAVA, clone / "scripts" / "bootstrap"],
        env={**environment, "PATH": os.pathsep.join([str(clone / "bin"), *PATH_WITHOUT_JAVA])},
        capture_output=True,
        text=True,
        check=False,
    )


PATH_WITHOUT_JAVA = [
    folder for folder in os.environ["PATH"].split(os.pathsep) if folder == "/usr/bin" or not Path(folder, "java").exists()
]

needs_mounts = pytest.mark.skipif(os.geteuid() != 0, reason="only root may hide the installed Java")


@needs_mounts
@pytest.mark.parametrize(
    ("packages", "named"), [("openjdk-21-jre-headless openjdk-25-jre-headless", "openjdk-21-jre-headless"), ("", None)]
)
def test_an_ordinary_user_is_given_a_line_to_paste_with_packages_that_exist(
    clone: Path, packages: str, named: str | None
) -> None:
    done = _without_java(clone, 1000, packages)
    assert done.returncode == 1
    line = done.stderr.splitlines()[-1]
    # Before apt has read its lists, the package is that of the release.
    package = named or "openjdk-(17|21)-jre-headless"
    assert re.fullmatch(rf"sudo sh -c 'apt-get update && apt-get install --no-install-recommends {package}'", line), done.stderr


@needs_mounts
def test_root_is_told_before_packages_of_the_system_are_installed(clone: Path) -> None:
    done = _without_java(clone, 0, "openjdk-17-jre-headless")
    assert done.stdout.splitlines()[0] == "packages of the system are missing and are installed by root, with apt-get: java"
    assert (clone / "installed").read_text().split()[-1] == "openjdk-17-jre-headless"


MAKES_AN_ENVIRONMENT = """#!/bin/sh
case $1 in --version) echo "uv {version}"; exit;; esac
{python} -m venv --without-pip .venv
for file in .venv/lib/python3*/site-packages; do printf '%s\\n' "$PWD" "$PWD/plugins" >"$file/_batchstream.pth"; done
# As uv does to compile.
exec .venv/bin/python -c ''
"""


def test_python_starts_in_a_folder_with_an_accent_whatever_the_locale(clone: Path) -> None:
    moved = clone.rename(clone.with_name("é [x] & 'y'"))
    uv = moved / ".batchstream/uv/bin/uv"
    version = re.search(r'"uv (.*?)"', uv.read_text())
    assert version
    _program(uv, MAKES_AN_ENVIRONMENT.format(version=version[1], python=Path(sys.executable).resolve()))
    install = moved / "plugins" / "batchstream" / "local" / "install.py"
    install.parent.mkdir(parents=True)
    install.write_text("import sys\nprint(*sys.path, sep='\\n')\n")
    done = subprocess.run(
        [moved / "scripts" / "bootstrap"], env={**os.environ, "LC_ALL": "C"}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {str(moved), str(moved / "plugins")} <= set(done.stdout.splitlines())


def test_a_clone_below_a_folder_with_a_colon_is_refused(clone: Path) -> None:
    moved = clone.rename(clone.with_name("a:b"))
    done = subprocess.run([moved / "scripts" / "bootstrap"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "':' can't be in a class path" in done.stderr
