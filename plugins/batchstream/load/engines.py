"""Where a load's data are: what each use case is given."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from batchstream.load.spool import Places
from batchstream.postgres.connection import PostgresSettings


@dataclass(frozen=True)
class Engines:
    """Kafka, and PostgreSQL by the roles of a load.

    Attributes:
        kafka: Settings in librdkafka's names, passwords included.
        loader: Produces, lands and checks; may write no table that readers see.
        owner: Makes tables, and publishes.
        places: Opens the place of a source that lies elsewhere; None where no source is read.
    """

    kafka: Mapping[str, Any] = field(repr=False)
    loader: PostgresSettings
    owner: PostgresSettings
    places: Places | None = None
