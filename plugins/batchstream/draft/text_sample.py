"""Looks at a text file: its encoding, its dialect, and a sample of its records, which is all of them if it isn't large."""

import codecs
import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from batchstream.contract.source import Source
from batchstream.draft.dialect import Dialect, find_dialect
from batchstream.errors import SourceError
from batchstream.records.carriage_returns import ends_lines_with_cr
from batchstream.records.rows import RowReader
from batchstream.records.source_file import opened
from batchstream.records.taken import Row
from batchstream.records.unpacked import unpacked

HEAD_BYTES = 1024 * 1024
"""By which the dialect is found."""

MAX_BYTES_READ_WHOLE = 16 * 1024 * 1024
"""Of a larger file the first part is read, and places all over the rest."""

_PLACES, _BYTES_OF_PLACE = 64, 64 * 1024
_MAX_BYTES_DECODED = 1024 * 1024 * 1024
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def find_encoding(path: Path) -> str:
    """UTF-8 if every byte agrees, otherwise what a mark at the beginning says, or the likeliest one of a single byte."""
    with path.open("rb") as file:
        content = unpacked(file) or file
        decoder = codecs.getincrementaldecoder("utf-8")()
        head = content.read(HEAD_BYTES)
        for mark, encoding in _MARKS.items():
            if head.startswith(mark):
                return encoding
        if b"\0" in head[:100]:
            return "utf-16-le" if head[1:2] == b"\0" else "utf-16-be"
        read, block = 0, head
        try:
            while block and read < _MAX_BYTES_DECODED:
                decoder.decode(block)
                read += len(block)
                block = content.read(HEAD_BYTES)
        except UnicodeDecodeError:
            return _single_byte(head + block)
    return "utf-8"


def _single_byte(sample: bytes) -> str:
    try:
        sample.decode("cp1252")
    except UnicodeDecodeError:
        return "latin-1"
    return "cp1252"


def dialect_of(path: Path, encoding: str) -> Dialect:
    """The dialect of a text, by its first lines.

    Raises:
        SourceError: It has none.
    """
    with path.open("rb") as file:
        content = unpacked(file) or file
        head = content.read(HEAD_BYTES)
        is_whole = not content.read(1)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(head).removeprefix("\ufeff")
    if ends_lines_with_cr(text.encode()):
        text = text.replace("\r", "\n")
    lines = text.split("\n")
    # The last one may be cut, or is empty.
    whole = [f"{line}\n" for line in lines[:-1]] + ([lines[-1]] if is_whole and lines[-1] else [])
    if not any(line.strip() for line in whole):
        raise SourceError(f"{path}: the file has no lines; write at least a header and a record")
    return find_dialect(whole)


def rows_of(source: Source, width: int) -> Iterator[list[Row]]:
    """Records of a text behind its header, some at a time; of a large one not all."""
    with opened(source) as file:
        for _ in range(source.skipped_lines):
            file.read_line()
        if source.has_header:
            line = file.read_line()
            while source.comment and line.startswith(source.comment.encode()):
                line = file.read_line()
        read = 0

        def counted() -> Iterator[list[bytes]]:
            nonlocal read
            for lines in file.chunks():
                read += sum(map(len, lines))
                yield lines
                if read > MAX_BYTES_READ_WHOLE:
                    return

        yield from _taken(RowReader(source, counted(), 1), width)
    size = source.file.stat().st_size
    if size > MAX_BYTES_READ_WHOLE and source.encoding == "utf-8":
        with source.file.open("rb") as raw:
            if unpacked(raw) is None:
                for lines in _places(raw, size):
                    yield from _taken(RowReader(source, [lines], 1), width)


def _taken(reader: RowReader, width: int) -> Iterator[list[Row]]:
    while True:
        taken = reader.take()
        yield [row for row in taken.rows if len(row) == width]
        if taken.fault is not None or not taken.rows:
            return


def _places(raw: IO[bytes], size: int) -> Iterator[list[bytes]]:
    for number in range(1, _PLACES + 1):
        raw.seek(size * number // (_PLACES + 1), os.SEEK_SET)
        # Behind the end of the line that is cut here.
        raw.readline(_BYTES_OF_PLACE)
        block = raw.read(_BYTES_OF_PLACE)
        yield list(itertools.islice(block.splitlines(keepends=True), 0, max(0, block.count(b"\n"))))


def text_settings(path: Path) -> tuple[dict[str, Any], Dialect]:
    """The settings of a contract for a text, and its dialect."""
    encoding = find_encoding(path)
    dialect = dialect_of(path, encoding)
    settings = dict(dialect.settings)
    if encoding != "utf-8":
        settings["sourceEncoding"] = encoding
    return settings, dialect
