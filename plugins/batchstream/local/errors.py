"""Errors of the embedded services."""

from batchstream.errors import BatchstreamError


class ServiceError(BatchstreamError):
    """A service could not be installed, started or stopped; the message says what to do."""
