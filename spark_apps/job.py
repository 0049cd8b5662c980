"""What a load's consumer has to know; tasks on executors get it, too."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from batchstream.postgres.connection import PostgresSettings


@dataclass(frozen=True)
class Job:
    """What to consume, and where from and to.

    Attributes:
        checkpoints: Folder for checkpoints, on any file system that Spark knows.
        kafka: Settings of the Kafka connection, in librdkafka's names.
    """

    contract_path: Path
    load_id: int
    checkpoints: str
    kafka: dict[str, Any]
    settings: PostgresSettings
