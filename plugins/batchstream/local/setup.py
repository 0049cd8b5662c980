"""The part of the set-up that needs the virtual environment: jars, and the class-data archive of the Spark job."""

import sys

from batchstream.errors import BatchstreamError
from batchstream.local.console import complain
from batchstream.local.installation import Installation


def main() -> int:
    """Download the jars."""
    try:
        Installation().install()
    except BatchstreamError as error:
        complain(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
