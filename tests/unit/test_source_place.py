"""Where a source may lie, what kind of file it is, and what happens if it changes while it is read."""

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract
from batchstream.errors import SourceChangedError, SourceError, TerminalError
from batchstream.records import source_file, watched_file
from batchstream.records.place import DATA_ROOTS_VARIABLE
from batchstream.records.source_reader import SourceReader, check_header
from tests.unit.building import make_contract, write_source

TEXT: dict[str, Any] = {"name": "t", "physicalType": "text", "required": True}
SECRET = b"root:x:0:0:the secret\n"


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    found = make_contract(tmp_path / "project", [TEXT])
    write_source(found, b"t\n" + b"x\n" * 250)
    return found


def refused(contract: Contract) -> str:
    """What both ways of reading say."""
    said = []
    for read in (check_header, lambda contract: list(SourceReader(contract))):
        with pytest.raises(SourceError) as caught:
            read(contract)
        said.append(str(caught.value))
    assert said[0] == said[1]
    return said[0]


def at(tmp_path: Path, source: str) -> Contract:
    return make_contract(tmp_path / "project", [TEXT], sourcePath=source)


def outside(folder: Path) -> Path:
    path = folder / "outside" / "passwd"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(SECRET)
    return path


@pytest.mark.parametrize("how", ["absolute", "parent", "symlink", "folder symlink", "missing"])
def test_a_source_outside_of_the_project_is_refused_and_nothing_of_it_shown(how: str, contract: Contract, tmp_path: Path) -> None:
    path, data = outside(tmp_path), contract.source.path.parent
    names = {
        "absolute": str(path),
        "parent": "data/../../outside/passwd",
        "symlink": "data/link",
        "folder symlink": "data/folder/passwd",
        "missing": "/nowhere/at/all",
    }
    (data / "link").symlink_to(path)
    (data / "folder").symlink_to(path.parent)
    said = refused(at(tmp_path, names[how]))
    assert f"sourcePath leads out of {tmp_path / 'project'}; move the source there, or name its folder in" in said
    assert "secret" not in said


@pytest.mark.parametrize("name", [".env", "data/.hidden/x.csv", ".batchstream/secrets/kafka_user", "secrets/postgres_password"])
def test_a_secret_of_the_project_is_no_source(name: str, contract: Contract, tmp_path: Path) -> None:
    path = contract.source.root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(SECRET)
    said = refused(at(tmp_path, name))
    assert "sourcePath leads to a hidden file or a secret" in said
    assert "root:x" not in said


def test_an_administrator_may_name_other_folders(contract: Contract, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = outside(tmp_path)
    path.write_bytes(b"t\nx\n")
    found = at(tmp_path, str(path))
    refused(found)
    monkeypatch.setenv(DATA_ROOTS_VARIABLE, os.pathsep.join(["/nowhere", str(path.parent)]))
    assert len(list(SourceReader(found))) == 1
    monkeypatch.setenv(DATA_ROOTS_VARIABLE, f"{path.parent}-2")
    refused(found)


@pytest.mark.parametrize("target", ["data/x.csv", "../project/data/x.csv"])
def test_a_link_inside_of_the_project_is_followed(target: str, contract: Contract, tmp_path: Path) -> None:
    (contract.source.root / "link.csv").symlink_to(contract.source.root / target)
    assert len(list(SourceReader(at(tmp_path, "link.csv")))) == 3


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "the source is a named pipe; write the path of a regular file"),
        (os.mkdir, "sourcePath is a folder without files; write one that does"),
        (lambda path: path.symlink_to(path), "the source can't be read: "),
        (lambda path: None, "the source can't be read: No such file or directory; mend sourcePath"),
    ],
    ids=["pipe", "folder", "link to itself", "nothing"],
)
def test_what_is_no_regular_file_is_refused_at_once(make: Callable[[Path], None], said: str, contract: Contract) -> None:
    contract.source.path.unlink()
    make(contract.source.path)
    assert said in refused(contract)


@pytest.mark.parametrize(("device", "said"), [("zero", "is a device"), ("null", "is a device")])
def test_a_device_is_refused(device: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DATA_ROOTS_VARIABLE, "/dev")
    assert said in refused(at(tmp_path, f"/dev/{device}"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        pytest.param("t\nx\n".encode("utf-16"), "is UTF-16, and not csv in UTF-8; write sourceEncoding: utf-16", id="UTF-16"),
        pytest.param(b"\xfe\xff" + "t\nx\n".encode("utf-16-be"), "is UTF-16, and not", id="UTF-16, big end first"),
        pytest.param("t\nx\n".encode("utf-16-le"), "is UTF-16 without a byte order mark", id="UTF-16 without a mark"),
        pytest.param("t\nx\n".encode("utf-32"), "is UTF-32, and not", id="UTF-32"),
        pytest.param(b"PAR1\x15\x04", "is Parquet, and not csv in UTF-8; write sourceFormat: parquet", id="Parquet"),
        pytest.param(
            b"<!DOCTYPE html>\n<html>", "is a web page, and not csv in UTF-8; download the file itself", id="a web page"
        ),
        pytest.param(b'[{"t": "x"}]\n', "is JSON, and not csv", id="JSON"),
        pytest.param(b"\x04\x22\x4d\x18d@\xa7", "is packed by lz4, and not csv in UTF-8; unpack it", id="lz4"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\noid x\n", "is a pointer of Git LFS", id="Git LFS"),
    ],
)
def test_another_kind_of_file_is_called_what_it_is(content: bytes, said: str, contract: Contract) -> None:
    write_source(contract, content)
    assert f"{contract.source.path}: the file {said}" in refused(contract)


@pytest.mark.parametrize(
    ("content", "settings", "hint"),
    [
        (b"a;b\n1;2\n", {}, "its fields are separated otherwise: write sourceDelimiter: ';'; or mend"),
        (b"a\tb\n1\t2\n", {}, 'write sourceDelimiter: "\\t"; or mend'),
        (b"a,b\n1,2\n", {"sourceDelimiter": ";"}, "write sourceDelimiter: ','; or mend"),
        (b"a   b\n1 2\n", {}, "write sourceFormat: whitespace; or mend"),
        (b"a,b\n1,2\n", {"sourceFormat": "whitespace"}, "write sourceFormat: csv and sourceDelimiter: ','; or mend"),
    ],
)
def test_another_delimiter_is_guessed_in_the_message(content: bytes, settings: dict[str, str], hint: str, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT | {"name": name} for name in "ab"], **settings)
    write_source(contract, content)
    assert hint in refused(contract)


