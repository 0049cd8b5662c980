"""Prints what a Spark driver in a pod of its own needs, from the file that holds Airflow's connections.

A line of either file is NAME=VALUE. So each password is written down once, in the connections, and the driver's secret is
derived: see docs/deploy.md.
"""

import os
import sys
from pathlib import Path

from batchstream.airflow.connections import consumer_environment


def main(connections: Path) -> None:
    """Print the lines."""
    for line in connections.read_text(encoding="utf-8").splitlines():
        name, found, value = line.partition("=")
        if found:
            os.environ[name] = value
    sys.stdout.writelines(f"{name}={value}\n" for name, value in consumer_environment().items())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
