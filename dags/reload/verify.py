"""The checks' task."""

from typing import Any

from airflow.providers.common.sql.operators.sql import SQLCheckOperator
from airflow.sdk.exceptions import AirflowFailException

from reload.connections import POSTGRES


class VerifyOperator(SQLCheckOperator):
    """Runs a check whose one row holds a verdict and a sentence.

    `SQLCheckOperator` shows the whole query and the bare row when a check fails; this one fails with the sentence. A
    failed check is not tried again, as the same rows would fail it again; a lost connection is.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(conn_id=POSTGRES, retry_on_failure=False, **kwargs)

    def execute(self, context: Any) -> None:
        """Run the check."""
        try:
            super().execute(context)
        except AirflowFailException as error:
            row = self.get_db_hook().get_first(self.sql)
            raise AirflowFailException(str(row[1]) if row else str(error)) from error
