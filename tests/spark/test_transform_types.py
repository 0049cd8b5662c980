"""A column that an expression hands on as it is has the value that it has on the direct way: of every type, and of any values."""

import struct
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from batchstream.contract.model import Column, Contract, Transform
from batchstream.contract.types import parse_type
from batchstream.records.codec import DecodedBatch, RecordCodec
from batchstream.records.computed import ComputedCodec
from batchstream.records.damaged_json import array_elements
from batchstream.records.literals import literal
from batchstream.spark.failures import OneByOne
from batchstream.spark.transforming import prepared
from tests.integration.test_type_casts import GOOD
from tests.support.spark import SharedSpark
from tests.unit.strategies import SIMPLE, as_json, values

RANDOM = [*SIMPLE, "numeric(38,10)", "numeric(38,0)", "numeric(38,38)", "numeric(5,2)", "varchar(9)"]
NULL = "NO VALUE"


def handed_on(housing: Contract, kinds: list[str]) -> Contract:
    """A contract with a nullable column of each type, computed of one of the source."""
    columns = tuple(Column(f"c{n}", parse_type(kind), nullable=True, source_name=f"c{n}") for n, kind in enumerate(kinds))
    inputs = tuple(replace(column, name=f"{column.name}_read", stored=False) for column in columns)
    expressions = {column.name: f"{column.name}_read" for column in columns}
    return replace(
        housing, columns=columns, keys=(), transform=Transform(inputs, expressions, None, tuple(column.name for column in inputs))
    )


def both_ways(spark: SharedSpark, contract: Contract, value: bytes) -> tuple[list[Any], list[Any]]:
    """What a message holds on the direct way, and after Spark."""
    session = spark.start()
    with OneByOne(session, contract, prepared(session, contract, is_large=False)) as one_by_one:
        computed = one_by_one.records(array_elements(value))
    direct = RecordCodec(contract.incoming).decode(value)
    through = ComputedCodec(contract).decode(value, computed, 1)
    assert direct.rejected == []
    assert [fault.reason for fault in through.rejected] == []
    return exactly(contract, direct), exactly(contract, through)


def exactly(contract: Contract, decoded: DecodedBatch) -> list[str]:
    """The records, each value with its type, as far as PostgreSQL stores it: the instant of a time, and four bytes of a real."""
    return [
        repr([stored(column, value) for column, value in zip(contract.columns, record, strict=False)])
        for record in decoded.records
    ]


def stored(column: Column, value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo:
        return value.astimezone(UTC)
    return struct.pack("f", value) if column.type.copy_type == "float4" and value is not None else value


def test_each_good_text_of_each_type(spark: SharedSpark, housing: Contract) -> None:
    kinds = [kind for kind in GOOD if kind != "numeric"]
    contract = handed_on(housing, kinds)
    spelled = [literal(column, (NULL,)) for column in contract.incoming.columns]
    texts = [[GOOD[kind][number % len(GOOD[kind])] for kind in kinds] for number in range(max(map(len, GOOD.values())))]
    cells = [spell(text) for row in [*texts, [NULL] * len(kinds)] for spell, text in zip(spelled, row, strict=True)]
    direct, through = both_ways(spark, contract, RecordCodec(contract.incoming).encode(cells))
    assert len(direct) == len(texts) + 1
    assert through == direct


ROWS = st.lists(st.tuples(*(st.none() | values(parse_type(kind)) for kind in RANDOM)), min_size=5, max_size=20)


# Each example starts several queries.
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=ROWS)
def test_any_values(spark: SharedSpark, housing: Contract, rows: list[tuple[Any, ...]]) -> None:
    contract = handed_on(housing, RANDOM)
    codec = RecordCodec(contract.incoming)
    direct, through = both_ways(spark, contract, codec.encode([as_json(value) for row in rows for value in row]))
    assert len(direct) == len(rows)
    assert through == direct
