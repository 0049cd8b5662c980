"""One Airflow DAG a contract: ``dags/contracts/housing.odcs.yaml`` gives ``housing_pipeline``.

A contract with a mistake gives no DAG here, so that it can't take the others down; ``contract_errors.py`` reports it.
"""

# What this file itself imports of Airflow, its DAG processor imports once, instead of in each process that it forks to parse it.
import airflow.providers.apache.kafka.operators.produce
import airflow.providers.apache.spark.operators.spark_submit
import airflow.providers.common.sql.operators.sql
import airflow.providers.standard.operators.empty
import airflow.sdk.definitions.decorators  # noqa: F401

from batchstream.airflow import make_dags

globals().update(make_dags())
