"""What an error is about, as attributes: the innermost word counts, and it outlives a way through another process."""

import pickle
from pathlib import Path

import pytest

from batchstream.contract import load_contract
from batchstream.errors import ContractError, FetchError, LoadError, errors_about


def fail() -> None:
    with errors_about(dataset="housing", topic="of the load") as known:
        known["load_id"] = 7
        with errors_about(topic="of the messages", partition=0):
            raise FetchError("silence")


def test_who_is_nearer_knows_better() -> None:
    with pytest.raises(FetchError) as caught:
        fail()
    assert str(caught.value) == "silence"
    assert vars(caught.value) == {"topic": "of the messages", "partition": 0, "dataset": "housing", "load_id": 7}
    assert caught.value.path is None


def test_an_executors_error_keeps_it() -> None:
    error = LoadError("gone")
    error.partition = 3
    assert vars(pickle.loads(pickle.dumps(error))) == {"partition": 3}


def test_others_errors_pass_as_they_are() -> None:
    with pytest.raises(ZeroDivisionError) as caught, errors_about(load_id=7):
        raise ZeroDivisionError
    assert vars(caught.value) == {}


@pytest.mark.parametrize("content", [None, b"\xff", b"a: b: c", b"kind: DataContract"])
def test_a_contracts_mistake_has_its_file(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "wrong.odcs.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ContractError) as caught:
        load_contract(path)
    assert caught.value.path == str(path)
