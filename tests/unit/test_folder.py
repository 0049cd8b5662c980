"""A folder of contracts: each stands by itself, whatever the others hold."""

import os
from pathlib import Path

import pytest

from batchstream.contract import folder
from batchstream.contract.folder import contract_of, read_contracts, require_unique
from batchstream.errors import ContractError
from batchstream.paths import CONTRACTS_VARIABLE
from tests.conftest import HOUSING


@pytest.fixture
def contracts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(CONTRACTS_VARIABLE, str(tmp_path))
    return tmp_path


def write(contracts: Path, file: str, dataset: str, topic: str | None = None) -> Path:
    """The contract of another dataset with housing's columns."""
    text = HOUSING.read_text().replace("- name: housing\n", f"- name: {dataset}\n")
    setting = "  - property: topic\n    value: housing-data\n"
    text = text.replace(setting, "" if topic is None else setting.replace("housing-data", topic))
    path = contracts / f"{file}.odcs.yaml"
    path.write_text(text)
    return path


def test_a_contract_that_breaks_every_rule_harms_no_other(contracts: Path) -> None:
    for number, file in enumerate(("a", "m", "z")):
        write(contracts, file, file, f"topic-{number}")
    os.mkfifo(contracts / "b.odcs.yaml")
    (contracts / "c.odcs.yaml").symlink_to("/dev/zero")
    (contracts / "d.odcs.yaml").mkdir()
    (contracts / "e.odcs.yaml").symlink_to("nowhere")
    (contracts / "f.odcs.yml").write_text("a: &a [1]\n" * 3)
    found = read_contracts()
    assert [contract.name for contract in found.valid] == ["a", "m", "z"]
    assert [Path(mistake.partition(": ")[0]).name[0] for mistake in found.mistakes] == ["b", "c", "d", "e", "f"]
    assert contract_of("z").name == "z"


def test_a_fault_of_batchstream_stops_the_contract_that_shows_it(contracts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("a", "b"):
        write(contracts, file, file)
    real = folder.load_tables

    def faulty(path: Path) -> object:
        return 1 // 0 if path.name.startswith("a") else real(path)

    monkeypatch.setattr(folder, "load_tables", faulty)
    found = read_contracts()
    assert [contract.name for contract in found.valid] == ["b"]
    (mistake,) = found.mistakes
    assert mistake.startswith(
        f"{contracts / 'a.odcs.yaml'}: batchstream fails with this contract, which is a fault of its own: Zero"
    )


def test_a_name_is_that_of_the_file_that_is_called_so(contracts: Path) -> None:
    own = write(contracts, "orders", "orders", "orders")
    for file in ("a", "z"):
        write(contracts, file, "orders", f"{file}-orders")
    found = read_contracts()
    assert [contract.path for contract in found.valid] == [own]
    assert [f"schema[0].name: must be unique; got 'orders', as in {own}" in mistake for mistake in found.mistakes] == [True, True]
    assert contract_of("orders").path == own
    own.unlink()
    assert [contract.path.name for contract in read_contracts().valid] == ["a.odcs.yaml"] == [contract_of("orders").path.name]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("team.sales", "team_sales", id="a dot and an underscore"),
        pytest.param("sales", "sales", id="the same name"),
        pytest.param("a_b.c", "a.b_c", id="dots and underscores"),
    ],
)
def test_two_topics_that_are_one_to_kafka_are_a_mistake(first: str, second: str, contracts: Path) -> None:
    write(contracts, "dotty", "dotty", first)
    write(contracts, "undery", "undery", second)
    write(contracts, "third", "third", "team-sales")
    found = read_contracts()
    assert [contract.name for contract in found.valid] == ["dotty", "third"]
    (mistake,) = found.mistakes
    undery, dotty = contracts / "undery.odcs.yaml", contracts / "dotty.odcs.yaml"
    assert mistake == (
        f"{undery}: customProperties: topic: must be of its own; got '{second}', which to Kafka is '{first}' of {dotty}; "
        "write another name"
    )
    require_unique(contract_of("dotty"))
    with pytest.raises(ContractError) as caught:
        require_unique(contract_of("undery"))
    assert str(caught.value) == mistake


def test_a_topic_is_that_of_the_dataset_that_is_called_so(contracts: Path) -> None:
    write(contracts, "aaa", "aaa", "sales.2024-data")
    write(contracts, "sales", "sales")
    write(contracts, "zzz", "zzz", "sales-data")
    assert [contract.name for contract in read_contracts().valid] == ["aaa", "sales"]


def test_the_contract_of_a_dataset_is_found_beside_mistakes(contracts: Path) -> None:
    (contracts / "a.odcs.yaml").write_text("kind: [")
    write(contracts, "file", "table")
    assert contract_of("table") == contract_of("file")
    with pytest.raises(ContractError, match=r"^there is no contract for 'b'; .* or use one of table; one of .*/a\.odcs\.yaml$"):
        contract_of("b")
    with pytest.raises(ContractError, match=r"/a\.odcs\.yaml: line 2: is not YAML"):
        contract_of("a")
    write(contracts, "table", "other")
    assert contract_of("table").path.name == "file.odcs.yaml"


def test_a_table_whose_name_is_not_plain_is_found_by_name_and_by_handle(contracts: Path) -> None:
    write(contracts, "items", '"Item list"')
    write(contracts, "other", '"item list"')
    found = read_contracts()
    assert found.mistakes == ()
    by_name, other = found.valid
    assert contract_of("Item list") == contract_of(by_name.handle) == contract_of("items") == by_name
    assert contract_of(other.handle) == contract_of("item list") == other
    assert by_name.topic.name != other.topic.name


def test_a_table_that_is_called_like_anothers_handle_is_a_mistake(contracts: Path) -> None:
    write(contracts, "items", '"Item list"')
    (first,) = read_contracts().valid
    write(contracts, first.handle, first.handle)
    found = read_contracts()
    assert [contract.name for contract in found.valid] == [first.handle]
    assert f"got 'Item list', whose DAG would be called as that of '{first.handle}', as in" in found.mistakes[0]
