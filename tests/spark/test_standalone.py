"""The same DAG and the same application on a Spark standalone master with two workers; only the connection differs."""

import json

import psycopg
import pytest

from batchstream.local.installation import Installation
from tests.support.airflow import airflow
from tests.support.cluster import Cluster
from tests.support.pipeline import LARGE, Pipeline


@pytest.mark.nightly
def test_the_dag_runs_on_the_cluster_by_its_connection_alone(
    cluster: Cluster, installation: Installation, admin: psycopg.Connection
) -> None:
    spark = json.dumps(cluster.connection())
    before = {application["id"] for application in cluster.state()["completedapps"]}
    done = airflow(installation, "dags", "test", "housing_pipeline", AIRFLOW_CONN_BATCHSTREAM_SPARK=spark)
    assert done.returncode == 0, done.stdout[-5000:]
    assert admin.execute("SELECT count(*) FROM housing").fetchone() == (506,)
    (application,) = [found for found in cluster.state()["completedapps"] if found["id"] not in before]
    assert (application["state"], application["cores"]) == ("FINISHED", 2)


def test_a_large_load_lands_from_executors_on_both_workers(cluster: Cluster, pipeline: Pipeline) -> None:
    pipeline.repeat_source(LARGE)
    load_id = pipeline.produced()
    process = pipeline.submit(load_id, master=cluster.url, **{"spark.executor.memory": "512m"})
    output, _ = process.communicate(timeout=180)
    assert process.returncode == 0, output[-5000:]
    passed, message = pipeline.verify(load_id)
    assert passed, message
    assert pipeline.publish(load_id).inserted_rows == 506 * LARGE
    assert pipeline.checksum() == pipeline.expected_checksum()
