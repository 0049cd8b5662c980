"""One Airflow DAG a contract: ``dags/contracts/housing.odcs.yaml`` gives ``housing_pipeline``.

A contract with a mistake gives no DAG here, so that it can't take the others down; ``contract_errors.py`` reports it.
"""

from reload.contracts import valid_contracts
from reload.pipeline import build_pipeline

for contract in valid_contracts():
    globals()[contract.dag_id] = build_pipeline(contract)
