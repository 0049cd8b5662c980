"""The producer alone: from the source file to the last acknowledgement, with the connection's settings, in its own process.

Prints seconds and the peak of its memory in bytes.
"""

import json
import os
import re
import sys
import time
from pathlib import Path

from confluent_kafka import Producer

from batchstream.contract import load_contract
from batchstream.kafka.delivery import deliver
from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.records.messages import Signer, load_messages
from batchstream.records.source_reader import SourceReader


def main(contract_path: str, topic: str) -> None:
    """Produce a source into a topic."""
    source = SourceReader(load_contract(Path(contract_path)))
    begun = time.monotonic()
    acknowledged = deliver(
        Producer(json.loads(os.environ[KAFKA_VARIABLE])), topic, load_messages(Signer(1, 1, bytes(32)), source)
    )
    seconds = time.monotonic() - begun
    assert acknowledged.batches == source.batches
    print(seconds, peak_bytes())


def peak_bytes() -> int:
    """Peak of this process's memory; that of getrusage begins with what the process that started this one had."""
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert peak is not None
    return int(peak[1]) * 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
