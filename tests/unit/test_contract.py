"""Contracts: what the two at hand hold, and what is said of a broken one."""

import os
from pathlib import Path
from typing import Any

import pytest

from batchstream.contract import Contract, load_contract, parse_contract
from batchstream.contract.allowance import Allowance
from batchstream.contract.model import Topic
from batchstream.contract.source import SourceFormat
from batchstream.contract.spelling import USUAL
from batchstream.errors import ContractError, SourceError
from batchstream.records.codec import RecordCodec
from batchstream.records.source_reader import SourceReader, check_header
from tests.conftest import HOUSING
from tests.unit.building import edited, make_contract, mistake_of, write_contract, write_source
from tests.unit.mistakes import Mistake, case

INTEGERS = ("chas", "rad", "tax")


def test_housing_has_its_columns_in_order_and_none_nullable(housing: Contract) -> None:
    names = ["crim", "zn", "indus", "chas", "nox", "rm", "age", "dis", "rad", "tax", "ptratio", "b", "lstat", "medv"]
    assert [column.name for column in housing.columns] == names
    expected = ["integer" if name in INTEGERS else "double precision" for name in names]
    assert [column.type.sql for column in housing.columns] == expected
    assert not any(column.nullable for column in housing.columns)
    assert [column.name for column in housing.columns if column.indexed] == ["medv"]


def test_housing_travels_and_is_checked_as_its_contract_says(housing: Contract) -> None:
    assert (housing.name, housing.version, housing.dag_id) == ("housing", "1.0.0", "housing_pipeline")
    assert (housing.keys, housing.key_columns) == ((), ("id",))
    assert housing.topic == Topic("housing-data", partitions=1, replication_factor=1, retention_days=7)
    assert housing.source.format is SourceFormat.WHITESPACE
    assert housing.source.path == HOUSING.parents[2] / "data" / "housing.csv"
    assert (housing.expected_records, housing.rejected_records_allowed, housing.schedule) == (506, Allowance(0), "@daily")
    assert housing.description.startswith("Boston Housing (Harrison and Rubinfeld 1978")
    names = [check.name for check in housing.checks]
    assert names[0] == "506 tracts"
    assert names[-1] == "mean of medv, 22.532806 as published"
    assert names[1:-1] == [f"{column.name}: nullValues mustBe 0" for column in housing.columns]


def test_housing_bounds_its_columns(housing: Contract) -> None:
    rules = {column.name: column.rules for column in housing.columns}
    assert (rules["crim"].minimum, rules["crim"].maximum) == (0, None)
    assert (rules["chas"].minimum, rules["chas"].maximum) == (0, 1)
    assert (rules["nox"].minimum, rules["nox"].exclusive_minimum) == (None, 0)
    assert (rules["b"].minimum, rules["b"].maximum) == (0, 396.9)
    assert (rules["medv"].exclusive_minimum, rules["medv"].maximum) == (0, 50)


def test_orders_has_a_column_of_every_kind(orders: Contract) -> None:
    assert [(column.name, column.type.sql, column.nullable) for column in orders.columns] == [
        ("order_number", "text", False),
        ("customer", "character varying(40)", False),
        ("note", "text", True),
        ("ordered_on", "date", False),
        ("shipped_at", "timestamp without time zone", True),
        ("paid_at", "timestamp with time zone", True),
        ("is_gift", "boolean", False),
        ("amount", "numeric(12,2)", False),
        ("quantity", "smallint", False),
        ("loyalty_points", "bigint", True),
        ("weight", "real", True),
        ("tracking", "uuid", True),
        ("class", "text", False),
    ]
    assert [column.name for column in orders.columns if column.indexed] == ["ordered_on"]
    assert orders.columns[0].rules.pattern == "^[A-Z]{2}-[0-9]{4}$"
    assert orders.columns[1].rules.min_length == 1
    assert orders.columns[-1].rules.allowed == ("standard", "express")


