"""A source that lies on another machine: files by their URL, or what a PostgreSQL server has."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

SCHEMES = ("http", "https", "s3", "gs", "sftp")
LISTING_SCHEMES = ("s3", "gs", "sftp")
"""Those of places that can list their files."""

MAX_URL_LENGTH = 2000
"""Part of a key of the ledger, which PostgreSQL limits to 2,700 bytes."""

MAX_SHOWN_QUERY = 100
MAX_QUERY_LENGTH = 100_000

_URL = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*:)+//")
# A URL is shown in messages and in the ledger, and a password would be, too.
_SECRET = re.compile(r"CREDENTIAL|KEY|PASS|SECRET|SIGNATURE|TOKEN|^SIG$", re.IGNORECASE)
_GLOB = re.compile(r"[*?\[]")
# As in SQL, but for capitals, which stay what they are also without quotes.
_TABLE_PART = r'"(?:[^"\x00-\x1f]|"")+"|[^".\x00-\x1f]+'
_TABLE = re.compile(rf"(?:{_TABLE_PART})(?:\.(?:{_TABLE_PART}))?")


@dataclass(frozen=True, slots=True)
class Url:
    """A file by its URL, or all files of a folder or a pattern.

    Attributes:
        text: The URL, without a user or a password.
        connection: Airflow's id of the connection with the credentials; None for those of the environment, or for none.
        endpoint: Address of a server that speaks as S3 does, if the contract names it; None for any.
    """

    text: str
    connection: str | None = None
    endpoint: str | None = None

    def __str__(self) -> str:
        return self.text

    @property
    def scheme(self) -> str:
        """What the URL begins with, such as ``s3``."""
        return urlsplit(self.text).scheme

    @property
    def host(self) -> str:
        """Host, with its port if there is one, or bucket."""
        return urlsplit(self.text).netloc

    @property
    def key(self) -> str:
        """What follows the host, as it stands there."""
        return self.text.partition("://")[2].partition("/")[2]

    @property
    def name(self) -> str:
        """The last part, that is the name of the file."""
        return self.text.rstrip("/").rpartition("/")[2]

    @property
    def is_pattern(self) -> bool:
        """Whether it stands for all files that match."""
        return self.scheme in LISTING_SCHEMES and _GLOB.search(self.key) is not None


@dataclass(frozen=True, slots=True)
class Query:
    """A table of a PostgreSQL database, or the result of a query.

    Attributes:
        connection: Airflow's id of the connection.
        table: Schema and name of the table, or its name alone; empty if it is a query.
        text: The query; empty if it is a table.
    """

    connection: str
    table: tuple[str, ...] = ()
    text: str = ""

    def __str__(self) -> str:
        return f"connection '{self.connection}': {self.name}"

    @property
    def name(self) -> str:
        """The table, or the begin of the query."""
        if self.table:
            return f"table {'.'.join(self.table)}"
        words = " ".join(self.text.split())
        return f"query {words if len(words) <= MAX_SHOWN_QUERY else words[:MAX_SHOWN_QUERY] + '…'}"


Elsewhere = Url | Query
"""What stands for a source in the place of a path."""


def is_url(text: str) -> bool:
    """Whether a ``sourcePath`` is a URL and no path."""
    return _URL.match(text) is not None


def read_url(text: str, connection: str | None, endpoint: str | None = None) -> Url:
    """Check a URL, which may still hold words of a run.

    Raises:
        ValueError: It is of another kind, or holds a secret; then no part of it is in the message.
    """
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"got a URL that can't be read ({error}); write such as https://example.com/sales.csv") from error
    if "@" in parts.netloc:
        raise ValueError(
            "got a URL with a user or a password, and a URL is shown; put them into an Airflow connection, and write its id as "
            "sourceConnection"
        )
    if parts.scheme not in SCHEMES:
        raise ValueError(f"got a URL of {text.partition('://')[0]}://; write a path, or a URL of {', '.join(SCHEMES)}")
    # To the others a question mark is part of a pattern.
    if not parts.scheme.startswith("http"):
        _require_listing_place(parts.scheme, parts.netloc, connection, text)
    else:
        for name, _ in parse_qsl(parts.query, keep_blank_values=True):
            if _SECRET.search(name):
                raise ValueError(
                    f"got a URL whose parameter {name} may be a secret, and a URL is shown; let the server take it as a header, "
                    "write that into the extra of an Airflow connection of type http, and its id as sourceConnection"
                )
        if "*" in parts.path:
            raise ValueError(f"got {text!r}, but {parts.scheme} can't list files; write the URL of one file")
    if not parts.netloc:
        raise ValueError(f"got {text!r} without a host or a bucket; write such as https://example.com/sales.csv")
    if len(text.encode()) > MAX_URL_LENGTH or not text.isprintable():
        raise ValueError(f"got {text[:200]!r}; write a URL of at most {MAX_URL_LENGTH:,} bytes, in printable characters")
    return Url(text, connection, endpoint)


def _require_listing_place(scheme: str, host: str, connection: str | None, text: str) -> None:
    if _GLOB.search(host):
        raise ValueError(f"got {text!r}, a pattern of hosts or buckets; write one of them")
    if scheme == "sftp" and connection is None:
        raise ValueError(
            f"got {text!r}, which needs a user; make an Airflow connection of type sftp, and write its id as sourceConnection"
        )


def read_query_source(connection: str | None, table: str | None, query: str | None) -> Query:
    """Check a table or a query, one of which is given.

    Raises:
        ValueError: It is none: setting, value, what to write.
    """
    if connection is None:
        raise ValueError("sourceConnection: is missing; write the id of an Airflow connection of type postgres")
    if query is not None:
        text = query.strip().removesuffix(";").rstrip()
        if not text or len(text) > MAX_QUERY_LENGTH or "\0" in text:
            raise ValueError(f"sourceQuery: got {len(text):,} characters; write one SELECT of at most {MAX_QUERY_LENGTH:,}")
        return Query(connection, text=text)
    if not _TABLE.fullmatch(table or ""):
        raise ValueError(
            f'sourceTable: got {table!r}; write such as public.orders, a name with a dot in quotes: public."a.b", or a SELECT as '
            "sourceQuery"
        )
    return Query(connection, table=tuple(map(_unquoted, re.findall(_TABLE_PART, table or ""))))


def _unquoted(part: str) -> str:
    return part[1:-1].replace('""', '"') if part.startswith('"') else part
