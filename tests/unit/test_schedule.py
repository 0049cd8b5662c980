"""Schedules: what Airflow takes and people mean by it, or a sentence."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from batchstream.contract.schedule import next_times, read_schedule
from batchstream.errors import ContractError
from tests.unit.building import make_contract

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
COLUMN = [{"name": "a", "physicalType": "int"}]


@pytest.mark.parametrize(
    ("schedule", "times"),
    [
        (None, []),
        ("@once", []),
        ("@continuous", []),
        ("@hourly", ["01-01 01:00", "01-01 02:00"]),
        ("@daily", ["01-02 00:00", "01-03 00:00"]),
        ("@weekly", ["01-04 00:00", "01-11 00:00"]),
        ("@monthly", ["02-01 00:00", "03-01 00:00"]),
        ("@quarterly", ["04-01 00:00", "07-01 00:00"]),
        ("0 6 * * 1-5", ["01-01 06:00", "01-02 06:00"]),
        ("  30  4 * * *", ["01-01 04:30", "01-02 04:30"]),
        ("*/20 23 * * *", ["01-01 23:00", "01-01 23:20"]),
        ("0 6 L * *", ["01-31 06:00", "02-28 06:00"]),
        ("0 0 1,15 FEB-Mar *", ["02-01 00:00", "02-15 00:00"]),
        ("0 0 * * sun", ["01-04 00:00", "01-11 00:00"]),
        ("0 0 * * 7", ["01-04 00:00", "01-11 00:00"]),
    ],
)
def test_a_schedule_comes_when_it_says(schedule: str | None, times: list[str], tmp_path: Path) -> None:
    found = make_contract(tmp_path, COLUMN, schedule=schedule).schedule
    assert [f"{time:%m-%d %H:%M}" for time in next_times(found, 2, NEW_YEAR)] == times


def test_the_29th_of_february_comes_seldom_and_is_in_utc() -> None:
    assert next_times("0 0 29 2 *", 2, NEW_YEAR) == [datetime(2028, 2, 29, tzinfo=UTC), datetime(2032, 2, 29, tzinfo=UTC)]
    assert all(time > datetime.now(UTC) for time in next_times("@daily", 5))


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 0 2 * * *", "which has 6 fields; write five, minute, hour, day of the month,"),
        ("0 0 2 * * ? 2030", "which has 7 fields; write five"),
        ("daily", "which has 1 fields; write five"),
        ("@fortnightly", "write @daily, a cron expression such as '0 6 * * *', or null"),
        ("@reboot", "write @daily"),
        ("1," * 100 + "1 * * * *", "write @daily"),
        ("0 0 31 2 *", "a day that never comes; write one that does, or null"),
        ("0 0 30-31 feb *", "a day that never comes"),
        ("0 0 31 4,6,9,11 *", "a day that never comes"),
        ("*/90 * * * *", "whose minute is '*/90'; write a step that is less than 60, such as '*/2'"),
        ("0 0-23/24 * * *", "whose hour is '0-23/24'; write a step that is less than 24"),
        ("0 0 1,*/31 * *", "less than 31"),
        ("0 0 1 */12 *", "less than 12"),
        ("0 0 * * */7", "less than 7"),
        ("60 * * * *", "out of range; write a cron expression such as '0 6 * * *', or null"),
        ("0 24 * * *", "out of range"),
        ("0 0 0 * *", "out of range"),
        ("*/0 * * * *", "write a cron expression"),
        ("R R * * *", "whose minute is 'r'; write such as '*', '5'"),
        ("0 0 ? * *", "whose day of the month is '?'"),
        ("0 0 31-31 2 *", "whose day of the month is '31-31'"),
        ("0 23-1 * * *", "whose hour is '23-1'"),
        ("0 0 * * 5#2", "whose day of the week is '5#2'"),
        ("0 0 * * 8", "whose day of the week is '8'"),
    ],
)
def test_a_schedule_that_nobody_can_mean_is_refused(schedule: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^got ") as caught:
        read_schedule(schedule)
    assert said in str(caught.value)
    with pytest.raises(ContractError, match=r"x\.odcs\.yaml: line 7: customProperties: schedule: got "):
        make_contract(tmp_path, COLUMN, schedule=schedule)
