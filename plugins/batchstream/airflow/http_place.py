"""A source on an HTTP server: one file, which is complete only if the server says how long it is, or where it ends."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from batchstream.airflow.connections import source_connection
from batchstream.contract.elsewhere import Url
from batchstream.errors import ConnectionSettingsError, PlaceError, SourceError, SourceMissingError
from batchstream.load.spool import Seen

TIMEOUT_SECONDS = 60
"""Without any byte."""

MAX_REDIRECTS = 10

# Those that a server may answer otherwise in a moment.
_RETRIED = (408, 425, 429)
# Unpacked by httpx it would have another length than the server said; what is packed is unpacked when it is read.
_AS_IT_IS = {"Accept-Encoding": "identity", "User-Agent": "batchstream"}


class HttpPlace:
    """Reads a file by GET. Login and password of the connection, and its extra as headers, go to the host of the URL only.

    Args:
        source: The file.
    """

    def __init__(self, source: Url) -> None:
        self._source = source
        self._auth, self._headers = _credentials(source)
        # No connection is used twice: a server may close one that is idle just when the next request is on its way.
        once = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(timeout=TIMEOUT_SECONDS, headers=_AS_IT_IS, limits=once)

    def __enter__(self) -> Self:
        # It logs each URL, and that of a redirect may hold a signature.
        logging.getLogger("httpx").addFilter(_is_warning)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("httpx").removeFilter(_is_warning)
        self._client.close()

    def files(self) -> list[Url]:
        """The file itself: HTTP has no way to list others."""
        return [self._source]

    def look(self, file: Url) -> Seen:
        """Length and mark of the file. Not by HEAD, which many servers refuse, or answer otherwise than GET."""
        with self._response(file) as response:
            headers = response.headers
            size = headers.get("content-length")
            return Seen(int(size) if size else None, headers.get("etag") or headers.get("last-modified", ""))

    def read(self, file: Url) -> Iterator[bytes]:
        """The file as the server has it."""
        with self._response(file) as response:
            try:
                yield from response.iter_raw()
            except httpx.HTTPError as error:
                raise PlaceError(
                    f"{file}: the source was cut off: the server ended after {response.num_bytes_downloaded:,} bytes: "
                    f"{_said(error)}; it is tried again"
                ) from error

    @contextmanager
    def _response(self, file: Url) -> Iterator[httpx.Response]:
        response = self._got(file)
        try:
            _require_good(file, response)
            yield response
        finally:
            response.close()

    def _got(self, file: Url) -> httpx.Response:
        """The answer of the last server to which the URL leads; credentials go to the first one only."""
        url = first = httpx.URL(file.text)
        for _ in range(MAX_REDIRECTS + 1):
            ours = (url.scheme, url.netloc) == (first.scheme, first.netloc)
            try:
                request = self._client.build_request("GET", url, headers=self._headers if ours else {})
                response = self._client.send(request, stream=True, auth=self._auth if ours else None)
                if not response.has_redirect_location:
                    return response
                response.close()
                url = url.join(response.headers["location"])
            except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
                raise SourceError(
                    f"{file}: the URL, or one to which it leads, can't be asked: {_said(error)}; mend it"
                ) from error
            except httpx.TransportError as error:
                raise PlaceError(
                    f"{file}: {first.host} can't be reached: {_said(error)}; see whether it runs and whether this machine may "
                    "reach it; it is tried again"
                ) from error
            if first.scheme == "https" and url.scheme != "https":
                raise SourceError(f"{file}: leads to a URL without TLS, where anybody could change it; write the right URL")
        raise SourceError(f"{file}: leads to more than {MAX_REDIRECTS} other URLs, one after the other; write the last one")


def _require_good(file: Url, response: httpx.Response) -> None:
    status = f"{response.status_code} {response.reason_phrase}"
    if response.status_code in (401, 403):
        if file.connection is None:
            raise SourceError(f"{file}: the server refuses it: {status}; write an Airflow connection as sourceConnection")
        raise ConnectionSettingsError(f"{file}: the server refuses it to connection '{file.connection}': {status}; mend that")
    if response.status_code in (404, 410):
        raise SourceMissingError(f"{file}: there is no such file: {status}; mend sourcePath")
    if response.status_code in _RETRIED or response.is_server_error:
        raise PlaceError(f"{file}: the server can't answer now: {status}; it is tried again")
    if response.status_code != httpx.codes.OK:
        raise SourceError(f"{file}: the server answers {status} and not 200; mend sourcePath")
    if "content-length" not in response.headers and "chunked" not in response.headers.get("transfer-encoding", "").lower():
        raise SourceError(
            f"{file}: the server says neither how long the file is nor where it ends, so that one that is cut off looks like a "
            "whole one; let it send Content-Length"
        )


def _credentials(source: Url) -> tuple[httpx.BasicAuth | None, dict[str, str]]:
    """What goes to the host for which the connection is."""
    if source.connection is None:
        return None, {}
    found: Any = source_connection(source)
    host = found.host or ""
    named = urlsplit(host if "://" in host else f"//{host}").hostname
    if named != urlsplit(source.text).hostname:
        raise ConnectionSettingsError(
            f"{source}: connection '{source.connection}' is for host '{named or ''}'; write the host of the URL into it, so that "
            "its password goes nowhere else"
        )
    auth = httpx.BasicAuth(found.login, found.password or "") if found.login else None
    return auth, {name: value for name, value in found.extra_dejson.items() if isinstance(value, str)}


def _is_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
