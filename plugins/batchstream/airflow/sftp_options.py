"""What Airflow's file system of SFTP servers is told beside the connection: it checks no host key unless it is asked to."""

from typing import Any
from urllib.parse import urlsplit

from batchstream.airflow.connections import source_connection
from batchstream.contract.elsewhere import Url
from batchstream.errors import ConnectionSettingsError

PORT = 22


def sftp_options(source: Url) -> dict[str, Any]:
    """Options for ``get_fs``.

    The server's key is compared with ``host_key`` of the connection's extra, or with ``~/.ssh/known_hosts`` of the worker. As in
    Airflow's own hooks ``no_host_key_check`` turns that off.

    Raises:
        ConnectionSettingsError: The connection is for another host than the URL, at which the file system doesn't look.
    """
    found: Any = source_connection(source)
    url, port = urlsplit(source.text), found.port or PORT
    if (url.hostname, url.port or PORT) != (found.host, port):
        raise ConnectionSettingsError(
            f"{source}: connection '{source.connection}' is for {found.host}:{port}; write the same host and port into both"
        )
    # One instance for all would keep its connection for ever.
    options: dict[str, Any] = {"skip_instance_cache": True}
    extra = found.extra_dejson
    if str(extra.get("no_host_key_check", "")).lower() == "true":
        return options
    key = extra.get("host_key")
    # Nothing stands for the file in the home folder.
    return options | {"known_hosts": f"{found.host},[{found.host}]:{port} {key}\n".encode() if key else ()}
