"""An installation beside others: ports that somebody else has, and what every user of the machine can see."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from batchstream.local import ports
from batchstream.local.installation import Installation


@contextmanager
def taken(*numbers: int) -> Iterator[None]:
    """Listen on ports, as somebody else's services would; ports that are in use already are left to whoever has them."""
    with ExitStack() as stack:
        for port in numbers:
            if ports.is_free(port):
                listener = stack.enter_context(socket.socket())
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                listener.bind((ports.LOOPBACK, port))
                listener.listen()
        yield


def command_lines_now() -> set[str]:
    found = set()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


class CommandLines:
    """Notes every command line on this machine, while services start too."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            self.seen |= command_lines_now()

    def __enter__(self) -> "CommandLines":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()


class Own:
    """An installation that may be stopped and broken."""

    def __init__(self, installation: Installation, top: Path, command_lines: set[str], secrets: dict[str, str]) -> None:
        self.installation = installation
        self.top = top
        self.command_lines = command_lines
        self.secrets = secrets

    def processes(self) -> set[int]:
        """All processes that work in its folders."""
        folders = (self.installation.state, self.installation.postgres.folder)
        found = set()
        for path in Path("/proc").glob("[0-9]*/cwd"):
            try:
                working_in = path.readlink()
            except (FileNotFoundError, ProcessLookupError, PermissionError):
                continue
            if any(working_in.is_relative_to(folder) for folder in folders):
                found.add(int(path.parent.name))
        return found

    def daemons(self) -> tuple[int | None, int | None]:
        return self.installation.kafka.daemon.pid, self.installation.postgres.daemon.pid
