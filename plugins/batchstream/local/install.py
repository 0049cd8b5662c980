"""Installs what needs the virtual environment: jars, and the class-data archive of the Spark job. `make setup` ends with it."""

import sys

from batchstream.errors import BatchstreamError
from batchstream.local.console import complain
from batchstream.local.installation import Installation


def main() -> int:
    """Install; the exit status is 0, or 1 with a message."""
    try:
        Installation().install()
    except BatchstreamError as error:
        complain(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
