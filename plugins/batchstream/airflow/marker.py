"""The last task of a reload, by which a DAG that Airflow has stored still tells what it has to publish."""

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator


class ReloadPublished(EmptyOperator):
    """Runs nothing; it is green if the task before it is.

    Args:
        dataset: What is reloaded.
        arguments: Of Airflow's operators.
    """

    # Of an operator's own attributes Airflow stores these.
    template_fields = ("dataset",)

    def __init__(self, *, dataset: str, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.dataset = dataset
