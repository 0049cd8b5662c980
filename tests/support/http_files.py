"""An HTTP server on loopback whose answers a test writes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What a client asked for, and from which of its ports."""

    path: str
    headers: dict[str, str]
    port: int


Answer = Callable[[BaseHTTPRequestHandler], None]


class HttpFiles:
    """What the server has, and what it was asked for.

    Attributes:
        port: On 127.0.0.1.
        answers: Path → what answers.
        requests: All so far.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.answers: dict[str, Answer] = {}
        self.requests: list[Request] = []

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(self, path: str, content: bytes) -> str:
        """Serve a file; returns its URL."""
        self.answers[path] = whole(content)
        return self.url(path)


def answered(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"", **headers: Any) -> None:
    """Answer with a status, headers such as ``Content_Length``, and a body."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def whole(content: bytes, mark: str = '"1"') -> Answer:
    return lambda handler: answered(handler, 200, content, Content_Length=len(content), ETag=mark)


def _missing(handler: BaseHTTPRequestHandler) -> None:
    answered(handler, 404, Content_Length=0)


@contextmanager
def http_files() -> Iterator[HttpFiles]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            files.requests.append(Request(self.path, dict(self.headers), self.client_address[1]))
            self.close_connection = True
            files.answers.get(self.path, _missing)(self)

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            # A client that has seen enough goes away.
            with suppress(OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    files = HttpFiles(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield files
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
