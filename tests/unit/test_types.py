"""Types of columns and the rules of their values: what may be written, and what is said of anything else."""

from pathlib import Path
from typing import Any

import pytest

from batchstream.contract.model import Rules
from batchstream.contract.type_names import NAMES
from batchstream.contract.types import parse_type
from batchstream.errors import ContractError
from batchstream.records.codec import RecordCodec
from scripts.contract_types import FILE, with_table
from tests.conftest import ORDERS
from tests.unit import mistakes
from tests.unit.building import make_contract
from tests.unit.mistakes import Mistake


@pytest.mark.parametrize(
    ("text", "sql", "logical"),
    [
        ("smallint", "smallint", ("integer", "number")),
        ("int2", "smallint", ("integer", "number")),
        ("INTEGER", "integer", ("integer", "number")),
        ("int", "integer", ("integer", "number")),
        ("int4", "integer", ("integer", "number")),
        ("bigint", "bigint", ("integer", "number")),
        ("int8", "bigint", ("integer", "number")),
        ("real", "real", ("number",)),
        ("float4", "real", ("number",)),
        ("  Double \t PRECISION ", "double precision", ("number",)),
        ("float8", "double precision", ("number",)),
        ("text", "text", ("string",)),
        ("boolean", "boolean", ("boolean",)),
        ("bool", "boolean", ("boolean",)),
        ("date", "date", ("date",)),
        ("timestamp", "timestamp without time zone", ("timestamp", "date")),
        ("timestamptz", "timestamp with time zone", ("timestamp", "date")),
        ("timestamp with time zone", "timestamp with time zone", ("timestamp", "date")),
        ("uuid", "uuid", ("string",)),
        ("numeric(12,2)", "numeric(12,2)", ("number",)),
        ("decimal ( 12 , 2 )", "numeric(12,2)", ("number",)),
        ("numeric(5)", "numeric(5,0)", ("number", "integer")),
        ("numeric(1000,1000)", "numeric(1000,1000)", ("number",)),
        ("numeric", "numeric", ("number", "integer")),
        ("NUMBER(38)", "numeric(38,0)", ("number", "integer")),
        ("serial", "integer", ("integer", "number")),
        ("bigint(20) unsigned", "numeric(20,0)", ("number", "integer")),
        ("int(11)", "integer", ("integer", "number")),
        ("float", "double precision", ("number",)),
        ("FLOAT(24)", "real", ("number",)),
        ("STRING", "text", ("string",)),
        ("varchar[40]", "character varying(40)", ("string",)),
        ("varchar[2147483647]", "character varying", ("string",)),
        ("nvarchar(max)", "character varying", ("string",)),
        ("VARCHAR2(40 CHAR)", "character varying(40)", ("string",)),
        ("char", "character(1)", ("string",)),
        ("bpchar", "bpchar", ("string",)),
        ("bpchar(3)", "character(3)", ("string",)),
        ("bit(1)", "boolean", ("boolean",)),
        ("timestamp(3)", "timestamp(3) without time zone", ("timestamp", "date")),
        ("TIMESTAMP(6) WITH LOCAL TIME ZONE", "timestamp(6) with time zone", ("timestamp", "date")),
        ("datetime2(7)", "timestamp without time zone", ("timestamp", "date")),
        ("time(0)", "time(0) without time zone", ("time", "string")),
        ("INTERVAL DAY(2) TO SECOND(6)", "interval", ("string", "time")),
        ("varbinary(100)", "bytea", ("string", "array")),
        ("array<struct<a:string,b:decimal(3,2)>>", "jsonb", ("object", "array", "string")),
        ("text[]", "text[]", ("array", "string")),
        ("numeric(9,2)[]", "numeric(9,2)[]", ("array", "string")),
        ("varchar(3) [5]", "character varying(3)[]", ("array", "string")),
        ("varchar", "character varying", ("string",)),
        ("varchar(1)", "character varying(1)", ("string",)),
        ("character varying( 10485760 )", "character varying(10485760)", ("string",)),
    ],
)
def test_a_type_is_known_by_its_names(text: str, sql: str, logical: tuple[str, ...]) -> None:
    found = parse_type(text)
    assert (found.sql, found.logical) == (sql, logical)


@pytest.mark.parametrize("name", NAMES)
def test_each_name_is_a_type(name: str) -> None:
    assert parse_type(name).sql.startswith(NAMES[name].type)
    if NAMES[name].type not in ("character", "character varying"):
        assert parse_type(f"{name}[]").element == parse_type(name)