@pytest.mark.parametrize("content", [b"t\nx\ny", b"t\nx\ny\r", b"t"])
def test_a_last_line_needs_its_end(content: bytes, contract: Contract) -> None:
    write_source(contract, content)
    assert "the last line has no line end, so the file may be cut off; end it with a line break" in refused(contract)
    os.utime(contract.source.path)
    for read in (check_header, lambda contract: list(SourceReader(contract))):
        with pytest.raises(SourceChangedError, match="the file may be cut off, or still being written"):
            read(contract)
    assert not issubclass(SourceChangedError, TerminalError)


def test_a_last_line_may_be_allowed_to_have_no_end(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [TEXT], sourceFinalNewline="optional")
    write_source(contract, b"t\nx\ny")
    assert next(iter(SourceReader(contract))).value == b'[{"t":"x"},{"t":"y"}]'


def replaced(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    os.utime(other, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
    other.rename(path)


def rewritten(path: Path) -> None:
    """The same number of bytes at the same time: what is left is the content."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(4)
        file.write(b"y")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES: dict[str, Callable[[Path], object]] = {
    "appended": lambda path: os.truncate(path, path.stat().st_size + 1),
    "truncated": lambda path: os.truncate(path, 10),
    "written anew": lambda path: path.write_bytes(b"t\n"),
    "touched": os.utime,
    "replaced": replaced,
    "gone": os.unlink,
    "rewritten": rewritten,
}


@pytest.mark.parametrize("size", [250, 300_000], ids=["small", "large"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_source_that_changes_while_it_is_read_is_told(change: str, size: int, contract: Contract) -> None:
    write_source(contract, b"t\n" + b"x\n" * size)
    reader = iter(SourceReader(contract))
    next(reader)
    CHANGES[change](contract.source.path)
    with pytest.raises(
        SourceChangedError, match=r"the source (changed|was replaced by another file|went away) while it was read"
    ):
        list(reader)


@pytest.mark.parametrize("change", CHANGES)
def test_so_is_one_that_is_too_large_for_a_second_look(change: str, contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watched_file, "MAX_BYTES_OF_SECOND_LOOK", 1000)
    test_a_source_that_changes_while_it_is_read_is_told(change, 300_000, contract)


@pytest.mark.parametrize("rest", [b"", b'"open\n', b"\xff\n" * 50], ids=["good", "never closed", "bad records"])
def test_faults_of_a_source_that_changes_are_not_its_own(rest: bytes, contract: Contract) -> None:
    # More than what is read at once.
    write_source(contract, b"t\n" + b"x\n" * 300_000)
    reader = iter(SourceReader(contract))
    next(reader)
    contract.source.path.write_bytes(b"t\n" + b"y\n" * 250_000 + rest)
    with pytest.raises(SourceChangedError):
        list(reader)


def test_a_line_has_a_limit(contract: Contract) -> None:
    with contract.source.path.open("wb") as file:
        file.write(b"t\n" + b"x\n" * 7)
        # A hole, which takes no room on the disk.
        file.seek(2 * 1024**3)
        file.write(b"\n")
    os.utime(contract.source.path, (0, 0))
    begun = time.monotonic()
    with pytest.raises(SourceError, match=r"line 9: the line has more than 16,777,216 bytes; end each record with a line end"):
        list(SourceReader(contract))
    assert time.monotonic() - begun < 10


def test_long_lines_are_read_in_pieces_of_bounded_size(contract: Contract, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_file, "_MAX_CHUNK_BYTES", 300_000)
    write_source(contract, b"t\n" + (b"x" * 100_000 + b"\n") * 30)
    with source_file.opened(contract.source) as file:
        file.read_line()
        sizes = [sum(map(len, lines)) for lines in file.chunks()]
    assert sum(sizes) == 30 * 100_001
    assert max(sizes) < 1_000_000
    assert sum(batch.value.count(b"{") for batch in SourceReader(contract)) == 30


def test_a_source_of_another_project_is_read_by_its_own_root(contract: Contract, tmp_path: Path) -> None:
    moved = replace(contract, source=replace(contract.source, root=tmp_path / "other"))
    assert "leads out of" in refused(moved)
