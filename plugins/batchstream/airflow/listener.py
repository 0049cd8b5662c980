"""Turns a run red that is about to be green though it published nothing: Airflow lets a person mark anything as success.

An entry point of the package, ``airflow.plugins``, brings it into every Airflow where the package is installed. Airflow calls it
in the scheduler when a run's last task is green, and in the API server when a person marks a run as success.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin
from airflow.sdk import DagRunState
from airflow.sdk.exceptions import AirflowNotFoundException

from batchstream.airflow.connections import POSTGRES, installation, postgres_settings
from batchstream.airflow.marker import ReloadPublished

NOTE_CHARACTERS = 1000
"""Airflow's database takes no longer note of a run."""

log = logging.getLogger(__name__)


class RunListener:
    """Airflow calls its methods by their names."""

    @hookimpl
    def on_dag_run_success(self, dag_run: Any) -> None:
        """Mark the run as failed, with a note that says why, unless each of its reloads has published a load."""
        # Of a run that is marked while it works the closing is still to come. It sees to the rest.
        if dag_run.state != DagRunState.SUCCESS:
            return
        # The API server of Airflow 3.2 hands over a run without its DAG.
        dag = dag_run.dag or dag_run.created_dag_version.serialized_dag.dag
        datasets = sorted({task.dataset for task in dag.tasks if task.task_type == ReloadPublished.__name__})
        if not datasets:
            return
        # Airflow has a session for each thread. The scheduler works in its own, which a look for a connection would close.
        with ThreadPoolExecutor(1) as apart:
            reason = apart.submit(_why_red, dag_run.dag_id, dag_run.run_id, datasets).result()
        if reason:
            log.error("run %s of %s is not green: %s", dag_run.run_id, dag_run.dag_id, reason)
            dag_run.set_state(DagRunState.FAILED)
            if reason not in (dag_run.note or ""):
                dag_run.note = "\n".join(filter(None, [dag_run.note, reason]))[:NOTE_CHARACTERS]


def _why_red(dag_id: str, run_id: str, datasets: list[str]) -> str | None:
    try:
        from batchstream.load.close import unpublished

        return unpublished(postgres_settings(POSTGRES), installation(), dag_id, run_id, datasets)
    except AirflowNotFoundException:
        # Only tasks have it, and they have looked: what a person has marked by hand stays as it was marked.
        log.warning("connection '%s' is not known here, so nobody asks whether run %s has published", POSTGRES, run_id)
        return None
    except Exception as error:
        # Airflow only logs what a listener raises, and the run would be green.
        log.exception("the ledger can't be asked")
        return f"whether it published is not known, as the ledger can't be asked: {error}"


class BatchstreamPlugin(AirflowPlugin):
    """What the package adds to Airflow itself."""

    name = "batchstream"
    listeners = [RunListener()]  # noqa: RUF012
