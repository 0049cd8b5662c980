"""Puts an installed pyspark before the zip of its sources that Spark puts first, for the driver and for Python workers.

Python compiles what it imports out of a zip each time, which takes half a second; the same package is installed compiled.
"""

import sys
from importlib.machinery import PathFinder
from pathlib import Path


def prefer_installed_pyspark() -> None:
    """Take Spark's zips off `sys.path`, where pyspark is installed."""
    installed = [entry for entry in sys.path if not (entry.endswith(".zip") and Path(entry).parts[-3:-1] == ("python", "lib"))]
    if PathFinder.find_spec("pyspark", installed):
        sys.path[:] = installed
