"""Columns that hold structures: what ``properties``, ``items`` and ``map`` ask for, and what a key needs."""

from dataclasses import replace

from open_data_contract_standard.model import SchemaProperty

from batchstream.contract.column_types import ColumnType

_KIND_OF_FIELD = {"properties": "object", "map": "object", "items": "array"}
_KINDS = ("object", "array")


def with_json_kind(prop: SchemaProperty, column_type: ColumnType) -> ColumnType:
    """The type of a column, with the kind of JSON that the contract describes. Nothing looks at what is inside.

    Raises:
        ValueError: The contract describes a structure, and the type holds none, or another.
    """
    described = {field: kind for field, kind in _KIND_OF_FIELD.items() if getattr(prop, field, None)}
    wanted = {*described.values(), *([prop.logicalType] if prop.logicalType in _KINDS else [])}
    if column_type.form in ("json", "jsonb"):
        kinds = wanted | ({column_type.json_kind} if column_type.json_kind else set())
        if len(kinds) > 1:
            raise ValueError(f"type '{prop.physicalType}' can't be an object and an array at a time; write jsonb, and keep one")
        return replace(column_type, json_kind=next(iter(kinds), None))
    for field, kind in described.items():
        if kind == "object" or column_type.element is None:
            arrays = " or an array such as text[]" if kind == "array" else ""
            raise ValueError(f"type '{prop.physicalType}' has no {field}; write jsonb{arrays}, or remove {field}")
    return column_type


def require_equality(prop: SchemaProperty, column_type: ColumnType) -> None:
    """Refuse a key, a unique column or an index of a type whose values PostgreSQL can't compare.

    Raises:
        ValueError: The column is one.
    """
    if column_type.has_equality:
        return
    indexed = any(entry.property == "indexed" for entry in prop.customProperties or [])
    asked = {"primaryKey": prop.primaryKey, "unique": prop.unique, "indexed": indexed}
    measured = [rule.metric or rule.rule for rule in prop.quality or []]
    asked["duplicateValues"] = "duplicateValues" in measured
    instead = "its enum type" if column_type.labels else "jsonb"
    if found := next((name for name, wanted in asked.items() if wanted), None):
        raise ValueError(
            f"{found} is not supported for {column_type.sql}, of which PostgreSQL compares no values; write {instead}"
        )
