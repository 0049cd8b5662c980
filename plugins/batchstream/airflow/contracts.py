"""The contracts of which DAGs are made: to read them is the only I/O while DAG files are parsed."""

from airflow.sdk import DAG

from batchstream.airflow.pipeline import build_pipeline
from batchstream.contract import Contract
from batchstream.contract.folder import contract_of, our_fault, read_contracts
from batchstream.contract.model import DAG_SUFFIX


def dags_of(dag_id: str | None) -> tuple[dict[str, DAG], list[str]]:
    """The DAGs, by id, and a message for each contract that gives none.

    Args:
        dag_id: The one that is needed, by a task that starts; None for all. Then nothing else is read.
    """
    contracts: tuple[Contract, ...]
    if dag_id is None:
        contracts, read_mistakes = read_contracts()
    elif dag_id.endswith(DAG_SUFFIX):
        contracts, read_mistakes = (contract_of(dag_id.removesuffix(DAG_SUFFIX)),), ()
    else:
        contracts, read_mistakes = (), ()
    dags: dict[str, DAG] = {}
    mistakes = list(read_mistakes)
    for contract in contracts:
        try:
            dags[contract.dag_id] = build_pipeline(contract)
        except Exception as error:  # noqa: BLE001 - whatever Airflow says of one DAG, the others are shown
            mistakes.append(our_fault(contract.path, error))
    return dags, mistakes
