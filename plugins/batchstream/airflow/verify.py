"""The checks' tasks."""

from typing import Any

from airflow.providers.common.sql.operators.sql import SQLCheckOperator
from airflow.sdk.exceptions import AirflowFailException

from batchstream.airflow.connections import POSTGRES, POSTGRES_OWNER, postgres_settings
from batchstream.airflow.failures import airflow_errors
from batchstream.contract import Contract
from batchstream.errors import LoadError, errors_about


class VerifyOperator(SQLCheckOperator):
    """Runs a check whose one row holds a verdict and a sentence, and enters the verdict in the ledger.

    The parent's `execute` runs the query and decides, by a hook of ours. When a check fails, the parent shows the whole query and
    the bare row; this one shows the sentence. A failed check is not tried again, as the same rows would fail it again; a lost
    connection is.

    Args:
        contract: Of the data set.
        check: A `batchstream.load.verify.CheckName`.
        load_id: The load.
    """

    template_fields = (*SQLCheckOperator.template_fields, "load_id")

    def __init__(self, *, contract: Contract, check: str, load_id: Any, **kwargs: Any) -> None:
        super().__init__(conn_id=POSTGRES, sql="", retry_on_failure=False, **kwargs)
        self.check = check
        self.load_id = load_id
        self._dataset = contract.name
        self._check_hook: Any = None

    def get_db_hook(self) -> Any:
        """The check's own session."""
        return self._check_hook

    def execute(self, context: Any) -> None:
        """Run the check."""
        from batchstream.airflow.check_hook import CheckHook
        from batchstream.load import verify
        from batchstream.postgres.connection import connect
        from batchstream.postgres.failures import postgres_errors

        load_id, check = int(self.load_id), verify.CheckName(self.check)
        settings = postgres_settings(POSTGRES_OWNER if check is verify.CheckName.PUBLISHED else POSTGRES)
        self._check_hook = CheckHook(settings, measures_rules=check is verify.CheckName.COLUMNS)
        with (
            airflow_errors(),
            errors_about(dataset=self._dataset, load_id=load_id),
            connect(settings, application_name="batchstream check") as beside,
            postgres_errors(f"load {load_id}: {self.task_id}", beside),
            verify.named_rules(settings, load_id, check),
        ):
            self.sql = verify.check_sql(settings, load_id, check)
            try:
                super().execute(context)
            except AirflowFailException as error:
                _, message = self._check_hook.row or (False, str(error))
                verify.note_verdict(postgres_settings(POSTGRES_OWNER), load_id, check, passed=False, message=message)
                raise LoadError(message) from error
            verify.note_verdict(postgres_settings(POSTGRES_OWNER), load_id, check, passed=True, message=self._check_hook.row[1])
