"""``python -m benchmarks.profile``: where the CPU time of a landed record goes in Python, step by step, in one process."""

import time
from collections.abc import Callable

from batchstream.local.installation import Installation
from batchstream.postgres import relations
from batchstream.postgres.copy_rows import RowCopy
from batchstream.postgres.landing import Lander
from batchstream.records.codec import RecordCodec
from batchstream.records.messages import Message, MessageKey, decode_key, load_messages
from batchstream.records.source_reader import SourceReader
from batchstream.spark.micro_batches import land_in_chunks
from benchmarks.datasets import KINDS
from benchmarks.stage import Stage
from tests.conftest import running_installation

RECORDS = 200_000
ROUNDS = 5


def main() -> None:
    """Print microseconds a record, the least of some rounds, for each kind of dataset."""
    with running_installation() as installation:
        for kind in KINDS:
            if kind != "one-partition":
                for name, microseconds in profile(installation, kind).items():
                    print(f"{kind:<10} {name:<44} {microseconds:6.2f} us a record")


def profile(installation: Installation, kind: str) -> dict[str, float]:
    """Microseconds of this process's CPU a record, by step."""
    stage = Stage(installation, kind, RECORDS)
    contract = stage.contract
    batches = list(SourceReader(contract))
    values = [batch.value for batch in batches]
    codec = RecordCodec(contract)
    decoded = [codec.decode(value) for value in values]
    row = stage.pipeline.ledger(stage.load_id)
    signer = stage.pipeline.signer(stage.load_id, row["attempt"])
    messages = [
        Message(contract.topic.name, 0, number, key, value) for number, (key, value) in enumerate(load_messages(signer, batches))
    ]
    keys = [key for message in messages if isinstance(key := decode_key(message.key), MessageKey)]

    def write_rows() -> None:
        with stage.pipeline.connect() as connection, connection.transaction(force_rollback=True):
            RowCopy(contract, relations.landing(contract, stage.load_id)).write(connection, [batch.records for batch in decoded])

    def land() -> None:
        stage.reset_load()
        with stage.pipeline.connect() as connection:
            land_in_chunks(Lander(contract, signer), connection, messages)

    return {
        "signature of the message": _least(lambda: [signer.signed(key, value) for key, value in zip(keys, values, strict=True)]),
        "decode and check": _least(lambda: [codec.decode(value) for value in values]),
        "rows to COPY BINARY": _least(write_rows),
        "all of the landing, inbox included": _least(land),
    }


def _least(step: Callable[[], object]) -> float:
    found = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        step()
        found.append(time.process_time() - begun)
    return min(found) / RECORDS * 1e6


if __name__ == "__main__":
    main()