def test_orders_travels_and_is_checked_as_its_contract_says(orders: Contract) -> None:
    assert (orders.keys, orders.key_columns, orders.expected_records) == (("order_number",), ("order_number",), None)
    assert orders.topic == Topic("orders-data", partitions=3, replication_factor=1, retention_days=2)
    assert (orders.source.format, orders.source.delimiter, orders.source.spelling) == (SourceFormat.CSV, ",", USUAL)
    assert orders.schedule == "30 4 * * *"
    assert [check.name for check in orders.checks] == [
        "order_number: duplicateValues mustBe 0",
        "at least one order",
        "no order is shipped before it was placed",
    ]


def test_a_contract_needs_no_more_than_columns_and_a_source(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "A b", "physicalName": "a_b", "physicalType": "int", "unique": True}])
    assert [(column.name, column.nullable, column.indexed) for column in contract.columns] == [("a_b", True, False)]
    assert contract.topic == Topic("x-data", partitions=1, replication_factor=1, retention_days=7)
    assert contract.source.path == tmp_path / "data" / "x.csv"
    assert (contract.schedule, contract.expected_records, contract.description) == ("@daily", None, "")
    assert [check.name for check in contract.checks] == ["a_b: duplicateValues mustBe 0"]


def test_the_text_of_a_contract_is_enough_when_its_file_is_gone(tmp_path: Path) -> None:
    path = write_contract(tmp_path, HOUSING.read_text(encoding="utf-8"))
    text, found = path.read_text(encoding="utf-8"), load_contract(path)
    path.unlink()
    assert parse_contract(text, path) == found


def test_a_column_may_be_called_otherwise_in_the_header(tmp_path: Path) -> None:
    names = ["Sepal.Length", "1960", "Country Name", "", " id ", "created_at", "id", "id"]
    tables = [f"c{number}" for number in range(len(names))]
    properties: list[dict[str, Any]] = [
        {"name": name, "physicalName": table, "physicalType": "int"} for name, table in zip(names, tables, strict=True)
    ]
    contract = make_contract(tmp_path, [*properties, {"physicalName": "last", "physicalType": "int"}])
    assert [column.name for column in contract.columns] == [*tables, "last"]
    assert [column.source_name for column in contract.columns] == [*(name.strip() for name in names), "last"]
    write_source(contract, b'Sepal.Length,1960,"Country Name",,id,created_at,id,id,last\n1,2,3,4,5,6,7,8,9\n')
    (batch,) = SourceReader(contract)
    assert RecordCodec(contract).decode(batch.value).records == [(1, 2, 3, 4, 5, 6, 7, 8, 9, 1)]
    write_source(contract, f"{','.join(tables)},last\n1,2,3,4,5,6,7,8,9\n".encode())
    with pytest.raises(SourceError, match=r"missing 'Sepal\.Length', '1960', .*; unexpected 'c0', .*physicalName the table's"):
        check_header(contract)


def test_a_key_is_never_null_whatever_is_said_of_it(tmp_path: Path) -> None:
    for said in ({}, {"required": False}):
        contract = make_contract(tmp_path, [{"name": "id", "physicalType": "int", "primaryKey": True, **said}])
        assert (contract.keys, [column.nullable for column in contract.columns]) == (("id",), [False])


def test_a_key_is_never_null_and_an_integer_is_a_number(tmp_path: Path) -> None:
    contract = make_contract(tmp_path, [{"name": "id", "physicalType": "int", "logicalType": "number", "primaryKey": True}])
    assert (contract.keys, [column.nullable for column in contract.columns]) == (("id",), [False])


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, 1), (2, 1), (3, 2), (5, 2)])
def test_with_three_replicas_an_acknowledgement_means_two(replicas: int, in_sync: int, tmp_path: Path) -> None:
    settings = {"topicReplicationFactor": replicas}
    columns = [{"name": "a", "physicalType": "int"}]
    assert make_contract(tmp_path, columns, **settings).topic.min_insync_replicas == in_sync
    chosen = make_contract(tmp_path, columns, **settings, topicMinInsyncReplicas=replicas)
    assert chosen.topic.min_insync_replicas == replicas


