"""Fields of many records at a time become the same JSON values, and have the same faults, as each of them alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from batchstream.contract import load_contract
from batchstream.contract.model import Column
from batchstream.records.literals import literal, literals
from tests.conftest import ORDERS

COLUMNS = load_contract(ORDERS).columns
FIELDS = [
    *("", "0", "-0", "-0.0", "-0e1", "-0.5", "1", "-12.5", "1e5", "1E+05", " 7", "7 ", ".5", "5.", "+1", "007", "04", "00.50"),
    *("1,2", ",", "1,", "NaN", "1_0", "\u0663", "null", "true", "No", '"', "\\", "a,b", "two\nlines", "Ångström"),
    *("130.0", "5.5", "1.3e2", "1e-1", "10e-1", "-0.0e5", "0.0", "1e400"),
    *("2024-02-29", "2024-01-01 10:00:00+01"),
]


def outcome(column: Column, null: str, texts: list[str], *, together: bool) -> list[bytes] | None:
    """The values; None if one of the fields has a fault."""
    try:
        if together:
            return literals(column, (null,))(texts)
        return [literal(column, (null,))(text) for text in texts]
    except ValueError:
        return None


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.name} {column.type.sql}")
@given(
    texts=st.lists(st.sampled_from(FIELDS) | st.integers().map(str) | st.floats().map(str) | st.text(), max_size=8),
    null=st.sampled_from(["", "0", "null", "1,2"]),
)
def test_many_fields_are_read_as_each_of_them(column: Column, texts: list[str], null: str) -> None:
    assert outcome(column, null, texts, together=True) == outcome(column, null, texts, together=False)


@pytest.mark.parametrize("column", COLUMNS, ids=lambda column: f"{column.name} {column.type.sql}")
@pytest.mark.parametrize("field", FIELDS)
def test_a_field_among_plain_ones_is_read_as_alone(column: Column, field: str) -> None:
    for texts in ([field], [field, "2"], ["1", field], ["1", field, "2"]):
        assert outcome(column, "", texts, together=True) == outcome(column, "", texts, together=False)