def test_the_names_are_in_the_documentation() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert with_table(text) == text, "run `.venv/bin/python scripts/contract_types.py`, and commit docs/contracts.md"


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        ({"physicalType": "jsonb"}, None),
        ({"physicalType": "jsonb", "logicalType": "object"}, "object"),
        ({"physicalType": "json", "items": {"logicalType": "string"}}, "array"),
        ({"physicalType": "struct<a:int>"}, "object"),
        ({"logicalType": "object", "properties": [{"name": "b", "logicalType": "string"}]}, "object"),
        ({"logicalType": "array", "items": {"logicalType": "string"}}, "array"),
    ],
)
def test_a_structure_is_json_of_its_kind(column: dict[str, Any], kind: str | None, tmp_path: Path) -> None:
    found = make_contract(tmp_path, [{"name": "a", **column}]).columns[0]
    assert found.type.json_kind == kind
    codec = RecordCodec(make_contract(tmp_path, [{"name": "a", **column}]))
    taken = [not codec.decode(b'[{"a":"%s"}]' % text).rejected for text in (b"{}", b"[]", b"5")]
    assert taken == [kind in (None, "object"), kind in (None, "array"), kind is None]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"physicalType": "int", "properties": [{"name": "b"}]}, "type 'int' has no properties; write jsonb, or remove"),
        ({"physicalType": "text", "items": {"name": "b"}}, "type 'text' has no items; write jsonb or an array such as text[]"),
        ({"physicalType": "map", "items": {"name": "b"}}, "can't be an object and an array at a time"),
        ({"physicalType": "json", "primaryKey": True}, "primaryKey is not supported for json"),
        ({"physicalType": "json[]", "unique": True}, "unique is not supported for json[]"),
        ({"physicalType": "json", "customProperties": [{"property": "indexed", "value": True}]}, "indexed is not supported"),
        ({"physicalType": "json", "quality": [{"metric": "duplicateValues", "mustBe": 0}]}, "duplicateValues is not supported"),
        ({"physicalType": "time", "logicalTypeOptions": {"pattern": "x"}}, "pattern is not supported for time"),
        ({"physicalType": "jsonb", "enum": [{"value": "x"}]}, "enum: is not supported for jsonb"),
    ],
)
def test_what_a_structure_can_not_be_is_told(column: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        make_contract(tmp_path, [{"name": "a", **column}])
    assert "column 'a': " in str(caught.value)
    assert said in str(caught.value)


def test_the_rules_of_a_char_do_not_see_blanks_at_its_end(tmp_path: Path) -> None:
    column = {"name": "a", "physicalType": "char(4)", "logicalTypeOptions": {"minLength": 2, "pattern": "b$"}}
    codec = RecordCodec(make_contract(tmp_path, [column]))
    taken = [not codec.decode(b'[{"a":"%s"}]' % text).rejected for text in (b"ab  ", b"ab     ", b"b  ", b"abbbb", b"ba")]
    assert taken == [True, True, False, False, False]


@pytest.mark.parametrize(("text", "bits"), [("smallint", 16), ("integer", 32), ("bigint", 64)])
def test_an_integer_has_the_range_of_its_bytes(text: str, bits: int) -> None:
    found = parse_type(text)
    assert (found.minimum, found.maximum) == (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("", "use one of smallint"),
        ("texd", "or an enum type or a domain of your database, with its schema such as public.mood"),
        ("integer[][]", "use one of smallint"),
        ("jsonc[]", "use one of smallint"),
        ("char(0)", "write char(n) or text"),
        ("varchar(1,2)", "write varchar(n) or text"),
        ("float(54)", "write real or double precision"),
        ("bit(3)", "write bit(1) for a boolean, or text"),
        ("timestamp(x)", "write such as timestamp(3)"),
        ("numeric(x)", "write numeric(p,s)"),
        ("numeric(0,0)", "write numeric(p,s)"),
        ("numeric(1001,0)", "needs 1 <= p <= 1000 and 0 <= s <= p"),
        ("numeric(2,3)", "write numeric(p,s)"),
        ("numeric(3,-1)", "numeric(p,s)"),
        ("varchar(0)", "write varchar(n) or text"),
        ("varchar(10485761)", "needs 1 <= n <= 10485760"),
    ],
)
def test_another_type_is_refused(text: str, write: str) -> None:
    with pytest.raises(ValueError, match=r"^type ") as caught:
        parse_type(text)
    assert str(caught.value).startswith(f"type '{text}' ")
    assert write in str(caught.value)


