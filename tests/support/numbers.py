"""The smallest data set there is: one column, which is the key."""

from pathlib import Path

import yaml

SOURCE = "n\n1\n2\n3\n"


def write_source(project: Path) -> None:
    path = project / "data" / "numbers.csv"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)


def write_contract(folder: Path, name: str, **properties: str) -> None:
    """Write the contract of `write_source`'s file under a name, with further custom properties."""
    document = {
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "version": "1.0.0",
        "customProperties": [
            {"property": key, "value": value} for key, value in {"sourcePath": "data/numbers.csv", **properties}.items()
        ],
        "schema": [{"name": name, "properties": [{"name": "n", "physicalType": "bigint", "required": True, "primaryKey": True}]}],
    }
    (folder / f"{name}.odcs.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
