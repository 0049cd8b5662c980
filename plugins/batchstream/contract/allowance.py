"""How many records of a load may be rejected: ``rejectedRecordsAllowed``, a whole number or a share of the source."""

import re
from dataclasses import dataclass
from decimal import Decimal

MAX_REJECTED = 2**62

_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,9})?) ?%")


@dataclass(frozen=True, slots=True)
class Allowance:
    """A number of records, or a share of all records of the source.

    Attributes:
        records: The number; 0 if a share is given.
        percent: The share in percent; None if a number is given.
    """

    records: int = 0
    percent: Decimal | None = None

    def of(self, records: int) -> int:
        """How many of so many records may be rejected, rounded down."""
        return self.records if self.percent is None else int(records * self.percent / 100)

    def __str__(self) -> str:
        return f"{self.records:,}" if self.percent is None else f"{self.percent}%"


def parse_allowance(value: int | str) -> Allowance:
    """Read ``5`` or ``1%``.

    Raises:
        ValueError: It is neither, or out of range.
    """
    if isinstance(value, int):
        if not 0 <= value <= MAX_REJECTED:
            raise ValueError(f"got {value}; write at least 0 and at most {MAX_REJECTED}, or a share such as 1%")
        return Allowance(value)
    percent = _PERCENT.fullmatch(value)
    if percent is None or Decimal(percent[1]) > 100:
        raise ValueError(f"got {value!r}; write a whole number, or a share of the records from 0% to 100%")
    return Allowance(percent=Decimal(percent[1]))
