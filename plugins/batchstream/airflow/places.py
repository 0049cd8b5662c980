"""Opens the place of a source that lies elsewhere, with the credentials of an Airflow connection."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from batchstream.airflow.connections import postgres_settings, source_connection
from batchstream.contract.elsewhere import Elsewhere, Query
from batchstream.load.spool import Place


@contextmanager
def opened_place(source: Elsewhere) -> Iterator[Place[Any]]:
    """Open the place of a source.

    Raises:
        SourceError: It needs a package that is not installed, or refuses the source.
        ConnectionSettingsError: There is no such connection, or its credentials are refused.
        PlaceError: It can't be reached.
    """
    if source.connection is not None:
        # Airflow's file system of S3 takes one that is missing for one without credentials.
        source_connection(source)
    # Each brings a client along, and a task needs one of them.
    if isinstance(source, Query):
        from batchstream.load.query_place import QueryPlace

        with QueryPlace(postgres_settings(source.connection), source) as place:
            yield place
    elif source.scheme in ("http", "https"):
        from batchstream.airflow.http_place import HttpPlace

        with HttpPlace(source) as place:
            yield place
    else:
        from batchstream.airflow.stored_place import StoredPlace

        yield StoredPlace(source)