def test_a_contract_that_is_missing_or_no_file_is_named(tmp_path: Path) -> None:
    assert mistake_of(tmp_path / "no.odcs.yaml").startswith("can't be read: [Errno 2] No such file or directory")
    os.mkfifo(tmp_path / "pipe.odcs.yaml")
    (tmp_path / "zero.odcs.yaml").symlink_to("/dev/zero")
    for path in (tmp_path, tmp_path / "pipe.odcs.yaml", tmp_path / "zero.odcs.yaml"):
        assert mistake_of(path) == "is no regular file; write the contract into one"


def test_a_contract_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.odcs.yaml"
    path.write_bytes(b"name: \xff")
    said = mistake_of(path)
    assert said.startswith("can't be read: 'utf-8' codec can't decode byte 0xff")
    assert said.endswith("; write a UTF-8 file that Airflow may read")


CRIM = "column 'crim'"
FIRST = "schema[0].properties[0]"
SETTINGS = "customProperties"
REQUIRED = "required: true\n"
STANDARD = "write what the standard says of this field"
REPLICAS = "topicReplicationFactor\n    value: 1"
PARTITIONS = "topicPartitions\n    value: 1"
DELIMITER = "value: csv\n  - property: sourceDelimiter\n    value: "

MISTAKES = [
    case("other kind", "kind: DataContract", "kind: DataProduct", "kind", "got 'DataProduct'", "write DataContract"),
    case("no kind", "kind: DataContract\n", "", "kind", "got None", "write DataContract"),
    case("version 2 of the standard", "v3.1.0", "v2.2.0", "apiVersion", "got 'v2.2.0'", "write v3.1.0"),
    case("no version", "version: 1.0.0\n", "", "version", "is missing", "write the version of this contract, such as 1.0.0"),
    case("number as version", "version: 1.0.0", "version: 1.0", "version", "got 1.0", "in quotes"),
    case("a table of two", "schema:\n", "schema:\n  - name: more\n", "schema[0].properties", "is empty", "write a property"),
    case("table of 64 bytes", "name: housing", f"name: {'ü' * 32}", "schema[0].name", "has 64 bytes", "write at most 63"),
    case(
        "table of another schema",
        "- name: housing",
        "- name: housing\n    physicalName: sales.orders",
        "schema[0].physicalName",
        "got 'sales.orders', a table of schema 'sales'",
        "write public.orders; a table whose own name has a dot is public.sales.orders",
    ),
    case("no table", "- name: housing", "- name: h\n    physicalName: public.", "schema[0].physicalName", "missing", "write the"),
    case("column of 64 bytes", "name: crim", f"name: {'c' * 64}", f"{FIRST}.name", "has 64 bytes", "if physicalName says"),
    case("column without name", "name: crim\n        ", "", f"{FIRST}.name", "is missing", "write what the header"),
    case(
        "column of two lines", "name: crim", 'name: "a\\nb"\n        physicalName: crim', f"{FIRST}.name", "'a\\nb'", "one line"
    ),
    case(
        "table's name of a column of 64 bytes",
        "name: crim",
        f"name: crim\n        physicalName: {'c' * 64}",
        f"{FIRST}.physicalName",
        "has 64 bytes",
        "write at most 63",
    ),
    case(
        "blank in a header of blanks",
        "name: crim",
        "name: my crim\n        physicalName: crim",
        CRIM,
        "name: got 'my crim'",
        "write a name without blanks",
    ),
    case("column twice", "name: zn", "name: crim", CRIM, "stands twice", "write each column once"),
    case(
        "system column", "name: crim", "name: ctid", "column 'ctid'", "system column of PostgreSQL", "physicalName: source_ctid"
    ),
    case("version of the standard to come", "v3.1.0", "v3.9.9", "apiVersion", "got 'v3.9.9'", "write v3.1.0"),
    case("measure", REQUIRED, f"{REQUIRED}        semanticType: measure\n", CRIM, "got 'measure'", "remove it"),
    case("items", REQUIRED, f"{REQUIRED}        items: {{name: x}}\n", CRIM, "has no items", "write jsonb or an array"),
    case("place in no key", REQUIRED, f"{REQUIRED}        primaryKeyPosition: 1\n", CRIM, "got 1", "add primaryKey: true"),
    case(
        "no place", REQUIRED, f"{REQUIRED}        primaryKey: true\n        primaryKeyPosition: 0\n", CRIM, "got 0", "write 1 for"
    ),
    case("misspelt field", "required", "requird", f"{FIRST}.requird", "is no field of the standard", "write required"),
    case("unknown field", "required", "zzz", f"{FIRST}.zzz", "is no field of the standard", "remove it"),
    case("unknown field of a rule", "metric: rowC", "metrik: rowC", "schema[0].quality[0].metrik", "no field", "write metric"),
    case("unknown field at the top", "status:", "statuss:", "statuss", "is no field", "write status"),
    case("word for a boolean", "required: true", "required: maybe", f"{FIRST}.required", "got 'maybe'", STANDARD),
    case(
        "misspelt setting",
        "property: topic\n",
        "property: topik\n",
        SETTINGS,
        "'topik' is not known",
        "write topic, or the vendor",
    ),
    case("setting in snake case", "topicPartitions", "topic_partitions", SETTINGS, "'topic_partitions'", "write topicPartitions"),
    case(
        "unknown setting of ours",
        "property: topic\n",
        "property: stream\n    vendor: batchstream\n",
        SETTINGS,
        "'stream' is not known",
        "write one of sourcePath",
    ),
    case(
        "misspelt setting of ours",
        "property: topic\n",
        "property: topik\n    vendor: batchstream\n",
        SETTINGS,
        "'topik' is not known",
        "write topic",
    ),
    case("setting without name", "- property: topic\n    v", "- v", SETTINGS, "'' is not known", "write one of sourcePath"),
    case(
        "no source", "  - property: sourcePath\n    value: data/housing.csv\n", "", SETTINGS, "sourcePath is missing", "write the"
    ),
    case("number as source", "data/housing.csv", "5", f"{SETTINGS}: sourcePath", "got 5", "write a text, in quotes"),
    case("unknown format", "whitespace", "xml", f"{SETTINGS}: sourceFormat", "got 'xml'", "write one of whitespace, csv"),
    case(
        "delimiter for blanks", "whitespace", "whitespace\n  - {property: sourceDelimiter, value: ;}", SETTINGS, "", "remove it"
    ),
    case("long delimiter", "value: whitespace", f"{DELIMITER}'||'", f"{SETTINGS}: sourceDelimiter", "got '||'", "one character"),
    case("letter as delimiter", "value: whitespace", f"{DELIMITER}x", f"{SETTINGS}: sourceDelimiter", "got 'x'", "such as ';'"),
    case(
        "quote as delimiter", "value: whitespace", f"{DELIMITER}'\"'", f"{SETTINGS}: sourceDelimiter", "got '\"'", "such as ';'"
    ),
    case("topic with a blank", "housing-data", "housing data", f"{SETTINGS}: topic", "got 'housing data'", "at most 249"),
    case("topic of dots", "housing-data", "'..'", f"{SETTINGS}: topic", "got '..'", "write letters, digits"),
    case(
        "more in-sync replicas than replicas",
        REPLICAS,
        f"{REPLICAS}\n  - property: topicMinInsyncReplicas\n    value: 2",
        f"{SETTINGS}: topicMinInsyncReplicas",
        "got 2",
        "at most 1",
    ),
    case("no partition", PARTITIONS, PARTITIONS[:-1] + "0", f"{SETTINGS}: topicPartitions", "got 0", "write at least 1"),
    case("text as partitions", PARTITIONS, PARTITIONS[:-1] + "two", f"{SETTINGS}: topicPartitions", "'two'", "a whole number"),
    case("true as partitions", PARTITIONS, PARTITIONS[:-1] + "true", f"{SETTINGS}: topicPartitions", "True", "a whole number"),
    case("negative rejects", "value: 0", "value: -1", f"{SETTINGS}: rejectedRecordsAllowed", "got -1", "write at least 0"),
    case("more than all rejected", "value: 0", "value: 101%", f"{SETTINGS}: rejectedRecordsAllowed", "got '101%'", "to 100%"),
    case(
        "a share without %", "value: 0", "value: '1'", f"{SETTINGS}: rejectedRecordsAllowed", "got '1'", "a share of the records"
    ),
    case(
        "unknown publish",
        "value: 0",
        "value: 0\n  - property: publish\n    value: copy",
        f"{SETTINGS}: publish",
        "got 'copy'",
        "merge, swap",
    ),
    case("impossible schedule", '"@daily"', "61 * * * *", f"{SETTINGS}: schedule", "got '61 * * * *'", "write a cron"),
    case("unknown preset", "@daily", "@fortnightly", f"{SETTINGS}: schedule", "got '@fortnightly'", "cron expression"),
    case("number as schedule", '"@daily"', "6", f"{SETTINGS}: schedule", "got 6", "write a text or null"),
]


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told(mistake: Mistake, tmp_path: Path) -> None:
    mistake.is_told(HOUSING, tmp_path)


