"""Runs a step in a thread, so that a test can break something while it works."""

import threading
from collections.abc import Callable
from typing import Any


class Background(threading.Thread):
    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        super().__init__()
        self._call: Callable[[], Any] = lambda: function(*arguments)
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.error = error

    def wait(self, seconds: float = 120) -> None:
        self.join(seconds)
        assert not self.is_alive()
