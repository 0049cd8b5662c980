"""One Airflow DAG a contract: ``dags/contracts/housing.odcs.yaml`` gives ``housing_pipeline``.

A contract with a mistake gives no DAG here, so that it can't take the others down; ``contract_errors.py`` reports it.
"""

# What this file itself imports of Airflow, its DAG processor imports once, instead of in each process that it forks to parse it.
import airflow.providers.apache.kafka.operators.produce
import airflow.providers.apache.spark.operators.spark_submit
import airflow.providers.common.sql.operators.sql
import airflow.sdk.definitions.decorators  # noqa: F401
from airflow.sdk import get_parsing_context

from batchstream.airflow.contracts import dags_of

# A task that starts reads this file, too, and needs its own DAG alone.
dags, _ = dags_of(get_parsing_context().dag_id)

# Under names that no variable can have: a dataset may be called as anything that stands here.
globals().update({f"DAG {dag_id}": dag for dag_id, dag in dags.items()})
