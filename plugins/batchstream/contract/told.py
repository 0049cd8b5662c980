"""A mistake as it is told: a sentence for people, and its parts for editors and CI."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Told(str):
    """The sentence: file, line, field, rule, what was found, what to write.

    Args:
        path: The contract.
        message: The sentence without file and line.
        line: Where the field stands, 1-based; None for what is said of the file as a whole.
        field: Where that is in the document, such as ``schema[0].properties[2].physicalType``.
        found: The value that stands there; None if there is none.
    """

    line: int | None
    field: str | None
    found: Any
    path: Path
    _message: str

    def __new__(cls, path: Path, message: str, line: int | None = None, field: str | None = None, found: Any = None) -> "Told":
        """Put the sentence together."""
        made = super().__new__(cls, f"{path}: {message}" if line is None else f"{path}: line {line}: {message}")
        made.line, made.field, made.found = line, field, found
        made.path, made._message = path, message
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        return Told, (self.path, self._message, self.line, self.field, self.found)

    def parts(self) -> dict[str, Any]:
        """The parts as values of JSON; ``rule`` and ``write`` together are the message."""
        rule, write = _split(self._message, self.found)
        return {
            "path": str(self.path),
            "line": self.line,
            "field": self.field,
            "rule": rule,
            "found": self.found,
            "write": write,
            "message": str(self),
        }


def _split(message: str, found: Any) -> tuple[str, str | None]:
    """What is wrong, and what to write: behind the semicolon after what was found, which may have semicolons of its own."""
    masked = message
    for text in sorted(map(repr, _single(found)), key=len, reverse=True):
        masked = masked.replace(text, "_" * len(text))
    cut = masked.find("; ", max(0, masked.find("got ")))
    return (message, None) if cut < 0 else (message[:cut], message[cut + 2 :])


def _single(value: Any) -> Iterator[Any]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _single(one)
    else:
        yield value
