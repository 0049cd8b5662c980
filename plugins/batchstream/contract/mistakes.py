"""All mistakes of a contract, and all that has no effect: reading goes on after each, so that one look shows everything."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from batchstream.contract.document import Document
from batchstream.contract.mistake import MistakeError, Place, clipped, said
from batchstream.contract.told import Told
from batchstream.errors import ContractError

MAX_SHOWN = 100
"""More of them have one cause, and nobody reads them."""

T = TypeVar("T")


class Mistakes:
    """Notes mistakes, and what is worth to be told, by the place in the document."""

    def __init__(self) -> None:
        self._found: dict[tuple[Place, str], None] = {}
        self._unreadable: set[Place] = set()
        # Each place with a mistake, and all above it.
        self._touched: set[Place] = set()
        self._told: dict[tuple[Place, str], None] = {}

    def note(self, at: Place, message: str, *, unreadable: bool = False) -> None:
        """Add a mistake.

        Args:
            at: The place of the field.
            message: Field, rule, what was found, what to write.
            unreadable: Whether the value was left out, so that what is said of its place from now on is no mistake of the file.
        """
        if any(at[:length] in self._unreadable for length in range(1, len(at) + 1)):
            return
        self._found[at, clipped(message)] = None
        self._touched.update(at[:length] for length in range(len(at) + 1))
        if unreadable:
            self._unreadable.add(at)

    def tell(self, at: Place, message: str) -> None:
        """Note what is no mistake, but may surprise: a field without effect here, or a default."""
        self._told[at, clipped(message)] = None

    def told(self, document: Document) -> tuple[str, ...]:
        """What was noted by `tell`, in the order of the lines."""
        located = sorted((document.line_of(at), message) for at, message in self._told)
        return tuple(f"line {line}: {_of_table(message, document.table)}" for line, message in located)

    def any_below(self, place: Place) -> bool:
        """Whether something at a place, or within it, has a mistake already, of which a further one might be a consequence."""
        return place in self._touched

    @contextmanager
    def at(self, *place: str | int, field: str = "") -> Iterator[None]:
        """Note what the block refuses, and go on after it.

        Args:
            place: Where it stands, unless the mistake knows better.
            field: What the message calls it, if the mistake doesn't.
        """
        try:
            yield
        except ValueError as error:
            self._note_error(error, place, field)

    def read(self, read: Callable[[], T], *place: str | int, field: str = "") -> T | None:
        """What `read` returns; None, and a mistake that is noted as by `at`, if it raises a ValueError."""
        try:
            return read()
        except ValueError as error:
            self._note_error(error, place, field)
            return None

    def _note_error(self, error: ValueError, place: Place, field: str) -> None:
        if isinstance(error, MistakeError):
            self.note(error.at or place, str(error))
        else:
            self.note(place, f"{field}: {error}" if field else str(error))

    def raise_any(self, path: Path, document: Document) -> None:
        """Raise all that were noted, in the order of their lines.

        Raises:
            ContractError: There is one.
        """
        located = sorted(((document.line_of(at), message, at) for at, message in self._found), key=lambda one: one[:2])
        told = [
            Told(path, _of_table(message, document.table), line, said(document.written(at)), document.found_at(at))
            for line, message, at in located[:MAX_SHOWN]
        ]
        if (hidden := len(located) - MAX_SHOWN) > 0:
            told.append(Told(path, f"has {hidden:,} more mistakes; mend the first ones to see them"))
        if told:
            raise ContractError(*told)


def _of_table(message: str, number: int) -> str:
    """A message about the only table that was left of several, with the number that it has in the file."""
    return f"schema[{number}]{message.removeprefix('schema[0]')}" if message.startswith("schema[0]") else message
