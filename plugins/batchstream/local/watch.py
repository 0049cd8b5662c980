"""Starts a service again that crashed while somebody works with it."""

import threading
from contextlib import suppress
from types import TracebackType

from batchstream.local.console import out
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation

EVERY_SECONDS = 0.5
MOST_RESTARTS = 3
"""Of one service in one run: what crashes more often has a cause that a start does not mend."""


class Watch:
    """Looks after PostgreSQL and Kafka in a thread, until its block ends. What ``make down`` stops stays stopped."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._restarts: dict[str, int] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)

    def __enter__(self) -> "Watch":
        """Begin to watch."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop watching; a start that is under way is waited for."""
        self._end.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._end.wait(EVERY_SECONDS):
            for service in (self._installation.postgres, self._installation.kafka):
                if not service.daemon.crashed:
                    continue
                name = service.daemon.name
                count = self._restarts.get(name, 0)
                if count >= MOST_RESTARTS:
                    continue
                # Somebody else may stop or start it at this moment.
                with self._installation.changing_services():
                    if service.daemon.crashed:
                        self._restarts[name] = count + 1
                        out.print(f"{name} crashed and is started again; see {service.daemon.log_file}", markup=False)
                        # What can't be started now is tried again at the next look.
                        with suppress(ServiceError):
                            service.start()
