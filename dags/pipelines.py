"""One Airflow DAG a contract: ``dags/contracts/housing.odcs.yaml`` gives ``housing_pipeline``.

A contract with a mistake gives no DAG here, so that it can't take the others down; ``contract_errors.py`` reports it.
"""

# What this file itself imports of Airflow, its DAG processor imports once, instead of in each process that it forks to parse it.
import airflow.providers.apache.kafka.operators.produce
import airflow.providers.apache.spark.operators.spark_submit
import airflow.providers.common.sql.operators.sql
import airflow.sdk.definitions.decorators  # noqa: F401
from airflow.sdk import get_parsing_context

from reload.contracts import valid_contracts
from reload.pipeline import build_pipeline

# A task that starts reads this file, too, and needs its own DAG alone.
wanted = get_parsing_context().dag_id

for contract in valid_contracts():
    if wanted in (None, contract.dag_id):
        globals()[contract.dag_id] = build_pipeline(contract)
