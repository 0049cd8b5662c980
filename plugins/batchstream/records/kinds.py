"""Knows files of other kinds by their first bytes, to say what a source is that is no text of fields."""

_KINDS = {
    b"7z\xbc\xaf\x27\x1c": ("is a 7z archive", "unpack it"),
    b"Rar!": ("is a RAR archive", "unpack it"),
    b"\x04\x22\x4d\x18": ("is packed by lz4", "unpack it, or pack it by gzip"),
    b"\x1f\x9d": ("is packed by compress", "unpack it, or pack it by gzip"),
    b"PAR1": ("is Parquet", "write sourceFormat: parquet"),
    b"ORC": ("is ORC", "write it as CSV"),
    b"Obj\x01": ("is Avro", "write it as CSV"),
    b"ARROW1": ("is Arrow", "write it as CSV"),
    b"SQLite format 3\0": ("is an SQLite database", "write a table of it as CSV"),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("is an Excel workbook (xls)", "save the sheet as CSV UTF-8"),
    b"%PDF": ("is PDF", "write its table as CSV"),
    b"\xff\xfe\0\0": ("is UTF-32", "write sourceEncoding: utf-32"),
    b"\0\0\xfe\xff": ("is UTF-32", "write sourceEncoding: utf-32"),
    b"\xff\xfe": ("is UTF-16", "write sourceEncoding: utf-16"),
    b"\xfe\xff": ("is UTF-16", "write sourceEncoding: utf-16"),
    b"version https://git-lfs": ("is a pointer of Git LFS", "fetch the file itself: git lfs pull"),
    b"<!doctype html": ("is a web page", "download the file itself"),
    b"<html": ("is a web page", "download the file itself"),
    b"<?xml": ("is XML", "write it as CSV"),
    b"[": ("is JSON", "write sourceFormat: json"),
    b"{": ("is JSON", "write sourceFormat: json"),
}


def kind_of(line: bytes) -> tuple[str, str] | None:
    """What the file is that begins with `line`, and what to do; None if it isn't one of the known kinds."""
    if b"ustar" in line[257:263]:
        return "is a tar archive", "unpack it: tar -xf FILE"
    if b"\0" in line[:2] and line[:4] not in _KINDS:
        return "is UTF-16 without a byte order mark, or no text", "write sourceEncoding: utf-16-le, or utf-16-be"
    begin = line[:64].lstrip().lower()
    for magic, found in _KINDS.items():
        if line.startswith(magic) or (magic[:1] in b"<[{" and begin.startswith(magic)):
            return found
    return None
