"""A Debian base image from Debian's packages, where none can be pulled."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.compose.commands import CommandError, run
from tests.compose.engine import STATE, install

SUITE = "bookworm"
TAG = f"batchstream-stand-in/debian:{SUITE}"
STATE_LABEL = "batchstream.stand-in.state"
PACKAGES = ("ca-certificates", "python3", "python3-pip", "python3-venv")

# A path of its own: installing ca-certificates would overwrite the usual file.
BUNDLE = Path("/usr/local/share/stand-in/ca-bundle.pem")
# What names a bundle for Python, pip, OpenSSL and curl; on a host behind a proxy of its own they are set.
CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
# Where the host looks for packages. Read at run time, so that no file of the project names such a place.
HOST_FILES = ("/etc/pip.conf",)


def ensure_base(engine: Mapping[str, str]) -> None:
    """Make the base image, unless it is there and nothing that it is made from has changed."""
    bundle = _host_bundle()
    files = [Path(name) for name in HOST_FILES if Path(name).exists()]
    parts = [Path(__file__).read_bytes(), *(path.read_bytes() for path in [*([bundle] if bundle else []), *files])]
    state = hashlib.sha256(b"\0".join(parts)).hexdigest()
    try:
        label = f'{{{{index .Config.Labels "{STATE_LABEL}"}}}}'
        if run("docker", "image", "inspect", "--format", label, TAG, env=engine).strip() == state:
            return
    except CommandError:
        pass
    root = STATE / "base"
    _bootstrap(root)
    variables = {"LANG": "C.UTF-8", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
    for path in files:
        shutil.copy(path, root / path.relative_to("/"))
    if bundle:
        target = root / BUNDLE.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(bundle, target)
        # Java's own store is made from these when Java is installed.
        shutil.copy(bundle, root / "usr/local/share/ca-certificates/stand-in.crt")
        variables |= dict.fromkeys(CERTIFICATE_VARIABLES, str(BUNDLE))
    changes = [f"LABEL {STATE_LABEL}={state} batchstream.stand-in=true", 'CMD ["bash"]']
    changes += [f"ENV {name}={value}" for name, value in variables.items()]
    _import(root, changes, engine)
    shutil.rmtree(root)


def _host_bundle() -> Path | None:
    named = [os.environ[name] for name in CERTIFICATE_VARIABLES if os.environ.get(name)]
    return Path(named[0]) if named else None


def _bootstrap(root: Path) -> None:
    if not shutil.which("debootstrap"):
        install("debootstrap")
    shutil.rmtree(root, ignore_errors=True)
    run("debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, root, timeout_seconds=1200)
    # As in the official image: pip may install into the system, and python is there without its 3.
    (root / "usr/lib/python3.11/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    for name, target in {"python": "python3", "python3": "python3", "pip": "pip3"}.items():
        (root / "usr/local/bin" / name).symlink_to(f"/usr/bin/{target}")
    # The folders stay: packages count on them.
    for folder in ("var/cache/apt/archives", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
        for path in (root / folder).rglob("*"):
            if path.is_symlink() or path.is_file():
                path.unlink()


def _import(root: Path, changes: list[str], engine: Mapping[str, str]) -> None:
    arguments = [part for change in changes for part in ("--change", change)]
    with subprocess.Popen(["tar", "-C", root, "--one-file-system", "-c", "."], stdout=subprocess.PIPE) as packed:
        subprocess.run(
            ["docker", "import", *arguments, "-", TAG],
            stdin=packed.stdout,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **engine},
            check=True,
        )
    if packed.returncode:
        raise CommandError(f"tar of {root} ended with {packed.returncode}")
