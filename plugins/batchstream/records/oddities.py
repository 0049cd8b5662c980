"""Finds in a decoded message what msgspec lets pass, without looking at each record.

Each look is exact, so no text sends a message the long way: first a search that costs little, and only where it finds something
the values of the columns that it is about.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from batchstream.contract.model import Column
from batchstream.records.fields import NEAREST_TO_ZERO
from batchstream.records.message_names import message_names

# A closing quotation mark and a blank before the colon of a name; inside of a text the mark is escaped.
_BLANK_AFTER_NAME = re.compile(rb'(?<!\\)" +:')
_TEXTS_AND_NAMES = re.compile(rb'"(?:[^"\\]++|\\.)*+"( *+:)?')
"""Each of them, with the colon that makes it a name."""
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

_MANY_DIGITS = re.compile(rb":\d\d\.\d{7}")
_MICROSECONDS = rb'(?:null|"[^"\\.]*+(?:\.\d{1,6}+(?!\d)[^"\\.]*+)?")'
"""A timestamp with no more digits than PostgreSQL keeps, none of them escaped; msgspec would round them."""

# Numbers with fewer zeros in a row, and with a smaller negative exponent, are far from being stored as zero.
_ZEROS = {"float8": 100, "float4": 20}
# Literal prefixes are what makes the search quick.
_EXPONENTS = {"float8": (rb"-0*[2-9]\d\d", rb"-0*[1-9]\d{3}"), "float4": (rb"-0*[2-9]\d", rb"-0*[1-9]\d\d")}
_SMALL_EXPONENT = {"float8": rb"0*+1?\d?\d", "float4": rb"0*+1?\d"}


class Oddities:
    """What has to be looked at in the messages of one contract.

    Args:
        columns: By the name of their attribute in a decoded record.
    """

    def __init__(self, columns: Mapping[str, Column]) -> None:
        self._names = len(columns)
        self._name_begins_with_colon = any(name.startswith(":") for name in message_names([*columns.values()]))
        names = dict(zip(columns, map(str.encode, message_names([*columns.values()])), strict=True))
        self._has_text = any(column.type.python is str for column in columns.values())
        self._timestamps = [_values(names[n], _MICROSECONDS) for n, column in columns.items() if column.type.python is datetime]
        self._floats = [
            (name, NEAREST_TO_ZERO[column.type.copy_type], _values(names[name], _not_tiny(column)))
            for name, column in columns.items()
            if column.type.python is float
        ]
        kind = min((column.type.copy_type for column in columns.values() if column.type.python is float), default="float8")
        self._zeros = b"0" * _ZEROS[kind]
        self._exponents = [re.compile(letter + one) for one in _EXPONENTS[kind] for letter in (b"e", b"E")]

    def found_in(self, value: bytes, records: list[Any]) -> bool:
        """Whether `value`, which msgspec decoded as these records, has to be looked at record by record.

        That is for a name that stands twice (msgspec takes the last), U+0000, more than microseconds, and a number that is
        not zero but would be stored as zero.
        """
        if self._has_name_twice(value, len(records)) or (self._has_text and b"\\u0000" in value and _NUL.search(value)):
            return True
        may_be_rounded = self._timestamps and (b"\\u" in value or _MANY_DIGITS.search(value))
        if may_be_rounded and any(_differs(pattern, value, len(records)) for pattern in self._timestamps):
            return True
        return bool(self._floats) and self._may_be_tiny(value) and self._is_tiny(value, records)

    def _has_name_twice(self, value: bytes, records: int) -> bool:
        # Outside of texts only: JSON allows no raw line break or tab in one.
        if b"\n" in value or b"\t" in value or b"\r" in value:
            return True
        names = records * self._names
        if not (b" :" in value and _BLANK_AFTER_NAME.search(value)):
            # Every name is there, so as many ends of names as names means that none is there twice.
            ends = value.count(b'":')
            if ends == names:
                return False
            # Of texts, an escaped mark before a colon looks like one, and the mark that opens a text which begins with a colon.
            of_texts = value.count(b'\\":') + value.count(b'":":')
            if ends - of_texts == names and not self._name_begins_with_colon:
                return False
        return sum(map(bool, _TEXTS_AND_NAMES.findall(value))) != names

    def _may_be_tiny(self, value: bytes) -> bool:
        # A quick look first: there are minus signs in every message with a date.
        has_exponent = b"-" in value and (b"e-" in value or b"E-" in value)
        return self._zeros in value or (has_exponent and any(pattern.search(value) for pattern in self._exponents))

    def _is_tiny(self, value: bytes, records: list[Any]) -> bool:
        for name, nearest, pattern in self._floats:
            numbers = [getattr(record, name) for record in records]
            if any(number is not None and abs(number) <= nearest for number in numbers) and _differs(
                pattern, value, len(records)
            ):
                return True
        return False


def _values(name: bytes, pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(rb'"%s": *+%s(?=[,}])' % (re.escape(name), pattern))


def _not_tiny(column: Column) -> bytes:
    kind = column.type.copy_type
    return rb"(?:null|-?\d++(?:\.(?!0{%d})\d++)?(?:[eE](?:\+?\d++|-%s))?)" % (_ZEROS[kind] - 1, _SMALL_EXPONENT[kind])


def _differs(pattern: re.Pattern[bytes], value: bytes, records: int) -> bool:
    """Whether not every record has a value of that pattern under the plain name of its column."""
    return sum(1 for _ in pattern.finditer(value)) != records
