"""Leaves the footer of a source out: its last lines, which are no records."""

from collections.abc import Iterable, Iterator


def without_footer(chunks: Iterable[list[bytes]], lines: int) -> Iterator[list[bytes]]:
    """The same chunks but for the last lines; blank ones are left out with them and not counted.

    Args:
        chunks: The lines, some at a time.
        lines: How many are the footer.
    """
    held: list[bytes] = []
    for chunk in chunks:
        held += chunk
        # Those that may be the footer: the shortest end that holds so many lines.
        keep, written = len(held), 0
        while keep and written < lines:
            keep -= 1
            written += bool(held[keep].strip())
        if keep:
            yield held[:keep]
            held = held[keep:]
