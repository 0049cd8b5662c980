"""The session of a check. Imported when a check runs: what it imports would slow down the parsing of DAG files."""

from typing import Any

from airflow.providers.common.sql.hooks.sql import DbApiHook

from batchstream.postgres.check_session import check_session
from batchstream.postgres.connection import PostgresSettings


class CheckHook(DbApiHook):
    """Connects as batchstream does, with its time-outs, to read only; for the rules of a contract with fewer rights still.

    Attributes:
        row: What the check said: a verdict and a sentence.
    """

    conn_name_attr = "conn_id"

    def __init__(self, settings: PostgresSettings, *, measures_rules: bool) -> None:
        super().__init__(conn_id=settings.connection_id)
        self._settings = settings
        self._measures_rules = measures_rules
        self.row: tuple[Any, ...] | None = None

    def get_conn(self) -> Any:
        """A session of the loading role that may only read."""
        return check_session(self._settings, measures_rules=self._measures_rules)

    def get_first(self, sql: Any, parameters: Any = None) -> Any:
        """Run a check and keep its row."""
        self.row = super().get_first(sql, parameters)
        return self.row
