"""Errors, sorted by what brings the pipeline back: mend a file, wait and try again, or start a new load.

Every message says where, which rule, what was found and what to do. What an alert sorts by stands beside it, as attributes.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class BatchstreamError(Exception):
    """Anything this package raises on purpose.

    Attributes:
        dataset: Name of the data set.
        load_id: The load.
        topic: Name of the topic.
        partition: Of that topic.
        path: The source file or the contract that it is about.

    Each is None where the error is not about one, or comes from where it isn't known.
    """

    dataset: str | None = None
    load_id: int | None = None
    topic: str | None = None
    partition: int | None = None
    path: str | None = None


@contextmanager
def errors_about(**known: object) -> Iterator[dict[str, object]]:
    """Write on each error of ours that passes what it is about, where it doesn't know better.

    Args:
        known: Attributes of `BatchstreamError`.

    Yields:
        The same, for what is found out in the block.
    """
    try:
        yield known
    except BatchstreamError as error:
        for name, value in known.items():
            if getattr(error, name) is None:
                setattr(error, name, value)
        raise


class TerminalError(BatchstreamError):
    """A retry would fail in the same way; a task turns it into ``AirflowFailException``."""


class ContractError(TerminalError):
    """The contract file breaks rules: mend the file.

    Args:
        mistakes: A message for each mistake; together they are the error's message, one a line.
    """

    def __init__(self, *mistakes: str) -> None:
        super().__init__(*mistakes)

    @property
    def mistakes(self) -> tuple[str, ...]:
        """A message for each mistake."""
        return self.args

    def __str__(self) -> str:
        return "\n".join(self.args)


class SourceError(TerminalError):
    """The source file is missing, unreadable or breaks its contract: mend the file."""


class SourceMissingError(SourceError):
    """There is no such file: mend its path, or wait for it."""


class SourceChangedError(BatchstreamError):
    """The source file changed while it was read, or may still be being written: retried."""


class PlaceError(BatchstreamError):
    """The place of a source could not be reached, or broke off: retried."""


class TopicError(TerminalError):
    """The topic is not what the contract says: mend the topic or the contract."""


class LoadError(TerminalError):
    """The load was given up or superseded, or its records don't add up: start a new run."""


class ConnectionSettingsError(TerminalError):
    """A server refused the credentials or the database of a connection: mend the connection."""


class BusyError(BatchstreamError):
    """Another load of the dataset is in progress: wait, and try again."""


class SourceAwaitedError(BatchstreamError):
    """The source is not there yet, and its contract says to wait for it: try again later."""


class DeliveryError(BatchstreamError):
    """The broker did not acknowledge a batch in time: retried."""


class FetchError(BatchstreamError):
    """Messages could not be read from the broker in time: retried."""


class SinkError(BatchstreamError):
    """PostgreSQL could not be reached or gave up a transaction: retried."""


class SparkError(BatchstreamError):
    """Spark could not start or gave up: retried."""
