"""What a load's consumer has to know; tasks on executors get it, too."""

from dataclasses import dataclass, field
from typing import Any

from batchstream.contract import Contract
from batchstream.postgres.connection import PostgresSettings
from batchstream.records.messages import Signer


@dataclass(frozen=True)
class Job:
    """What to consume, and where from and to.

    Attributes:
        load_id: The load.
        checkpoints: Folder for checkpoints, on any file system that Spark knows.
        kafka: Settings of the Kafka connection, in librdkafka's names.
        settings: How to reach PostgreSQL as the loading role.
    """

    load_id: int
    checkpoints: str
    kafka: dict[str, Any] = field(repr=False)
    settings: PostgresSettings


@dataclass(frozen=True)
class Load:
    """A load as its ledger row tells of it, with all that its tasks need.

    Attributes:
        job: Where from and to.
        contract: With which it was opened.
        signer: Tells the messages of the try of produce_batches that counts.
        checkpoint: Its own folder, which no load of the same number in another database has met.
    """

    job: Job
    contract: Contract
    signer: Signer
    checkpoint: str