def test_a_setting_that_stands_twice_is_told(tmp_path: Path) -> None:
    twice = "  - property: topic\n    value: housing-data\n"
    said = mistake_of(edited(tmp_path, HOUSING, (twice, twice * 2)))
    assert said == "customProperties: 'topic' stands twice; write it once"


def test_our_columns_give_way_to_those_of_a_contract(tmp_path: Path) -> None:
    names = ["id", "created_at", "load_id", "batchstream_load_id", "batchstream_load_id_2"]
    contract = make_contract(tmp_path, [{"name": name, "physicalType": "int"} for name in names])
    assert contract.own._asdict() == {
        "id": "batchstream_id",
        "created_at": "batchstream_created_at",
        "updated_at": "updated_at",
        "load_id": "batchstream_load_id_3",
        "record_id": "record_id",
    }
    assert contract.key_columns == ("batchstream_id",)


def test_our_columns_keep_their_names_where_they_are_free(housing: Contract) -> None:
    assert housing.own == ("id", "created_at", "updated_at", "load_id", "record_id")


KEY = {"physicalType": "text", "primaryKey": True}


def test_a_key_of_several_columns_has_the_order_of_its_positions(tmp_path: Path) -> None:
    columns = [
        KEY | {"name": "a"},
        KEY | {"name": "b", "primaryKeyPosition": 7, "required": False},
        {"name": "c", "physicalType": "int", "primaryKeyPosition": -1},
        KEY | {"name": "d", "physicalName": "e", "primaryKeyPosition": 2, "unique": True},
    ]
    contract = make_contract(tmp_path, columns)
    assert contract.keys == contract.key_columns == ("e", "b", "a")
    assert [column.nullable for column in contract.columns] == [False, False, True, False]
    together, alone = contract.checks
    assert (together.name, alone.name) == ("e, b, a: duplicateValues mustBe 0", "e: duplicateValues mustBe 0")
    assert 'GROUP BY "e", "b", "a"' in together.query


