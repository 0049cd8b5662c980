"""The operator of the checks, run as its task runs it: a false verdict fails the task for good, with the check's sentence."""

from pathlib import Path

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from batchstream.airflow import check_hook
from batchstream.airflow.verify import VerifyOperator
from batchstream.errors import LoadError
from batchstream.load import publish
from batchstream.load.verify import CheckName
from batchstream.local.installation import Installation
from batchstream.postgres import ledger
from batchstream.postgres.connection import PostgresSettings
from tests.support.whole import WholeDataset

RULE = {"type": "sql", "name": "three of them", "query": "SELECT count(*) FROM {object}", "mustBe": 3}
TABLE = {"name": "judged", "quality": [RULE], "properties": [{"name": "n", "physicalType": "integer"}]}


@pytest.fixture
def dataset(installation: Installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> WholeDataset:
    for name, value in installation.connections().variables.items():
        monkeypatch.setenv(name, value)
    return WholeDataset(installation, tmp_path / "x", TABLE)


def verify(dataset: WholeDataset, load_id: int, check: CheckName) -> None:
    VerifyOperator(task_id=f"verify_{check}", contract=dataset.contract, check=check, load_id=str(load_id)).execute({})


def verdicts(admin: psycopg.Connection, load_id: int) -> dict[str, tuple[bool, str]]:
    rows = admin.execute("SELECT check_name, passed, message FROM batchstream.verdicts WHERE load_id = %s", [load_id])
    return {name: (passed, message) for name, passed, message in rows}


def test_a_false_verdict_fails_the_task_for_good(
    dataset: WholeDataset, admin: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_id = dataset.land([[1], [2], [3], [4]])
    verify(dataset, load_id, CheckName.ROW_COUNT)
    sessions: list[psycopg.Connection] = []
    real = check_hook.check_session

    def noted(settings: PostgresSettings, *, measures_rules: bool) -> psycopg.Connection:
        sessions.append(real(settings, measures_rules=measures_rules))
        return sessions[-1]

    monkeypatch.setattr(check_hook, "check_session", noted)
    with pytest.raises(AirflowFailException, match=r"^three of them: got 4$"):
        verify(dataset, load_id, CheckName.COLUMNS)
    # A rule over a large landing takes minutes.
    assert len(sessions) == 1
    agree = f"load {load_id} of judged: all counts agree"
    assert verdicts(admin, load_id) == {"row_count": (True, agree), "columns": (False, "three of them: got 4")}
    with pytest.raises(LoadError, match="not every check of it is green"):
        publish.publish_load(dataset.engines, load_id)
    ledger.close(admin, load_id, reason="three of them: got 4")


def test_each_check_that_holds_is_entered_and_what_readers_see_is_looked_at(
    dataset: WholeDataset, admin: psycopg.Connection
) -> None:
    load_id = dataset.land([[1], [2], [3]])
    for check in (CheckName.ROW_COUNT, CheckName.COLUMNS):
        verify(dataset, load_id, check)
    publish.publish_load(dataset.engines, load_id)
    verify(dataset, load_id, CheckName.PUBLISHED)
    assert {name: passed for name, (passed, _) in verdicts(admin, load_id).items()} == dict.fromkeys(CheckName, True)
    admin.execute("DELETE FROM judged WHERE n = 1")
    with pytest.raises(AirflowFailException, match=f"load {load_id} .*2"):
        verify(dataset, load_id, CheckName.PUBLISHED)
    assert verdicts(admin, load_id)["published"][0] is False
