"""Bounds of dates and times: a record that breaks one is rejected, as it is by the bounds of numbers."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.errors import ContractError
from batchstream.records.codec import RecordCodec
from tests.conftest import ORDERS
from tests.unit.building import make_contract
from tests.unit.mistakes import Mistake, case

DAYS = {"minimum": "2024-02-01", "exclusiveMaximum": "2024-03-01"}


@pytest.mark.parametrize(
    ("physical", "options", "good", "bad", "reason"),
    [
        ("date", DAYS, "2024-02-01", "2024-01-31", "must be >= 2024-02-01"),
        ("date", DAYS, "2024-02-29", "2024-03-01", "must be < 2024-03-01"),
        ("date", {"exclusiveMinimum": "2024-01-01"}, "2024-01-02", "2024-01-01", "must be > 2024-01-01"),
        ("date", {"maximum": "2024-01-01"}, "2024-01-01", "2024-01-02", "must be <= 2024-01-01"),
        ("timestamp", {"minimum": "2024-01-01"}, "2024-01-01 00:00:00", "2023-12-31 23:59:59", "must be >= 2024-01-01 00:00:00"),
        (
            "timestamptz",
            {"minimum": "2024-01-01 00:00:00"},
            "2024-01-01 02:00:00+02:00",
            "2024-01-01 00:00:00+02:00",
            "must be >= 2024-01-01 00:00:00+00:00",
        ),
        (
            "timestamptz",
            {"minimum": "2024-01-01 00:00:00", "defaultTimezone": "Australia/Sydney"},
            "2023-12-31 13:00:00+00:00",
            "2023-12-31 12:59:59+00:00",
            "must be >= 2024-01-01 00:00:00+11:00",
        ),
        (
            "timestamptz",
            {"maximum": "2024-01-01 00:00:00+10:00"},
            "2023-12-31 14:00:00+00:00",
            "2023-12-31 14:00:01+00:00",
            "must be <= 2024-01-01 00:00:00+10:00",
        ),
        (
            "time",
            {"minimum": "09:00:00", "timezone": False, "format": "HH:mm:ss"},
            "9:00",
            "8:59:59.999999",
            "must be >= 09:00:00",
        ),
        ("time(3)", {"maximum": "17:00:00.5"}, "17:00:00.5", "17:00:00.501", "must be <= 17:00:00.500000"),
        ("time", {"exclusiveMinimum": "09:00"}, "9:00:00.000001", "9:00", "must be > 09:00:00"),
        ("time", {"exclusiveMaximum": "17:00"}, "16:59", "24:00", "must be < 17:00:00"),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_a_value_out_of_bounds_is_rejected(
    physical: str, options: dict[str, Any], good: str, bad: str, reason: str, whole: bool, tmp_path: Path
) -> None:
    codec = RecordCodec(make_contract(tmp_path, [{"name": "a", "physicalType": physical, "logicalTypeOptions": options}]))
    records = [f'{{"a":"{good}"}}', f'{{"a":"{bad}"}}', '{"a":null}']
    if not whole:
        # A batch with a record that is bad for another reason is decoded one by one.
        records.append('{"a":5}')
    decoded = codec.decode(f"[{','.join(records)}]".encode())
    assert [record[-1] for record in decoded.records] == [1, 3]
    assert decoded.rejected[0].reason.endswith(reason)
    assert codec.decode(f"[{records[0]}]".encode()).rejected == []


def test_the_range_of_a_format_is_kept(tmp_path: Path) -> None:
    column = {"name": "a", "logicalType": "integer", "logicalTypeOptions": {"format": "u8", "minimum": 5.0}}
    contract = make_contract(tmp_path, [column])
    assert (contract.columns[0].rules.minimum, contract.columns[0].rules.maximum) == (5, 255)
    wide = {"name": "a", "physicalType": "integer", "logicalType": "integer", "logicalTypeOptions": {"format": "i64"}}
    assert make_contract(tmp_path, [wide]).columns[0].rules.minimum is None


def test_the_option_says_which_timestamp_is_meant(tmp_path: Path) -> None:
    column = {"name": "a", "physicalType": "timestamp", "logicalTypeOptions": {"timezone": True}}
    assert make_contract(tmp_path, [column]).columns[0].type.sql == "timestamp with time zone"


DATE, ZONED, PLAIN = "physicalType: date", "physicalType: timestamptz", "physicalType: timestamp\n"


def options(text: str) -> str:
    return f"\n        logicalTypeOptions: {{{text}}}"


@pytest.mark.parametrize(
    "mistake",
    [
        case("no day", DATE, DATE + options("minimum: soon"), "column 'ordered_on'", "got 'soon'", "write such as '2026-01-31'"),
        case("a number", DATE, DATE + options("minimum: 5"), "column 'ordered_on'", "got 5", "write such as"),
        case(
            "an offset for none",
            PLAIN,
            PLAIN.rstrip() + options("minimum: '2026-01-31 00:00:00+01:00'") + "\n",
            "column 'shipped_at'",
            "has no offsets",
            "write such as '2026-01-31 23:59:59'",
        ),
        case(
            "no day between",
            DATE,
            DATE + options("exclusiveMinimum: '2026-01-31', exclusiveMaximum: '2026-02-01'"),
            "column 'ordered_on'",
            "no value lies between 2026-02-01 and 2026-01-31",
            "mend one",
        ),
        case("zone", ZONED, ZONED + options("timezone: false"), "column 'paid_at'", "got False", "write true, or"),
        case("unknown zone", ZONED, ZONED + options("defaultTimezone: Mars"), "column 'paid_at'", "'Mars'", "Etc/UTC"),
        case("zone of a day", DATE, DATE + options("timezone: true"), "column 'ordered_on'", "not supported for date", "remove"),
        case("multiples", "minimum: 0", "multipleOf: 5", "column 'amount'", "multipleOf is not", "write a rule of type sql"),
    ],
)
def test_a_mistake_is_told(mistake: Mistake, tmp_path: Path) -> None:
    mistake.is_told(ORDERS, tmp_path)


@pytest.mark.parametrize(
    ("physical", "options", "said"),
    [
        ("time", {"minimum": "9h"}, "minimum: got '9h'; write such as '23:59:59', which fits time without time zone"),
        ("time", {"minimum": "09:00+01:00"}, "and the column has no offsets; write such as '23:59:59'"),
        ("time", {"minimum": "10:00", "maximum": "09:00"}, "no value lies between 10:00:00 and 09:00:00"),
        ("time", {"timezone": True}, "timezone is not supported for time without time zone"),
        ("timetz", {"minimum": "10:00"}, "minimum is not supported for time with time zone"),
    ],
)
def test_a_bound_of_a_time_is_one(physical: str, options: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        make_contract(tmp_path, [{"name": "a", "physicalType": physical, "logicalTypeOptions": options}])
    assert said in str(caught.value)