def test_a_place_in_the_key_that_is_taken_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"column 'b': primaryKeyPosition: got 1, as for 'a'; write another number for one"):
        make_contract(tmp_path, [KEY | {"name": name, "primaryKeyPosition": 1} for name in "ab"])


def test_a_key_of_more_columns_than_an_index_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"got 33 columns with primaryKey; write at most 32"):
        make_contract(tmp_path, [KEY | {"name": f"c{number}"} for number in range(33)])


def test_a_blank_part_of_a_key_is_rejected(tmp_path: Path) -> None:
    codec = RecordCodec(make_contract(tmp_path, [KEY | {"name": "a"}, KEY | {"name": "b"}]))
    (rejected,) = codec.decode(b'[{"a":"x","b":" "}]').rejected
    assert (rejected.column, rejected.reason) == ("b", "column 'b': \" \" is blank, which no primary key may be")
    assert codec.decode(b'[{"a":"x","b":"y"}]').records == [("x", "y", 1)]


def test_a_table_without_columns_is_told(tmp_path: Path) -> None:
    text = HOUSING.read_text(encoding="utf-8").split("    properties:\n")[0]
    said = mistake_of(write_contract(tmp_path, text))
    assert said == "schema[0].properties: is empty; write a property for each column of the source, in its order"


def test_a_contract_without_tables_is_told(tmp_path: Path) -> None:
    said = mistake_of(write_contract(tmp_path, HOUSING.read_text(encoding="utf-8").split("schema:\n")[0]))
    assert said == "schema: must hold a table; got none; write one with its columns"
