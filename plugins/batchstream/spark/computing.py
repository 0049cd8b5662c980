"""Records to what the contract derives of them: expressions of the contract, evaluated by Spark in ANSI mode."""

from collections.abc import Mapping
from typing import cast

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column as Expression
from pyspark.sql import DataFrame, SparkSession, functions, types

from batchstream.contract.model import Column, Contract
from batchstream.contract.transforms import FILTER_SETTING
from batchstream.errors import LoadError
from batchstream.spark.column_types import fits, spark_type, to_message
from batchstream.spark.decoding import COMPUTED
from batchstream.spark.spark_errors import reason

ANSI = "spark.sql.ansi.enabled"
SETTINGS = {
    ANSI: "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.caseSensitive": "false",
    # A row may have a message of half a MiB, and a batch ten thousand rows.
    "spark.sql.execution.arrow.maxBytesPerBatch": str(16 * 1024 * 1024),
}
"""What an expression means depends on them, whatever the cluster's defaults are; and what a task holds at a time."""

_JSON = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


Types = Mapping[str, types.DataType]
"""Derived column → what its expression gives."""


def compute(contract: Contract, found: Types, records: DataFrame) -> DataFrame:
    """The same rows, with the derived columns of each as a JSON object; NULL where the filter leaves the record out.

    Args:
        contract: One with a transform.
        found: What `check` has found for it.
        records: As `decode` gives them.
    """
    transform = contract.required_transform
    derived = [
        to_message(column, functions.expr(transform.expressions[column.name]), found[column.name]).alias(column.name)
        for column in contract.derived.columns
    ]
    computed: Expression = functions.to_json(functions.struct(*derived), _JSON) if derived else functions.lit("{}")
    if transform.record_filter is not None:
        # Nothing is computed of a record that is left out: the filter may be what keeps a divisor from being zero.
        computed = functions.when(functions.expr(transform.record_filter), computed)
    return records.withColumn(COMPUTED, computed)


def check(contract: Contract, spark: SparkSession) -> Types:
    """What each expression gives.

    Raises:
        LoadError: Spark refuses an expression, or it gives another type than the contract has.
    """
    transform = contract.required_transform
    nothing = spark.range(0).select(
        "id",
        *(
            functions.lit(None).cast(spark_type(column)).alias(column.name)
            for column in transform.inputs
            if column.name in transform.read
        ),
    )
    if transform.record_filter is not None:
        where = f"{contract.path}: customProperties: {FILTER_SETTING}"
        kind = _type(nothing, transform.record_filter, where)
        if not isinstance(kind, types.BooleanType | types.NullType):
            raise LoadError(
                f"{where}: {transform.record_filter!r} gives {kind.simpleString()}, and not true or false; write a condition"
            )
    return {
        column.name: _fitting(
            nothing, transform.expressions[column.name], column, f"{contract.path}: column '{column.name}': transformLogic"
        )
        for column in contract.derived.columns
    }


def _fitting(nothing: DataFrame, expression: str, column: Column, where: str) -> types.DataType:
    found = _type(nothing, expression, where)
    if not fits(column, found):
        raise LoadError(
            f"{where}: {expression!r} gives {found.simpleString()}, and the column is {column.type.sql}; write "
            f"cast({expression} as {spark_type(column).simpleString()}), or another physicalType"
        )
    return found


def _type(nothing: DataFrame, expression: str, where: str) -> types.DataType:
    try:
        # Within a struct nothing can stand but one value of each record.
        found = nothing.select("*", functions.struct(functions.expr(expression)).alias(COMPUTED)).schema[COMPUTED].dataType
    except (AnalysisException, ParseException) as error:
        raise LoadError(f"{where}: {expression!r}: {reason(error)}; mend the expression") from error
    return cast(types.StructType, found).fields[0].dataType
