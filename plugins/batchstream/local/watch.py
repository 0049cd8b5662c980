"""Starts a service again that crashed while somebody works with it."""

from collections import Counter
from contextlib import AbstractContextManager, suppress

from batchstream.local.console import out
from batchstream.local.errors import ServiceError
from batchstream.local.installation import Installation
from batchstream.local.repeating import repeating

EVERY_SECONDS = 0.5
MOST_RESTARTS = 3
"""Of one service in one run: what crashes more often has a cause that a start does not mend."""


def watching(installation: Installation) -> AbstractContextManager[None]:
    """Look after PostgreSQL and Kafka in a thread, until the block ends. What ``make down`` stops stays stopped."""
    restarts: Counter[str] = Counter()
    return repeating(lambda: _start_crashed(installation, restarts), EVERY_SECONDS)


def _start_crashed(installation: Installation, restarts: Counter[str]) -> None:
    for service in (installation.postgres, installation.kafka):
        name = service.daemon.name
        if not service.daemon.crashed or restarts[name] >= MOST_RESTARTS:
            continue
        # Somebody else may stop or start it at this moment.
        with installation.changing_services():
            if service.daemon.crashed:
                restarts[name] += 1
                out.print(f"{name} crashed and is started again; see {service.daemon.log_file}", markup=False)
                # What can't be started now is tried again at the next look.
                with suppress(ServiceError):
                    service.start()
