"""What a contract has Spark compute of each record: columns that are derived, and the filter."""

from collections.abc import Collection, Mapping, Sequence

from open_data_contract_standard.model import SchemaProperty

from batchstream.contract.expressions import meant, names_in
from batchstream.contract.mistake import Place
from batchstream.contract.mistakes import Mistakes
from batchstream.contract.model import Column, Transform

MAX_SPARK_DIGITS = 38
"""Of Spark's decimals."""

FILTER_SETTING = "recordFilter"
PROPERTIES: Place = ("schema", 0, "properties")


def is_derived(prop: SchemaProperty) -> bool:
    """Whether a property has an expression over the source's columns.

    With ``transformSourceObjects`` it tells where somebody else's system has the value from, and the source holds it.
    """
    return bool(prop.transformLogic) and not prop.transformSourceObjects


def read_transform(
    inputs: Sequence[Column],
    derived: Mapping[Place, tuple[Column, str]],
    record_filter: tuple[Place, str] | None,
    mistakes: Mistakes,
) -> Transform | None:
    """What is computed of each record; None if the contract asks for nothing.

    Args:
        inputs: The columns of the source, in its order; without those that have a mistake.
        derived: Place in the document → column, and its expression.
        record_filter: Place, and which records are kept; None for all.
        mistakes: Takes what is wrong.
    """
    if not derived and record_filter is None and all(column.stored for column in inputs):
        return None
    expressions = [
        ((*place, "transformLogic"), f"column '{column.name}': transformLogic", text) for place, (column, text) in derived.items()
    ]
    if record_filter is not None:
        expressions.append((record_filter[0], f"customProperties: {FILTER_SETTING}", record_filter[1]))
    columns = {column.name: column for column in inputs}
    # A column with a mistake would be told a second time, as one that is not there.
    has_all = not mistakes.any_below(PROPERTIES)
    read: set[str] = set()
    for place, field, text in expressions:
        with mistakes.at(*place, field=field):
            names = names_in(text)
            read |= _inputs(names, columns) if has_all else set()
    return Transform(
        inputs=tuple(inputs),
        expressions={column.name: text for column, text in derived.values()},
        record_filter=None if record_filter is None else record_filter[1],
        read=tuple(name for name in columns if name in read),
    )


def _inputs(names: Collection[str], columns: Mapping[str, Column]) -> set[str]:
    found = {meant(name, columns) for name in names}
    for name in sorted(found):
        column_type = columns[name].type
        if column_type.copy_type == "numeric" and not 1 <= (column_type.precision or 0) <= MAX_SPARK_DIGITS:
            raise ValueError(
                f"reads '{name}', which is {column_type.sql}, and a decimal of Spark has at most {MAX_SPARK_DIGITS} digits; give "
                f"'{name}' the physicalType numeric(p,s), with p of at most {MAX_SPARK_DIGITS}"
            )
    return found
