"""The producer alone: from the source file to the last acknowledgement, with the connection's settings, in its own process.

Prints seconds and the peak of its memory in bytes.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from confluent_kafka import Producer

from batchstream.contract import load_contract
from batchstream.delivery import deliver
from batchstream.records.messages import load_messages
from batchstream.records.source import SourceReader
from batchstream.topics import KAFKA_VARIABLE


def main(contract_path: str, topic: str) -> None:
    """Produce a source into a topic."""
    source = SourceReader(load_contract(Path(contract_path)))
    begun = time.monotonic()
    acknowledged = deliver(Producer(json.loads(os.environ[KAFKA_VARIABLE])), topic, load_messages(1, source))
    seconds = time.monotonic() - begun
    assert acknowledged.batches == source.batches
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


if __name__ == "__main__":
    main(*sys.argv[1:])
