"""All mistakes of a contract are told at once, each with its line."""

import pickle
from pathlib import Path

import pytest

from batchstream.contract import load_contract
from batchstream.contract.mistakes import MAX_SHOWN
from batchstream.errors import ContractError
from tests.conftest import HOUSING, ORDERS
from tests.unit.building import edited, mistakes_of, write_contract


def test_each_mistake_is_told_with_its_line_in_their_order(tmp_path: Path) -> None:
    path = edited(
        tmp_path,
        ORDERS,
        ("kind: DataContract", "kind: DataProduct"),
        ("version: 2.1.0", "version: 2.1"),
        ("status: active", "statuss: active"),
        ("value: data/orders.csv", "value: 010"),
        ("topicPartitions\n    value: 3", "topicPartitions\n    value: 0"),
        ("topicRetentionDays\n    value: 2", "topicRetentionDays\n    value: two"),
        ("30 4 * * *", "61 4 * * *"),
        ("SELECT count(*) FROM {object} WHERE", "DELETE FROM {object} WHERE"),
        ("physicalType: text", "physicalType: texts"),
        ("minLength: 1", "minLength: -1"),
        ("physicalType: timestamptz", "physicalType: timestamptz\n        requird: true\n        required: maybe"),
    )
    lines = path.read_text().splitlines()

    def line(text: str) -> int:
        return next(number for number, found in enumerate(lines, 1) if text in found)

    found = [mistake.split(": ")[:2] for mistake in mistakes_of(path)]
    assert found == [
        [f"line {line('kind: DataProduct')}", "kind"],
        [f"line {line('version: 2.1')}", "version"],
        [f"line {line('statuss')}", "statuss"],
        [f"line {line('value: 010')}", "customProperties[0].value"],
        [f"line {line('topicPartitions')}", "customProperties"],
        [f"line {line('topicRetentionDays')}", "customProperties"],
        [f"line {line('property: schedule')}", "customProperties"],
        [f"line {line('no order is shipped')}", "schema[0].quality[1]"],
        [f"line {line('physicalType: texts')}", "column 'order_number'"],
        [f"line {line('minLength')}", "column 'customer'"],
        [f"line {line('requird')}", "schema[0].properties[5].requird"],
        [f"line {line('required: maybe')}", "schema[0].properties[5].required"],
    ]


def test_every_setting_of_a_source_is_told(tmp_path: Path) -> None:
    settings = "\n".join(
        f"  - {{property: {name}, value: {value}}}"
        for name, value in {"sourceDelimiter": "x", "sourceQuote": "q", "sourceFinalNewline": "never"}.items()
    )
    path = edited(tmp_path, ORDERS, ("customProperties:", f"customProperties:\n{settings}"), ("data/orders.csv", "ftp://x/y"))
    assert [mistake.split(":")[2] for mistake in mistakes_of(path)] == [
        " sourceDelimiter",
        " sourceQuote",
        " sourceFinalNewline",
        " sourcePath",
    ]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        pytest.param("  - name: orders", "  - 5\n  - name: orders", "schema[0]", id="a number among the tables"),
        pytest.param("      - name: note", "      - 5\n      - name: note", "schema[0].properties[2]", id="among the columns"),
        pytest.param("status: active", "tags: [1]", "tags[0]", id="among the tags"),
        pytest.param("status: active", "team: {name: 5}", "team.name", id="in a field of two types"),
        pytest.param("mustBeGreaterThan: 0", "mustBeBetween: [a, 2]", "schema[0].quality[0].mustBeBetween[0]", id="a bound"),
    ],
)
def test_what_the_standard_refuses_is_told_once_and_hides_nothing(old: str, new: str, field: str, tmp_path: Path) -> None:
    path = edited(tmp_path, ORDERS, (old, new), ("value: 3", "value: 0"))
    found = [mistake.split(": ")[1] for mistake in mistakes_of(path)]
    assert found.count(field) == 1
    assert "customProperties" in found
    assert not [each for each in found if each.startswith(f"{field}.")]


def test_what_an_alias_repeats_is_told_where_it_is_written(tmp_path: Path) -> None:
    text = "schema:\n- name: x\n  properties:\n  - &c\n    name: a\n    physicalType: inty\n  - *c\n"
    assert [mistake.split(": ")[:2] for mistake in mistakes_of(write_contract(tmp_path, text)) if "inty" in mistake] == [
        ["line 6", "column 'a'"],
        ["line 6", "column 'a'"],
    ]


def test_no_more_are_shown_than_are_read(tmp_path: Path) -> None:
    columns = "".join(f"  - {{name: c{number}, physicalType: texd}}\n" for number in range(MAX_SHOWN + 7))
    text = HOUSING.read_text().partition("schema:")[0] + f"schema:\n- name: x\n  properties:\n{columns}"
    *first, last = mistakes_of(write_contract(tmp_path, text))
    assert len(first) == MAX_SHOWN
    assert last == "has 7 more mistakes; mend the first ones to see them"


def test_an_error_with_all_mistakes_survives_the_way_between_processes(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as caught:
        load_contract(edited(tmp_path, ORDERS, ("kind: DataContract", "kind: x"), ("value: 3", "value: 0")))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (copy.mistakes, str(copy), copy.path) == (caught.value.mistakes, str(caught.value), caught.value.path)
    assert len(copy.mistakes) == 2
