"""What expressions see of a column, and what they have to give for one: PostgreSQL's types in Spark's words.

Types that Spark doesn't have (uuid, time, interval, inet, JSON, arrays …) are texts there, spelled as in messages.
"""

from pyspark.sql import Column as Expression
from pyspark.sql import functions, types

from batchstream.contract.model import Column
from batchstream.contract.transforms import MAX_SPARK_DIGITS

_SIMPLE: dict[str, types.DataType] = {
    "int2": types.ShortType(),
    "int4": types.IntegerType(),
    "int8": types.LongType(),
    "float4": types.FloatType(),
    "float8": types.DoubleType(),
    "bool": types.BooleanType(),
    "date": types.DateType(),
    "timestamp": types.TimestampNTZType(),
    "timestamptz": types.TimestampType(),
}
_WHOLE: dict[type[types.DataType], int] = {types.ByteType: 3, types.ShortType: 5, types.IntegerType: 10, types.LongType: 19}
"""Spark's integers, and the digits of each."""

_BYTES = "bytea"
_NESTED = (types.StructType, types.MapType, types.ArrayType)


def spark_type(column: Column) -> types.DataType:
    """The type of a column's values in Spark."""
    kind = column.type
    if kind.form == _BYTES:
        return types.BinaryType()
    if kind.form is None and not kind.labels:
        if kind.copy_type == "numeric" and kind.precision and kind.precision <= MAX_SPARK_DIGITS:
            return types.DecimalType(kind.precision, kind.scale or 0)
        return _SIMPLE.get(kind.copy_type, types.StringType())
    return types.StringType()


def message_type(column: Column) -> types.DataType:
    """The type as which Spark reads a value in the JSON of a message; see `from_message`."""
    return types.StringType() if column.type.form == _BYTES else spark_type(column)


def from_message(column: Column, value: Expression) -> Expression:
    """What expressions see of a value that was read as `message_type`."""
    return functions.unhex(functions.substring(value, 3, 2**31 - 1)) if column.type.form == _BYTES else value


def to_message(column: Column, value: Expression, found: types.DataType) -> Expression:
    """A computed value as it stands in the JSON of a message.

    Args:
        column: Whose it is.
        value: What the expression gives.
        found: Its type, for which `fits` is true.
    """
    if isinstance(found, types.BinaryType):
        return functions.concat(functions.lit("\\x"), functions.lower(functions.hex(value)))
    if isinstance(found, _NESTED):
        return functions.to_json(value, {"ignoreNullFields": "false"})
    return value.cast(spark_type(column)) if isinstance(found, types.NullType) else value


def fits(column: Column, found: types.DataType) -> bool:
    """Whether each value of a type of Spark can be one of a column without being rounded or read in another way."""
    wanted = spark_type(column)
    if isinstance(found, types.NullType) or (type(found) is type(wanted) and not isinstance(found, types.DecimalType)):
        return True
    if column.type.copy_type == "numeric" and not column.type.form:
        return _fits_digits(column, found)
    if type(found) in _WHOLE and type(wanted) in _WHOLE:
        return _WHOLE[type(found)] <= _WHOLE[type(wanted)]
    if isinstance(wanted, types.DoubleType):
        return isinstance(found, types.FloatType)
    # A value with parts is JSON; an array is one of PostgreSQL's, too.
    is_json = column.type.form in ("json", "jsonb")
    return isinstance(found, _NESTED) and (is_json or (column.type.element is not None and isinstance(found, types.ArrayType)))


def _fits_digits(column: Column, found: types.DataType) -> bool:
    precision, scale = column.type.precision, column.type.scale or 0
    if isinstance(found, types.DecimalType):
        whole, fraction = found.precision - found.scale, found.scale
    elif type(found) in _WHOLE:
        whole, fraction = _WHOLE[type(found)], 0
    else:
        return False
    return precision is None or (whole <= precision - scale and fraction <= scale)
