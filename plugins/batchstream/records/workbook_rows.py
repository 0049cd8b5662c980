"""Reads a sheet of an Excel workbook (xlsx), by openpyxl: the only reader that tells an error in a cell from an empty cell."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from itertools import islice
from typing import IO, Any

from batchstream.contract.model import Column, Contract
from batchstream.errors import SourceError
from batchstream.records.codec import MAX_RECORDS_PER_BATCH
from batchstream.records.layout import Layout, LayoutError, layout_of, layout_without_header
from batchstream.records.row_lines import RowLines
from batchstream.records.shown import listed
from batchstream.records.taken import Row, Taken, UnreadableRow

_ERROR, _FORMULA = "e", "f"


class WorkbookRows:
    """Reads the records of a sheet; the lines that it names are the sheet's rows.

    Args:
        contract: Whose source it is.
        file: The open file.

    Attributes:
        layout: Which field of a record is whose.

    Raises:
        SourceError: It is no workbook, the sheet is missing or has other columns than the contract; or openpyxl isn't installed.
    """

    def __init__(self, contract: Contract, file: IO[bytes]) -> None:
        source = contract.source
        self.path = source.path
        try:
            import openpyxl
        except ImportError as error:
            raise SourceError(f"{self.path}: xlsx needs a package; pip install 'batchstream[excel]'") from error
        try:
            # The values that Excel has computed, and the formulas, of which a cell may have one without a value.
            books = [openpyxl.load_workbook(file, read_only=True, data_only=data_only) for data_only in (True, False)]
        except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
            raise SourceError(f"{self.path}: the file is no Excel workbook (xlsx), or cut off: {error}; write it anew") from error
        sheets = [_sheet(contract, book) for book in books]
        for sheet in sheets:
            # What it says of its size may be wrong, and it would be cut off there.
            sheet.reset_dimensions()
        self._found = zip(*(sheet.iter_rows() for sheet in sheets), strict=True)
        self._line = 1
        for _ in islice(self._found, source.skipped_lines):
            self._line += 1
        self.layout, names = self._layout(contract)
        self._names = names
        types = dict(zip(self.layout.positions, contract.columns, strict=True))
        self._columns: list[Column | None] = [types.get(place) for place in range(self.layout.width)]
        self._rows = self._records(source.footer_lines)

    def _layout(self, contract: Contract) -> tuple[Layout, list[str]]:
        if not contract.source.has_header:
            return layout_without_header(contract), [column.source_name for column in contract.columns]
        cells, _ = next(self._found, ((), ()))
        self._line += 1
        names = ["" if cell.value is None else str(cell.value).strip() for cell in cells]
        while names and not names[-1]:
            names.pop()
        try:
            return layout_of(contract, names), names
        except LayoutError as error:
            where = f"row {self._line - 1}"
            raise SourceError(f"{self.path}: {where}: the header is not the contract's: {error}; mend one of the two") from error

    def take(self) -> Taken:
        """The next records; none at the end."""
        numbered = list(islice(self._rows, MAX_RECORDS_PER_BATCH))
        rows = [row for _, row in numbered]
        line = numbered[0][0] if numbered else self._line
        numbers = [number for number, _ in numbered]
        return Taken(0, rows, [1] * len(rows), line, RowLines(self._names, rows), None, numbers=numbers)

    def _records(self, footer_rows: int) -> Iterator[tuple[int, Row]]:
        """Number and fields of each row, but for blank ones at the end."""
        waiting: list[tuple[int, Row]] = []
        for cells, formulas in self._found:
            row = self._row(cells, formulas)
            waiting.append((self._line, row if any(row) or isinstance(row, UnreadableRow) else Row()))
            self._line += 1
            written = [place for place, (_, one) in enumerate(waiting) if one]
            if len(written) > footer_rows:
                ready = written[len(written) - footer_rows - 1] + 1
                yield from waiting[:ready]
                del waiting[:ready]

    def _row(self, cells: Any, formulas: Any) -> Row:
        row = []
        for place, (cell, formula) in enumerate(zip(cells, formulas, strict=True)):
            if cell.data_type == _ERROR:
                return UnreadableRow(f"cell {cell.coordinate} is the error {cell.value}; mend the workbook")
            if cell.value is None and formula.data_type == _FORMULA:
                return UnreadableRow(f"cell {formula.coordinate} has a formula without a value; save the workbook in Excel")
            row.append(_text(cell.value, self._columns[place] if place < len(self._columns) else None))
        row += [""] * (len(self._columns) - len(row))
        while len(row) > len(self._columns) and not row[-1]:
            row.pop()
        return row


def _sheet(contract: Contract, book: Any) -> Any:
    wanted, names = contract.source.sheet, list(book.sheetnames)
    if wanted is None and len(names) == 1:
        return book.worksheets[0]
    if wanted is None or wanted not in names or wanted not in [sheet.title for sheet in book.worksheets]:
        what = f"there is no sheet '{wanted}'" if wanted else f"there are {len(names)} sheets"
        raise SourceError(f"{contract.source.path}: {what}; write one of {listed(names)} as sourceSheet")
    return book[wanted]


def _text(value: Any, column: Column | None) -> str:
    """A cell as a field of text: Excel has one type for numbers, and one for dates and timestamps."""
    kind = column.type.python if column else str
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime):
        return value.date().isoformat() if kind is date and value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return f"{value.isoformat()} 00:00:00" if kind is datetime else value.isoformat()
    return value.isoformat() if isinstance(value, time) else str(value)
