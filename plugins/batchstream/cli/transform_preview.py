"""``batchstream transform preview``: what Spark computes of the first records of a source, without a load."""

from collections.abc import Callable, Sequence

from rich.markup import escape
from rich.table import Table

from batchstream.contract import Contract
from batchstream.contract.folder import contract_of
from batchstream.errors import ContractError
from batchstream.local.console import out, say
from batchstream.local.installation import Installation
from batchstream.records.computed import ComputedCodec
from batchstream.records.damaged_json import array_elements, object_pairs, storable
from batchstream.records.messages import Computed
from batchstream.records.rejects import BadRecord
from batchstream.records.shown import shorten
from batchstream.records.source_reader import SourceReader

RECORDS = 10
"""As many are shown."""

Compute = Callable[[Contract, Sequence[bytes]], Sequence[Computed]]


def preview(dataset: str) -> int:
    """Show what goes in and what comes out."""
    # Only here: it imports Spark.
    from batchstream.spark.local_session import compute_here

    contract = contract_of(dataset)
    environment = Installation().environment()
    show(contract, lambda of, elements: compute_here(environment, of, elements))
    return 0


def show(contract: Contract, compute: Compute) -> None:
    """Print inputs and results of the first records.

    Args:
        contract: One with something to compute.
        compute: Has Spark do it.

    Raises:
        ContractError: The contract has nothing to compute.
        SourceError: The source can't be read.
        LoadError: Spark refuses an expression.
    """
    transform = contract.transform
    if transform is None:
        raise ContractError(
            f"{contract.path}: has nothing for Spark to compute; write transformLogic under a column, or recordFilter"
        )
    bad: list[BadRecord] = []
    first = next(iter(SourceReader(contract.incoming, bad.append)), None)
    for one in bad[:RECORDS]:
        say(f"record {one.record_id}, line {one.line}, is rejected before: {one.reason}")
    if first is None:
        say("the source has no good record")
        return
    elements = array_elements(first.value)[:RECORDS]
    say(f"starting Spark, which computes {len(elements)} records of {contract.name} …")
    decoded = ComputedCodec(contract).decode(b"[" + b",".join(elements) + b"]", compute(contract, elements), 1)
    landed = {record[-1]: record for record in decoded.records}
    refused = {fault.position: fault.reason for fault in decoded.rejected}
    names = [column.name for column in contract.columns]
    places = {name: names.index(name) for name in names if name in transform.expressions}
    table = Table(*map(escape, ("record", *transform.read, *places, "")))
    for position, element in enumerate(elements):
        given = dict(object_pairs(element))
        record = landed.get(position + 1)
        note = refused.get(position, "" if record else "filtered out")
        inputs = (storable(given.get(name, b"")) for name in transform.read)
        results = ("" if record is None else str(record[place]) for place in places.values())
        number = first.first_record_id + position
        table.add_row(str(number), *(escape(shorten(cell)) for cell in (*inputs, *results)), escape(note))
    out.print(table)
