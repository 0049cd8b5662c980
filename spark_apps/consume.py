"""What ``spark-submit`` starts: consumes one load from its topic into its landing. See `batchstream.spark.consume`."""

import sys

from batchstream.spark.consume import main

if __name__ == "__main__":
    sys.exit(main())
