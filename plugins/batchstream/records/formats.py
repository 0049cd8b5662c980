"""Reads an open source by its format."""

from batchstream.contract.model import Contract
from batchstream.contract.source import SourceFormat
from batchstream.records.json_rows import json_rows
from batchstream.records.layout import Layout, layout_without_header
from batchstream.records.parquet_rows import ParquetRows
from batchstream.records.source_file import SourceFile
from batchstream.records.taken import Rows
from batchstream.records.workbook_rows import WorkbookRows


def typed_rows(contract: Contract, file: SourceFile) -> tuple[Layout, Rows] | None:
    """Where the columns stand in the records, and their reader; None for formats whose records are lines of fields.

    Raises:
        SourceError: It isn't of its format, or has other columns than the contract.
    """
    kind = contract.source.format
    if kind is SourceFormat.JSON:
        return layout_without_header(contract), json_rows(contract, file)
    if kind is SourceFormat.PARQUET:
        return layout_without_header(contract), ParquetRows(contract, file.binary)
    if kind is SourceFormat.XLSX:
        rows = WorkbookRows(contract, file.binary)
        return rows.layout, rows
    return None
