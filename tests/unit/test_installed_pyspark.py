"""Driver and Python workers take pyspark from the installed package, which is compiled, before Spark's zip of sources."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from batchstream.paths import ROOT

FOLDER = Path(str(find_spec("pyspark").origin)).parent / "python" / "lib"  # type: ignore[union-attr]


@pytest.mark.parametrize(("options", "from_zip"), [([], False), (["-S"], True)], ids=["installed", "not-installed"])
@pytest.mark.parametrize("module", ["consume", "quick_start.daemon"])
def test_pyspark_comes_from_the_zip_only_where_it_is_not_installed(module: str, options: list[str], *, from_zip: bool) -> None:
    zips = [str(path) for path in sorted(FOLDER.glob("*.zip"))]
    assert len(zips) == 2
    done = subprocess.run(
        [sys.executable, *options, "-c", f"import batchstream.spark.{module}, pyspark; print(pyspark.__file__)"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([*zips, str(ROOT / "plugins")])},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (".zip" in done.stdout) is from_zip
