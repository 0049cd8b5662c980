"""Keeps account of the records of a source that break its contract, with memory that doesn't grow with their number."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from batchstream.contract.allowance import Allowance
from batchstream.contract.elsewhere import Elsewhere
from batchstream.errors import SourceError

MAX_SHOWN_REJECTS = 10
"""In the message of the error."""

MAX_KEPT_REJECTS = 10_000
"""For the quarantine; those beyond it are counted only. A file of nothing but bad records must not fill a database."""

MAX_KEPT_REJECT_BYTES = 64 * 1024 * 1024
"""Of all their raw texts together, as a record may have megabytes."""


class BadRecord(NamedTuple):
    """A record of a source that breaks its contract.

    Attributes:
        record_id: 1-based number of the record in its source.
        line: 1-based number of the line with the fault.
        column: The column with the fault; None if the record as a whole has it.
        reason: Place in the line, rule and value.
        raw: The record's lines as they stand in the source, without the last line end.
        path: The file, of which a source may have several.
    """

    record_id: int
    line: int
    column: str | None
    reason: str
    raw: str
    path: Path | Elsewhere

    def sentence(self, source: Path | Elsewhere) -> str:
        """Line and reason, as a message shows them that names the source already."""
        where = "" if self.path == source else f"{self.path.name}: "
        return f"{where}line {self.line}{', ' if self.reason.startswith(('column ', 'byte ')) else ': '}{self.reason}"


Keep = Callable[[BadRecord], None]


class Rejects:
    """The bad records of one pass over a source.

    Args:
        path: The source.
        allowance: How many of them are allowed.
        keep: Is given the bad records, up to `MAX_KEPT_REJECTS` and `MAX_KEPT_REJECT_BYTES`.

    Attributes:
        count: Bad records so far.
        kept: How many of them were given to `keep`.
    """

    def __init__(self, path: Path | Elsewhere, allowance: Allowance, keep: Keep | None) -> None:
        self._path = path
        self._allowance = allowance
        self._keep = keep
        self._kept_bytes = 0
        self._shown: list[str] = []
        self.count = self.kept = 0

    @property
    def too_many(self) -> bool:
        """Whether the allowance is exceeded, whatever follows; of a share only the end can tell."""
        return self._allowance.percent is None and self.count > self._allowance.records

    def add(self, bad: BadRecord) -> None:
        """Count a bad record, and keep it."""
        self.count += 1
        if len(self._shown) < MAX_SHOWN_REJECTS:
            self._shown.append(bad.sentence(self._path))
        # Characters are at most four times as many bytes.
        self._kept_bytes += len(bad.raw)
        if self.kept < MAX_KEPT_REJECTS and self._kept_bytes <= MAX_KEPT_REJECT_BYTES:
            self.kept += 1
            if self._keep is not None:
                self._keep(bad)

    def check(self, records: int) -> None:
        """Compare their number with the allowance.

        Args:
            records: Records of the source, good and bad.

        Raises:
            SourceError: There are more than allowed; the first ten are shown.
        """
        if self.count <= self._allowance.of(records):
            return
        if self.count == 1:
            raise SourceError(f"{self._path}: {self._shown[0]}; mend the source")
        raise SourceError(
            f"{self._path}: {self.count:,} of {records:,} records break the contract, rejectedRecordsAllowed is "
            f"{self._allowance}; mend the source or the contract. {self._listed()}"
        )

    def before(self, fault: SourceError) -> SourceError:
        """A fault of the file as a whole, with what was found before it."""
        if not self.count:
            return fault
        return SourceError(f"{fault}. Before it, {self.count:,} records break the contract. {self._listed()}")

    def _listed(self) -> str:
        which = f"The first {len(self._shown)}" if self.count > len(self._shown) else "These are"
        return f"{which}:\n" + "\n".join(f"  {sentence}" for sentence in self._shown)