@pytest.mark.parametrize(
    ("physical", "options", "rules"),
    [
        ("int", {"minimum": 1, "maximum": 1}, Rules(minimum=1, maximum=1)),
        ("int", {"minimum": -(2**31), "exclusiveMaximum": 2**31 - 1}, Rules(minimum=-(2**31), exclusive_maximum=2**31 - 1)),
        ("real", {"exclusiveMinimum": 0, "maximum": 0.5}, Rules(exclusive_minimum=0, maximum=0.5)),
        ("numeric(3,1)", {"maximum": 9.5}, Rules(maximum=9.5)),
        ("varchar(9)", {"minLength": 0, "maxLength": 4}, Rules(min_length=0, max_length=4)),
        ("text", {"pattern": "^a|b$"}, Rules(pattern="^a|b$")),
    ],
)
def test_the_rules_of_a_column_are_kept(physical: str, options: dict[str, Any], rules: Rules, tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": physical, "logicalTypeOptions": options}])
    assert contract.columns[0].rules == rules


@pytest.mark.parametrize(("physical", "values"), [("int", [1, 2]), ("text", ["x", ""]), ("varchar(1)", ["é"])])
def test_the_allowed_values_of_a_column_are_kept(physical: str, values: list[str | int], tmp_path: Path) -> None:
    enum = [{"value": value} for value in values]
    contract = make_contract(tmp_path, [{"name": "a", "physicalType": physical, "enum": enum}])
    assert contract.columns[0].rules == Rules(allowed=tuple(values))


def case(name: str, old: str, new: str, column: str, got: str, write: str) -> object:
    return mistakes.case(name, old, new, f"column '{column}'", got, write)


def options(text: str) -> str:
    return f"\n        logicalTypeOptions: {{{text}}}"


DATE, BIG, REAL, UUID = ("physicalType: date", "physicalType: bigint", "physicalType: real", "physicalType: uuid")
PATTERN = 'pattern: "^[A-Z]{2}-[0-9]{4}$"'
LENGTH = "minLength: 1"
NO_RANGE = "no value lies between"
ENUM = "          - value: standard\n"

MISTAKES = [
    case(
        "no type",
        "logicalType: string\n        physicalType: varchar(40)\n        ",
        "",
        "customer",
        "a type is never guessed",
        "write one of smallint",
    ),
    case("unknown type", DATE, "physicalType: dat", "ordered_on", "physicalType: type 'dat'", "use one of smallint, integer"),
    case("wrong precision", "numeric(12,2)", "numeric(2,12)", "amount", "type 'numeric(2,12)'", "write numeric(p,s)"),
    case("unknown option", LENGTH, "length: 1", "customer", "length is not supported", "use one of minimum, maximum"),
    case("length of a date", DATE, DATE + options("minLength: 1"), "ordered_on", "not supported for date", "remove it"),
    case("minimum of a text", LENGTH, "minimum: 1", "customer", "minimum is not supported", "remove it"),
    case("pattern of a number", BIG, BIG + options("pattern: x"), "loyalty_points", "pattern is not supported", "remove it"),
    case("fraction for an integer", BIG, BIG + options("minimum: 0.5"), "loyalty_points", "got 0.5", "write a whole number"),
    case("text as minimum", BIG, BIG + options("minimum: x"), "loyalty_points", "got 'x'", "write a whole number"),
    case("true as minimum", BIG, BIG + options("minimum: true"), "loyalty_points", "got True", "write a whole number"),
    case("NaN as maximum", REAL, REAL + options("maximum: .nan"), "weight", "got nan", "number that fits real"),
    case("infinity as minimum", REAL, REAL + options("minimum: -.inf"), "weight", "got -inf", "number that fits real"),
    case("maximum beyond the type", REAL, REAL + options("maximum: 1.0e+39"), "weight", "got 1e+39", "that fits real"),
    case("minimum beyond the type", "          minimum: 1", "          minimum: 40000", "quantity", "40000", "fits smallint"),
    case("broken pattern", PATTERN, 'pattern: "["', "order_number", "pattern: got '['", "write a regular expression"),
    case("number as pattern", PATTERN, "pattern: 5", "order_number", "pattern: got 5", "write a text"),
    case("negative length", LENGTH, "minLength: -1", "customer", "minLength: got -1", "write a whole number"),
    case("fraction as length", LENGTH, "minLength: 1.5", "customer", "minLength: got 1.5", "write a whole number"),
    case(
        "minimum over maximum",
        BIG,
        BIG + options("minimum: 2, maximum: 1"),
        "loyalty_points",
        f"{NO_RANGE} 2 and 1",
        "mend one of them",
    ),
    case(
        "least over most letters",
        LENGTH,
        "minLength: 9\n          maxLength: 3",
        "customer",
        f"{NO_RANGE} 9 and 3",
        "mend one of them",
    ),
    case(
        "exclusive bounds",
        REAL,
        REAL + options("exclusiveMinimum: 2, exclusiveMaximum: 1"),
        "weight",
        NO_RANGE,
        "mend one of them",
    ),
    case("enum of uuid", UUID, f"{UUID}\n        enum: [{{value: x}}]", "tracking", "not supported for uuid", "remove it"),
    case("number in an enum of text", "value: standard", "value: 5", "class", "enum: got 5", "write a text that fits text"),
    case("nothing in an enum", "value: standard", "value:", "class", "enum: got None", "write a text that fits text"),
    case("true in an enum of integers", BIG, f"{BIG}\n        enum: [{{value: true}}]", "loyalty_points", "True", "whole number"),
    case("long text in an enum", "varchar(40)", "varchar(1)\n        enum: [{value: ab}]", "customer", "got 'ab'", "that fits"),
    case(
        "enum and rules",
        "enum:\n" + ENUM,
        f"logicalTypeOptions: {{minLength: 1}}\n        enum:\n{ENUM}",
        "class",
        "enum: can't be combined",
        "keep one",
    ),
    case("unknown setting", "property: indexed", "property: index", "ordered_on", "'index' is not known", "write indexed, or"),
    case("word as indexed", "value: true", "value: sure", "ordered_on", "indexed: got 'sure'", "write a true or false"),
    case("number as indexed", "value: true", "value: 1", "ordered_on", "indexed: got 1", "write a true or false"),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: Mistake, tmp_path: Path) -> None:
    mistake.is_told(ORDERS, tmp_path)
