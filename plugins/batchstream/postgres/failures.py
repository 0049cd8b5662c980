"""PostgreSQL's errors as ours: with what was being done, and sorted by whether a retry can mend them."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import errors

from batchstream.errors import LoadError, SinkError
from batchstream.postgres import holders

# Classes of SQLSTATE that time mends: connection, rollback, resources, intervention of an operator, system.
_PASSING_CLASSES = ("08", "40", "53", "57", "58")


@contextmanager
def postgres_errors(purpose: str, connection: psycopg.Connection | None = None) -> Iterator[None]:
    """Raise what PostgreSQL refuses as an error of ours.

    Args:
        purpose: What was being done, as the message begins.
        connection: By which to ask who holds a lock.

    Raises:
        SinkError: A retry can mend it: the connection, a lock, a shortage, a server that stops or starts.
        LoadError: It can't.
    """
    try:
        yield
    except psycopg.Error as error:
        raise as_ours(error, purpose, connection) from error


def may_pass(error: psycopg.Error) -> bool:
    """Whether a retry can mend what the server, or the way to it, said."""
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return error.sqlstate[:2] in _PASSING_CLASSES and not isinstance(error, errors.ConfigurationLimitExceeded)


def as_ours(error: psycopg.Error, purpose: str, connection: psycopg.Connection | None = None) -> SinkError | LoadError:
    """The same, for who has caught an error."""
    said = " ".join(str(error).split()) or type(error).__name__
    state = error.sqlstate or ""
    if isinstance(error, errors.QueryCanceled) and "statement timeout" in said:
        return LoadError(f"{purpose}: PostgreSQL ended a statement that took too long: {said}")
    if isinstance(error, errors.ConfigurationLimitExceeded):
        return LoadError(f"{purpose}: PostgreSQL ended a statement that wrote too much to its disk: {said}")
    if isinstance(error, errors.LockNotAvailable):
        return SinkError(
            f"{purpose}: somebody else holds a lock that it needs{holders.named(connection)}: {said}; end that transaction"
        )
    if not state and isinstance(error, psycopg.OperationalError):
        return SinkError(f"{purpose}: PostgreSQL ended the connection: {said}")
    if may_pass(error):
        return SinkError(f"{purpose}: PostgreSQL gave it up: {said}; it is tried again")
    return LoadError(f"{purpose}: PostgreSQL refused it: {said}")
