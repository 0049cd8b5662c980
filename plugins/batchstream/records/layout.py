"""Where the columns of a contract stand in the records of a source: found by name in its header, in any order."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from batchstream.contract.model import Contract
from batchstream.records.shown import listed


class LayoutError(ValueError):
    """The names of a header are not those of the contract."""


class Layout(NamedTuple):
    """Which field of a record is whose.

    Attributes:
        width: Fields of a record.
        positions: Place of each column of the contract among them, 0-based.
        header: The line that names them, as the file has it; None if there is none.
    """

    width: int
    positions: tuple[int, ...]
    header: str | None = None

    @property
    def in_order(self) -> bool:
        """Whether a record has the contract's columns in their order, and nothing else."""
        return self.positions == tuple(range(self.width))


def layout_without_header(contract: Contract) -> Layout:
    """The contract's own order, for a source whose records nothing names."""
    return Layout(len(contract.columns), tuple(range(len(contract.columns))))


def layout_of(contract: Contract, header: Sequence[str]) -> Layout:
    """Find each column by what the source calls it.

    Raises:
        LayoutError: A column is missing, or its name stands twice; or there are other columns, which the contract doesn't
            say are to be ignored. A column that isn't found would be NULL without a word.
    """
    names = [column.source_name for column in contract.columns]
    if differences := list(_differences(header, names, others_ignored=contract.source.others_ignored)):
        raise LayoutError("; ".join(differences))
    places: dict[str, list[int]] = {}
    for place, name in enumerate(header):
        places.setdefault(name, []).append(place)
    # A name that stands twice in both means the columns in their order.
    return Layout(len(header), tuple(places[name].pop(0) for name in names))


def _differences(header: Sequence[str], names: list[str], *, others_ignored: bool) -> Iterator[str]:
    missing = [*(Counter(names) - Counter(header)).elements()]
    more = [*(Counter(header) - Counter(names)).elements()]
    unexpected = [name for name in more if name not in names]
    too_often = [name for name in more if name in names]
    if missing:
        yield f"missing {listed(missing)}"
    if unexpected and (missing or not others_ignored):
        yield f"unexpected {listed(unexpected)}"
    if too_often:
        yield f"too often {listed(too_often)}"
