"""Sources of any size, as contracts and files: numbers only, and texts with everything in them."""

import random
from pathlib import Path
from typing import Any

import yaml

from batchstream.paths import ROOT

WIDE_COLUMNS = 100
TEXTS = ["", "plain", 'with "quotes", commas', "two\nlines", "Ångström 李雷 😀", "back\\slash\ttab", "x" * 60]


def write_dataset(kind: str, records: int, folder: Path) -> Path:
    """Write source and contract of a dataset; returns the contract."""
    contract = folder / "dags" / "contracts" / f"{kind}_{records}.odcs.yaml"
    contract.parent.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir(exist_ok=True)
    KINDS[kind](records, folder / "data" / f"{kind}_{records}.txt", contract)
    return contract


def _numeric(records: int, source: Path, contract: Path) -> None:
    """Housing's own lines, again and again."""
    document = yaml.safe_load((ROOT / "dags" / "contracts" / "housing.odcs.yaml").read_text())
    header, *lines = (ROOT / "data" / "housing.csv").read_text().splitlines(keepends=True)
    with source.open("w") as file:
        file.write(header)
        for begin in range(0, records, len(lines)):
            file.writelines(lines[: min(len(lines), records - begin)])
    for column in document["schema"][0]["properties"]:
        column["quality"] = [rule for rule in column["quality"] if rule["type"] != "sql"]
    _write(contract, document, source, records, "whitespace")


def _mixed(records: int, source: Path, contract: Path) -> None:
    """Texts with quotes, line breaks, other alphabets and NULLs, beside numbers, a date and a boolean."""
    chosen = random.Random(506)
    columns: list[dict[str, Any]] = [
        {"name": "title", "physicalType": "text", "required": True},
        {"name": "note", "physicalType": "text"},
        {"name": "amount", "physicalType": "double precision"},
        {"name": "quantity", "physicalType": "integer", "required": True},
        {"name": "ordered_on", "physicalType": "date", "required": True},
        {"name": "is_gift", "physicalType": "boolean", "required": True},
    ]
    quoted = ['"' + text.replace('"', '""') + '"' for text in TEXTS]
    with source.open("w", encoding="utf-8") as file:
        file.write(",".join(column["name"] for column in columns) + "\n")
        for number in range(records):
            texts = f"{chosen.choice(quoted)},{chosen.choice(quoted)}"
            amount = "" if number % 7 == 0 else f"{chosen.random() * 1000:.3f}"
            file.write(f"{texts},{amount},{number % 1000},2024-{number % 12 + 1:02}-{number % 28 + 1:02},{number % 2}\n")
    _write(contract, _document("mixed", columns), source, records, "csv")


def _one_partition(records: int, source: Path, contract: Path) -> None:
    """Numbers in a topic of one partition."""
    _numeric(records, source, contract)
    document = yaml.safe_load(contract.read_text())
    document["customProperties"][-1]["value"] = 1
    contract.write_text(yaml.safe_dump(document, sort_keys=False))


def _wide(records: int, source: Path, contract: Path) -> None:
    """A hundred columns of numbers."""
    chosen = random.Random(506)
    names = [f"measure_{number}" for number in range(WIDE_COLUMNS)]
    lines = [" ".join(f"{chosen.random() * 1000:.3f}" for _ in names) + "\n" for _ in range(1000)]
    with source.open("w", encoding="utf-8") as file:
        file.write(" ".join(names) + "\n")
        for begin in range(0, records, len(lines)):
            file.writelines(lines[: min(len(lines), records - begin)])
    columns = [{"name": name, "physicalType": "double precision", "required": True} for name in names]
    _write(contract, _document("wide", columns), source, records, "whitespace")


KINDS = {"numeric": _numeric, "mixed": _mixed, "wide": _wide, "one-partition": _one_partition}


def _document(name: str, columns: list[dict[str, Any]]) -> dict[str, Any]:
    table = {"name": name, "quality": [{"type": "library", "metric": "rowCount", "mustBe": 506}], "properties": columns}
    head = {"apiVersion": "v3.1.0", "kind": "DataContract", "id": name, "version": "1.0.0", "status": "active"}
    return {**head, "schema": [table], "customProperties": []}


def _write(contract: Path, document: dict[str, Any], source: Path, records: int, source_format: str) -> None:
    table = document["schema"][0]
    table["name"] = contract.name.partition(".")[0].replace("-", "_")
    table["quality"][0]["mustBe"] = records
    document["customProperties"] = [
        {"property": "sourcePath", "value": f"data/{source.name}"},
        {"property": "sourceFormat", "value": source_format},
        {"property": "topicPartitions", "value": 2},
    ]
    contract.write_text(yaml.safe_dump(document, sort_keys=False))
