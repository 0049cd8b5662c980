"""Looks at the published table all the time, as readers do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.compose.airflow_api import AirflowApi
from tests.compose.stack import Stack

EXPECTED = (506, "22.532806")
QUERY = "SELECT count(*), round(avg(medv)::numeric, 6)::text FROM housing"


def housing(stack: Stack) -> tuple[int, str]:
    """Rows and mean of medv."""
    with stack.connect() as connection:
        return connection.execute(QUERY).fetchone()  # type: ignore[return-value]


def green_at_last(stack: Stack, airflow: AirflowApi, run_id: str) -> None:
    """The run, or else the next one, succeeds."""
    if airflow.wait_for_run(run_id) != "success":
        stack.wait_until_healthy()
        following = airflow.trigger()
        assert airflow.wait_for_run(following) == "success", airflow.tasks(following)
    assert housing(stack) == EXPECTED


class Watch(threading.Thread):
    """Collects what differs from a whole load; a server that is away is not a difference."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._end = threading.Event()
        self.looks = 0
        self.wrong: list[tuple[int, str]] = []

    def run(self) -> None:
        while not self._end.wait(0.2):
            try:
                with self._stack.connect() as connection:
                    while not self._end.wait(0.05):
                        found = connection.execute(QUERY).fetchone()
                        self.looks += 1
                        if found != EXPECTED:
                            self.wrong.append(found)  # type: ignore[arg-type]
            except psycopg.OperationalError:
                continue

    def stop(self) -> None:
        self._end.set()
        self.join(30)


@contextmanager
def readers(stack: Stack) -> Iterator[None]:
    """See whole loads only, and look at all, until the end of the block."""
    watch = Watch(stack)
    watch.start()
    try:
        yield
    finally:
        watch.stop()
    assert watch.looks > 0
    assert watch.wrong == []
