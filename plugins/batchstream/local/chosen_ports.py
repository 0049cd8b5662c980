"""The ports of one installation: chosen once and kept, the usual ones if they are free."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from batchstream.local import ports
from batchstream.local.secrets import write_private

PREFERRED_PORTS = {
    "kafka": 9092,
    "kafka_controller": 9093,
    "postgres": 5432,
    "airflow": 8088,
    "airflow_logs": 8793,
}


def kept_or_chosen(path: Path) -> dict[str, int]:
    """The ports that are noted in a file; the first time, ones that nobody listens on."""
    if not path.exists():
        chosen: dict[str, int] = {}
        for name, preferred in PREFERRED_PORTS.items():
            port = ports.choose(preferred)
            while port in chosen.values():
                port = ports.any_free()
            chosen[name] = port
        write_private(path, json.dumps(chosen))
    found: dict[str, int] = json.loads(path.read_text())
    return found


def move(path: Path, kept: Mapping[str, int], names: Iterable[str]) -> None:
    """Note other ports for some services."""
    write_private(path, json.dumps({**kept, **{name: ports.any_free() for name in names}}))
