"""Whatever a file holds, it is a contract or a mistake that is told, in a moment."""

import time
from pathlib import Path

from hypothesis import given, settings

from batchstream.contract import Contract, parse_contract
from batchstream.errors import ContractError
from tests.unit.contract_documents import texts

PATH = Path("/project/dags/contracts/x.odcs.yaml")
MOMENT = 2


@settings(max_examples=300)
@given(texts())
def test_a_text_is_a_contract_or_a_mistake_that_is_told(text: str) -> None:
    begun = time.process_time()
    try:
        found = parse_contract(text, PATH)
    except ContractError as error:
        mistakes = error.mistakes
        assert mistakes
        for said in mistakes:
            assert said.startswith(f"{PATH}: ")
            assert len(said) < 1000
            assert ";" in said
    else:
        assert isinstance(found, Contract)
        assert parse_contract(text, PATH) == found
    assert time.process_time() - begun < MOMENT
