"""Each format of a source is streamed: memory doesn't grow with the file."""

from pathlib import Path

import pytest

from benchmarks.formats import FORMATS, NUMBERS, read, write

SMALL, LARGE = 5_000, 20_000
MAX_GROWTH_BYTES = 8 * 2**20
"""Half of what 15,000 records take as Python objects. openpyxl keeps the different texts of a workbook, here 15,000, twice."""


@pytest.mark.nightly
def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    small, large = (write(tmp_path, records) for records in (SMALL, LARGE))
    growth = {name: read(large[name])[1] - read(small[name])[1] for name in (*FORMATS, NUMBERS)}
    assert [f"{name}: {found:,} bytes" for name, found in growth.items() if found > MAX_GROWTH_BYTES] == []
