"""Paths of sources that hold the date or a parameter of a run."""

from pathlib import Path

import pytest

from batchstream.contract.run_path import filled, require_words
from batchstream.errors import ContractError, SourceError
from tests.unit.building import make_contract

COLUMNS = [{"name": "a", "physicalType": "integer"}]


def test_each_word_is_filled(tmp_path: Path) -> None:
    path = "data/{{ ds }}/{{ds_nodash}}-{{ ts_nodash }}-{{ params.region }}.csv"
    words = {"ds": "2026-01-31", "ds_nodash": "20260131", "ts_nodash": "20260131T000000", "params.region": "north"}
    contract = make_contract(tmp_path, COLUMNS, sourcePath=path)
    assert contract.of_run(words).source.path == tmp_path / "data/2026-01-31/20260131-20260131T000000-north.csv"
    assert make_contract(tmp_path, COLUMNS).of_run({}).source.path == tmp_path / "data" / "x.csv"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("data/{{ ds }}.csv", "this run has no logical date: start one by the schedule, or trigger it with a date"),
        ("data/{{ params.region }}.csv", "give the run the parameter region"),
    ],
)
def test_a_run_without_the_word_is_told(path: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"customProperties: sourcePath: got '.*'; {said}"):
        make_contract(tmp_path, COLUMNS, sourcePath=path).of_run({"ds_nodash": "20260131"})


@pytest.mark.parametrize(
    "path",
    [
        "{{ conn.x.password }}",
        "{{ var.value.x }}",
        "{{ ds | upper }}",
        "{{ ds",
        "ds }}",
        "{% if ds %}",
        "{{ params.a.b }}",
        "{{ }}",
    ],
)
def test_other_words_are_refused(path: str, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="customProperties: sourcePath: got "):
        make_contract(tmp_path, COLUMNS, sourcePath=f"data/{path}.csv")
    with pytest.raises(ValueError, match="got "):
        require_words(path)


def test_a_parameter_of_two_lines_is_refused() -> None:
    with pytest.raises(ValueError, match="give it a text of one line"):
        filled("{{ params.x }}", {"params.x": "a\nb"})
