"""The names that contracts use for types, PostgreSQL's and other databases', and the PostgreSQL type that each becomes.

Of ``numeric(12,2)`` or ``timestamp(3) with time zone`` the table has the name without the numbers.
"""

from typing import NamedTuple


class Name(NamedTuple):
    """What becomes of a name.

    Attributes:
        type: PostgreSQL's type; lengths and digits in parentheses are kept where it takes some.
        remark: What differs from the database that the name is from.
    """

    type: str
    remark: str = ""


NUMBER, TEXT, CHAR = "numeric", "character varying", "character"
TIMESTAMP, TIMESTAMPTZ = "timestamp without time zone", "timestamp with time zone"
TIME, TIMETZ = "time without time zone", "time with time zone"

_NO_SIGN = "the next wider type; add minimum: 0 to refuse negative numbers"
_IN_UTC = "a value needs an offset, or sourceTimeZone"
_MICROSECONDS = "a value with more than 6 digits of a second is refused"
_NOT_CHECKED = "the inner structure is not checked"
_PLAIN_INTEGER = "the numbers are the source's, not drawn from a sequence"
_MONEY = "not PostgreSQL's money, which changes with the server's lc_monetary; values are plain numbers"

NAMES: dict[str, Name] = {
    # Whole numbers
    **dict.fromkeys(("smallint", "int2", "short", "int16", "tinyint", "byteint", "int8_t", "byte", "year"), Name("smallint")),
    **dict.fromkeys(("tinyint unsigned", "uint8"), Name("smallint", _NO_SIGN)),
    **dict.fromkeys(("integer", "int", "int4", "int32", "mediumint"), Name("integer")),
    **dict.fromkeys(("smallint unsigned", "mediumint unsigned", "uint16"), Name("integer", _NO_SIGN)),
    **dict.fromkeys(("bigint", "int8", "int64", "long"), Name("bigint")),
    **dict.fromkeys(("int unsigned", "integer unsigned", "uint32"), Name("bigint", _NO_SIGN)),
    **dict.fromkeys(("bigint unsigned", "uint64"), Name("numeric(20,0)", _NO_SIGN)),
    **dict.fromkeys(("smallserial", "serial2"), Name("smallint", _PLAIN_INTEGER)),
    **dict.fromkeys(("serial", "serial4"), Name("integer", _PLAIN_INTEGER)),
    **dict.fromkeys(("bigserial", "serial8"), Name("bigint", _PLAIN_INTEGER)),
    # Numbers
    **dict.fromkeys(("real", "float4", "float32", "binary_float"), Name("real")),
    **dict.fromkeys(("double precision", "double", "float8", "float64", "binary_double"), Name("double precision")),
    "float": Name("double precision", "float(1) to float(24) are real"),
    **dict.fromkeys(("numeric", "decimal", "dec", "number", "bignumeric", "bigdecimal"), Name(NUMBER)),
    "money": Name("numeric(19,4)", _MONEY),
    "smallmoney": Name("numeric(10,4)", _MONEY),
    # Texts
    **dict.fromkeys(("text", "string", "str", "clob", "nclob", "ntext", "tinytext", "mediumtext", "longtext"), Name("text")),
    **dict.fromkeys(("long varchar", "varchar2", "nvarchar2", "nvarchar", "varchar", "character varying"), Name(TEXT)),
    "xml": Name("text", "kept as it stands, well-formed or not: many builds of PostgreSQL lack xml, and none can compare it"),
    **dict.fromkeys(("character", "char", "nchar"), Name(CHAR, "without a length one character")),
    "bpchar": Name("bpchar", "with a length like character"),
    **dict.fromkeys(("rowid", "urowid"), Name("text")),
    "enum": Name("text", "with the values under enum of the column"),
    "name": Name("name", "at most 63 bytes"),
    **dict.fromkeys(("uuid", "guid", "uniqueidentifier"), Name("uuid")),
    # Truth
    **dict.fromkeys(("boolean", "bool", "logical"), Name("boolean")),
    "bit": Name("boolean", "bit and bit(1) only"),
    # Time
    "date": Name("date", "Oracle's has a time of day; write timestamp(0) for such values"),
    **dict.fromkeys((TIMESTAMP, "timestamp"), Name(TIMESTAMP)),
    **dict.fromkeys(("datetime", "datetime2", "smalldatetime", "timestamp_ntz", "timestampntz"), Name(TIMESTAMP, _MICROSECONDS)),
    **dict.fromkeys((TIMESTAMPTZ, "timestamptz"), Name(TIMESTAMPTZ)),
    **dict.fromkeys(
        ("timestamp_tz", "timestamp_ltz", "timestampltz", "timestamp with local time zone", "datetimeoffset"),
        Name(TIMESTAMPTZ, _IN_UTC),
    ),
    **dict.fromkeys((TIME, "time"), Name(TIME)),
    **dict.fromkeys((TIMETZ, "timetz"), Name(TIMETZ)),
    "interval": Name("interval"),
    **dict.fromkeys(
        ("interval year to month", "interval day to second", "interval year", "interval day"),
        Name("interval", "without its fields, which would cut values"),
    ),
    # Bytes
    "bytea": Name("bytea", r"values as \x0a1b"),
    **dict.fromkeys(
        ("bytes", "blob", "binary", "varbinary", "raw", "long raw", "image", "tinyblob", "mediumblob", "longblob"),
        Name("bytea", r"values as \x0a1b, of any length"),
    ),
    # Structures
    "json": Name("json"),
    "jsonb": Name("jsonb"),
    **dict.fromkeys(("variant", "super"), Name("jsonb")),
    **dict.fromkeys(("object", "struct", "record", "row", "map", "message"), Name("jsonb", f"a JSON object; {_NOT_CHECKED}")),
    **dict.fromkeys(
        ("array", "list", "repeated message"), Name("jsonb", f"a JSON array; {_NOT_CHECKED}. An array of PostgreSQL is text[]")
    ),
    # Addresses
    **{name: Name(name) for name in ("inet", "cidr", "macaddr", "macaddr8")},
}

OBJECTS = frozenset(("object", "struct", "record", "row", "map", "message"))
LISTS = frozenset(("array", "list", "repeated message"))

# Types of PostgreSQL, of its extensions and of other databases that are none of somebody's own, and that no column can have.
NEVER_OWN = frozenset(
    (
        *(
            "any",
            "bit varying",
            "varbit",
            "box",
            "circle",
            "line",
            "lseg",
            "path",
            "point",
            "polygon",
            "cid",
            "oid",
            "tid",
            "xid",
        ),
        *("int4range", "int8range", "numrange", "tsrange", "tstzrange", "daterange", "jsonpath", "pg_lsn", "tsquery", "tsvector"),
        *("citext", "geography", "geometry", "hstore", "ltree", "vector", "halfvec", "hierarchyid", "rowversion", "sql_variant"),
        *("null", "unknown", "void", "other", "union", "tuple", "set", "table", "cursor", "bfile", "int128", "uint128", "int256"),
    )
)
