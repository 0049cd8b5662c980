"""A folder with a data set of its own, reloaded by `make run`."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from batchstream.local.installation import Installation
from tests.support.commands import batchstream, start

FRUIT: dict[str, Any] = {
    "apiVersion": "v3.1.0",
    "kind": "DataContract",
    "version": "1.0.0",
    "customProperties": [{"property": "sourcePath", "value": "data/fruit.csv"}],
    "schema": [
        {
            "name": "fruit",
            "properties": [
                {"name": "item", "physicalType": "text", "required": True},
                {"name": "price", "physicalType": "integer", "required": True},
            ],
        }
    ],
}
GOOD = "item,price\napple,1\nbanana,2\n"


class Clone:
    """A folder with the contract and the source of a data set of its own, reloaded by `make run`."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation = installation
        self.name = f"fruit_{os.urandom(4).hex()}"
        self.source = folder / "data" / "fruit.csv"
        self.contract = folder / "dags" / "contracts" / f"{self.name}.odcs.yaml"
        for path in (self.source, self.contract):
            path.parent.mkdir(parents=True)
        self.write(GOOD)

    def write(self, source: str, *further: dict[str, str]) -> None:
        self.source.write_text(source)
        (table,) = FRUIT["schema"]
        schema = {**table, "name": self.name, "properties": [*table["properties"], *further]}
        self.contract.write_text(yaml.safe_dump({**FRUIT, "schema": [schema]}, sort_keys=False))

    def variables(self) -> dict[str, str]:
        return {"BATCHSTREAM_CONTRACTS": str(self.contract.parent)}

    def run(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        done = batchstream(self.installation, "run", self.name, *options, **self.variables(), **variables)
        assert "Traceback" not in done.stdout
        return done

    def start_and_wait_for(self, line: str) -> subprocess.Popen[str]:
        """Start a run, and return when its output has a line of Airflow's."""
        process = start(self.installation, "run", self.name, **self.variables())
        log = self.installation.state / "logs" / f"{self.name}_pipeline.log"
        before = log.resolve()
        while process.poll() is None:
            if log.resolve() != before and line in log.read_text(errors="replace"):
                return process
        raise AssertionError(process.communicate()[0])
