"""Reads a source into messages, and sends none. Prints seconds and the peak of its memory in bytes."""

import sys
import time
from collections import deque
from pathlib import Path

from batchstream.contract import load_contract
from batchstream.records.messages import Signer, load_messages
from batchstream.records.source_reader import SourceReader
from benchmarks.apps.produce import peak_bytes


def main(contract_path: str) -> None:
    """Read a source to its end."""
    source = SourceReader(load_contract(Path(contract_path)))
    begun = time.monotonic()
    deque(load_messages(Signer(1, 1, bytes(32)), source), maxlen=0)
    print(time.monotonic() - begun, peak_bytes())


if __name__ == "__main__":
    main(*sys.argv[1:])
