"""Backup and restore of the data sets in one file, by the programs that come with the server.

The file has published tables, landings, quarantine, the ledger, and who may read what. It has no password: each installation
makes its own roles. It has no secret of a load either: those sign messages of a topic, and no restored load is read again.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from batchstream.local import connections
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation
from batchstream.local.postgres import client
from batchstream.local.progress import progress
from batchstream.paths import COMMAND
from batchstream.postgres import ledger, migrations, names, relations
from batchstream.postgres.connection import connect
from batchstream.postgres.ledger import State
from batchstream.postgres.setup import set_up

LOCK_WAIT = "10s"
SECRETS = "batchstream.load_secrets"
LEDGER = "TABLE batchstream loads "
"""How pg_restore lists the table that each backup of ours has."""

ENDED = [State.PUBLISHED, State.FAILED]

_OWN_ROLES = """
SELECT DISTINCT r.rolname FROM pg_shdepend AS d JOIN pg_roles AS r ON r.oid = d.refobjid
WHERE d.refclassid = 'pg_authid'::regclass AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
AND r.rolname <> ALL (%s) ORDER BY 1
"""

_ANY_TABLE = """
SELECT n.nspname || '.' || c.relname FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = ANY ('{r,p,v,m,f}') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'
ORDER BY n.nspname = 'public' DESC, 1
"""


def backup(installation: Installation, file: Path) -> list[str]:
    """Write all data sets and the ledger into a new file of mode 600, complete or not at all.

    Loads may go on meanwhile. The file has what readers see when it begins.

    Args:
        installation: Whose PostgreSQL runs.
        file: A name that nothing has yet.

    Returns:
        Roles of a user's own that have rights in it, and that have to be there before it is restored.

    Raises:
        ServiceError: There is nothing to back up, or the file can't be written.
    """
    _require_embedded(installation, "backed up by 'pg_dump'")
    _require_new(file)
    with installation.postgres.connect(names.DATABASE) as connection:
        if connection.execute("SELECT to_regclass('batchstream.loads')").fetchone() == (None,):
            raise ServiceError(f"{file}: there is nothing to back up, as nothing was loaded here yet: {COMMAND} run")
        # A publish needs its landing alone, and would wait for the backup to end.
        left_out = [f"--exclude-table={name.as_string(connection)}" for name in _unfinished_landings(connection)]
        roles = [name for (name,) in connection.execute(_OWN_ROLES, [[names.OWNER, names.LOADER, names.READER, names.CHECKER]])]
    with _new_file(file) as partial, progress(f"backing up {names.DATABASE}"):
        _run(
            installation,
            file,
            *("pg_dump", "--format=custom", "--statistics", "--no-subscriptions", f"--lock-wait-timeout={LOCK_WAIT}"),
            *(f"--exclude-table-data={SECRETS}", *left_out, f"--file={partial}", names.DATABASE),
        )
    return roles


def restore(installation: Installation, file: Path) -> None:
    """Bring the content of a backup into an installation without data sets, whole or not at all.

    Loads that were in progress are marked as failed. The ledger is brought to the layout of this release.

    Args:
        installation: Whose PostgreSQL runs.
        file: Made by `backup`; its SQL is run as the superuser of this PostgreSQL.

    Raises:
        ServiceError: There are data sets here, the file is no backup, or it needs a role that is not here.
    """
    _require_embedded(installation, "restored by 'pg_restore'")
    if not file.is_file():
        raise ServiceError(f"{file}: no such file; name a file that 'batchstream backup' has made")
    with installation.postgres.connect(names.DATABASE) as connection:
        found = connection.execute(_ANY_TABLE).fetchone()
    if found:
        raise ServiceError(
            f"{file}: a backup is restored into a clone without data sets, and this one has {found[0]}: use a new clone, or "
            f"remove what is here by '{COMMAND} clean'"
        )
    if LEDGER not in _run(installation, file, "pg_restore", "--list", str(file)):
        raise ServiceError(f"{file}: has no ledger of batchstream; name a file that 'batchstream backup' has made")
    with progress(f"restoring {names.DATABASE}"):
        # The set-up has made the schemas, which are empty. If a load begins at this moment they are not, and nothing is changed.
        options = ("--single-transaction", "--exit-on-error", "--clean", "--if-exists", f"--dbname={names.DATABASE}")
        _run(installation, file, "pg_restore", *options, str(file))
        # A backup of an older release has the rights of that one.
        set_up(installation.postgres.connect, installation.secrets)
        _bring_up_to_date(installation, file)


def _bring_up_to_date(installation: Installation, file: Path) -> None:
    with connect(installation.engines().owner, application_name="batchstream restore") as owner:
        migrations.migrate(owner)
        unfinished = owner.execute("SELECT load_id FROM batchstream.loads WHERE state <> ALL (%s)", [ENDED]).fetchall()
        for (load_id,) in unfinished:
            ledger.close(owner, load_id, reason=f"the load was in progress when the backup {file.name} was made: start a new run")


def _unfinished_landings(connection: psycopg.Connection) -> Iterator[sql.Identifier]:
    for dataset, load_id in connection.execute("SELECT dataset, load_id FROM batchstream.loads WHERE state <> ALL (%s)", [ENDED]):
        yield relations.landing_of(dataset, load_id)


def _require_embedded(installation: Installation, instead: str) -> None:
    own = installation.connections().own
    for id_ in (connections.LOADER, connections.OWNER):
        if id_ in own:
            raise ServiceError(
                f"connection '{id_}' is your own ({own[id_]}), so the data sets are in a PostgreSQL of yours: they are {instead} "
                "of that server's version"
            )


def _require_new(file: Path) -> None:
    if os.path.lexists(file):
        raise ServiceError(f"{file} exists already: name another file, or remove this one")


@contextmanager
def _new_file(file: Path) -> Iterator[str]:
    """A private file beside one that is to be made, which gets its name at the end of the block."""
    try:
        descriptor, partial = tempfile.mkstemp(prefix="batchstream-", suffix=".partial", dir=file.absolute().parent)
    except OSError as error:
        raise ServiceError(f"{file} can't be written ({error.strerror}): name a file in a folder where you may write") from None
    os.close(descriptor)
    try:
        yield partial
        _require_new(file)
        Path(partial).rename(file)
    finally:
        Path(partial).unlink(missing_ok=True)


def _run(installation: Installation, file: Path, program: str, *arguments: str) -> str:
    """Run a program of PostgreSQL's as superuser, who sees also what other roles have made; returns its output."""
    environment: Mapping[str, str] = {
        "PATH": os.environ.get("PATH", ""),
        "PGAPPNAME": f"batchstream {program}",
        **installation.client_environment(names.SUPERUSER),
    }
    done = subprocess.run(
        [str(client(program)), *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise ServiceError(f"{file}: {program} failed, and nothing was changed: {said or f'exit status {done.returncode}'}")
    return done.stdout.decode(errors="replace")
