"""The contracts of which DAGs are made: to read them is the only I/O while DAG files are parsed."""

from pathlib import Path
from typing import Any

from airflow.sdk import DAG, get_parsing_context

from batchstream.airflow.pipeline import build_pipeline
from batchstream.contract import Contract
from batchstream.contract.folder import contract_of, our_fault, read_contracts
from batchstream.contract.model import DAG_SUFFIX
from batchstream.errors import ContractError
from batchstream.paths import contract_paths


def make_dags(folder: Path | str | None = None, **arguments: Any) -> dict[str, DAG]:
    """A DAG for each contract of a folder, for ``globals().update(make_dags(…))`` in a DAG file.

    A contract with a mistake gives no DAG, so that it can't take the others down; `require_contracts`, in a DAG file of its own,
    makes it an import error. A task that starts reads its own contract alone.

    Args:
        folder: With the contracts, ``*.odcs.yaml``; by default the project's, ``dags/contracts``.
        arguments: Further arguments of each `DAG`: ``default_args``, ``tags``, ``params`` and callbacks are added to those of
            batchstream, any other one replaces its own.

    Returns:
        The DAGs, under names that no variable can have.
    """
    dags, _ = _read(folder, get_parsing_context().dag_id, arguments)
    return {f"DAG {dag_id}": dag for dag_id, dag in dags.items()}


def require_contracts(folder: Path | str | None = None, **arguments: Any) -> None:
    """See that each contract of a folder gives a DAG; takes what `make_dags` takes.

    Raises:
        ContractError: Some don't; the message has a line for each.
    """
    _, mistakes = _read(folder, None, arguments)
    if mistakes:
        raise ContractError(*mistakes)


def _read(folder: Path | str | None, dag_id: str | None, arguments: dict[str, Any]) -> tuple[dict[str, DAG], list[str]]:
    paths = contract_paths(None if folder is None else Path(folder))
    contracts: tuple[Contract, ...]
    if dag_id is None:
        contracts, read_mistakes = read_contracts(paths)
    elif dag_id.endswith(DAG_SUFFIX):
        contracts, read_mistakes = (contract_of(dag_id.removesuffix(DAG_SUFFIX), paths),), ()
    else:
        contracts, read_mistakes = (), ()
    dags: dict[str, DAG] = {}
    mistakes: list[str] = list(read_mistakes)
    for contract in contracts:
        try:
            dags[contract.dag_id] = build_pipeline(contract, **arguments)
        except Exception as error:  # noqa: BLE001 - whatever Airflow says of one DAG, the others are shown
            mistakes.append(our_fault(contract.path, error))
    return dags, mistakes
