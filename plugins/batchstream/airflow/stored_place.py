"""A source in an object store or on an SFTP server: files that can be listed, by the file system that Airflow has for them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from airflow.sdk.io import get_fs

from batchstream.airflow.sftp_options import sftp_options
from batchstream.contract.elsewhere import Url
from batchstream.errors import BatchstreamError, ConnectionSettingsError, PlaceError, SourceError, SourceMissingError
from batchstream.load.spool import Seen

BLOCK_BYTES = 8 * 1024 * 1024

# Scheme → what brings its file system.
_PACKAGES = {
    "s3": "'batchstream[s3]'",
    "sftp": "'batchstream[sftp]'",
    "gs": "apache-airflow-providers-google gcsfs",
}
# What the file systems call that which a change of a file changes.
_MARKS = ("ETag", "etag", "VersionId", "generation", "LastModified", "updated", "mtime")


class StoredPlace:
    """Reads files of one file system.

    Args:
        source: A file, a folder or a pattern.
    """

    def __init__(self, source: Url) -> None:
        self._source = source
        options = sftp_options(source) if source.scheme == "sftp" else {}
        with _errors(source):
            try:
                self._files: Any = get_fs(source.scheme, source.connection, options)
            except (ImportError, ValueError) as error:
                raise SourceError(
                    f"{source}: {source.scheme}:// needs a package; pip install {_PACKAGES[source.scheme]}"
                ) from error
        self._require_endpoint()

    def files(self) -> list[Url]:
        """The file, or those of a folder or a pattern; not those of subfolders, nor hidden ones."""
        source, path = self._source, self._path(self._source)
        with _errors(source):
            self._files.invalidate_cache()
            if source.is_pattern:
                found = self._files.glob(path, detail=True).values()
            elif self._files.isdir(path):
                found = self._files.ls(path, detail=True)
            else:
                return [source]
        names = [one["name"] for one in found if one["type"] != "directory"]
        return [self._url(name) for name in names if not name.endswith("/") and not name.rpartition("/")[2].startswith(".")]

    def look(self, file: Url) -> Seen:
        """Size and mark, asked anew."""
        with _errors(file):
            self._files.invalidate_cache()
            found = self._files.info(self._path(file))
        return Seen(found["size"], " ".join(str(found[mark]) for mark in _MARKS if found.get(mark) is not None))

    def read(self, file: Url) -> Iterator[bytes]:
        """The file, some megabytes at a time."""
        with _errors(file), self._files.open(self._path(file), "rb", block_size=BLOCK_BYTES) as opened:
            while block := opened.read(BLOCK_BYTES):
                yield block

    def _path(self, file: Url) -> str:
        """What the file system calls a file."""
        return f"/{file.key}" if file.scheme == "sftp" else f"{file.host}/{file.key}"

    def _url(self, name: str) -> Url:
        source = self._source
        place = f"{source.scheme}://{source.host}" if source.scheme == "sftp" else f"{source.scheme}:/"
        return Url(f"{place}/{name.lstrip('/')}", source.connection, source.endpoint)

    def _require_endpoint(self) -> None:
        wanted, found = self._source.endpoint, getattr(self._files, "endpoint_url", None)
        if wanted is not None and wanted.rstrip("/") != (found or "").rstrip("/"):
            raise ConnectionSettingsError(
                f"{self._source}: servers: endpointUrl is {wanted}, but the connection says {found or 'none'}; write "
                f'"endpoint_url": "{wanted}" into the extra of an Airflow connection of type aws, and its id as sourceConnection'
            )


@contextmanager
def _errors(file: Url) -> Iterator[None]:
    """Sort what a file system raises by what mends it; what isn't known is tried again."""
    who = f"connection '{file.connection}'" if file.connection else "the credentials of the environment, or none"
    try:
        yield
    except BatchstreamError:
        raise
    except FileNotFoundError as error:
        raise SourceMissingError(f"{file}: there is no such file; mend sourcePath") from error
    except PermissionError as error:
        raise ConnectionSettingsError(f"{file}: it is refused to {who}: {error}; mend that, or the rights of the file") from error
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        if type(error).__name__ in _REFUSALS:
            raise ConnectionSettingsError(f"{file}: it is refused to {who}: {said}; mend that") from error
        raise PlaceError(f"{file}: the source can't be read: {said}; it is tried again") from error


# What the clients of S3, SFTP and Google raise when a retry would end in the same way; their modules may not be there.
_REFUSALS = (
    *("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"),
    *("PermissionDenied", "HostKeyNotVerifiable", "KeyImportError"),
    *("RefreshError", "DefaultCredentialsError"),
)
