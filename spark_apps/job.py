"""What a load's consumer has to know; tasks on executors get it, too."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from batchstream.postgres.connection import PostgresSettings


@dataclass(frozen=True)
class Job:
    """What to consume, and where from and to.

    Attributes:
        checkpoints: Folder for checkpoints, on any file system that Spark knows.
        kafka: Settings of the Kafka connection, in librdkafka's names; with a password, so no message shows them.
    """

    contract_path: Path
    load_id: int
    checkpoints: str
    kafka: dict[str, Any] = field(repr=False)
    settings: PostgresSettings
