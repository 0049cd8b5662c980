"""Memory is that of the process which is asked for, not of the one that started it."""

import subprocess
import sys

from batchstream.paths import ROOT
from benchmarks.measure import Memory

PYTHON_BYTES = 5_000_000
"""Less than what a Python that runs nothing takes."""


def test_the_producers_peak_leaves_out_what_the_process_that_starts_it_has() -> None:
    held = bytes(b"x" * 400_000_000)
    command = [sys.executable, "-c", "from benchmarks.apps.produce import peak_bytes; print(peak_bytes())"]
    peak_bytes = int(subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout)
    assert PYTHON_BYTES < peak_bytes < len(held)


def test_a_process_counts_from_the_second_look() -> None:
    watch = Memory()
    watch.now_bytes()
    others_bytes = watch.now_bytes()
    command = [sys.executable, "-c", "print(flush=True)\ninput()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert watch.now_bytes() < others_bytes + PYTHON_BYTES
        assert watch.now_bytes() > others_bytes + PYTHON_BYTES
        process.communicate(b"\n")
