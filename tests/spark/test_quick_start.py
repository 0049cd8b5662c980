"""What makes Spark start quickly is used by small and by large loads, and a run without it is slower, not red."""

import json
from operator import itemgetter
from pathlib import Path

import psutil
import pytest

from batchstream.local.java import INSTALLED, is_supported, java_home, links_ahead_of_time, version
from batchstream.local.quick_start import archive
from batchstream.local.quick_start.archive import options_with
from tests.support.pipeline import LARGE, Pipeline
from tests.support.spark import SharedSpark

OPTIONS = "spark.driver.extraJavaOptions"
ARCHIVED = "source: shared objects file"


@pytest.mark.parametrize(
    ("times", "class_name"),
    [(1, "org.apache.spark.sql.kafka010.KafkaMicroBatchStream "), (LARGE, "org.apache.spark.api.python.PythonRunner ")],
    ids=["driver", "executors"],
)
def test_a_load_takes_its_classes_from_the_archive(pipeline: Pipeline, tmp_path: Path, times: int, class_name: str) -> None:
    pipeline.repeat_source(times)
    log = tmp_path / "classes.log"
    options = f"{pipeline.installation.spark_settings()['conf'][OPTIONS]} -Xlog:class+load:file={log}"
    process = pipeline.submit(pipeline.produced(), **{OPTIONS: options})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output[-3000:]
    # The rest are proxies, lambdas and what Spark generates.
    loaded = [
        line for line in log.read_text().splitlines() if "source: " in line and "Lambda" not in line and "$Proxy" not in line
    ]
    archived = [line for line in loaded if ARCHIVED in line]
    assert len(archived) > 0.95 * len(loaded)
    assert any(class_name in line for line in archived)
    # Neither is needed, and each takes its time: pyspark's machine learning, and code for what Spark does with messages.
    assert not any("org.apache.spark.ml." in line or "GeneratedClass" in line for line in log.read_text().splitlines())


@pytest.mark.parametrize("times", [1, LARGE], ids=["driver", "executors"])
def test_a_load_imports_neither_pandas_nor_arrow(pipeline: Pipeline, times: int) -> None:
    pipeline.repeat_source(times)
    process = pipeline.submit(pipeline.produced(), variables={"PYTHONPROFILEIMPORTTIME": "1"})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output[-3000:]
    imported = {line.rpartition("|")[2].strip() for line in output.splitlines() if line.startswith("import time:")}
    assert "psycopg" in imported
    assert not imported & {"pandas", "pyarrow", "numpy", "pyspark.testing"}


def test_java_takes_classes_linked_if_it_can(pipeline: Pipeline, tmp_path: Path) -> None:
    log = tmp_path / "aot.log"
    options = pipeline.installation.spark_settings()["conf"][OPTIONS]
    # An older Java has no such log, and would not start.
    options += f" -Xlog:aot:file={log}" if links_ahead_of_time() else ""
    process = pipeline.submit(pipeline.produced(), **{OPTIONS: options})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output[-3000:]
    assert log.exists() == links_ahead_of_time()
    # An incubator module among Java's options would be enough for it not to.
    assert not log.exists() or "Using AOT-linked classes: true" in log.read_text()
    assert "[warning]" not in output


def test_a_broken_archive_makes_no_run_red(pipeline: Pipeline, tmp_path: Path) -> None:
    broken = tmp_path / "classes.jsa"
    broken.write_bytes(b"no archive")
    process = pipeline.submit(pipeline.produced(), **{OPTIONS: " ".join(options_with(broken))})
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output[-3000:]


def test_a_training_that_takes_too_long_leaves_no_process(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, path = pipeline.installation, tmp_path / "classes-1.jsa"
    monkeypatch.setattr(archive, "TRAINING_SECONDS", 2)
    spark = installation.spark_settings()
    archive.make_archive(path, spark, installation.kafka.client_settings, installation.environment(), tmp_path / "training.log")
    assert not archive.is_due(path)
    commands = [process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"])]
    assert not [command for command in commands if any(str(tmp_path) in word for word in command)]


@pytest.mark.nightly
def test_every_java_of_the_machine_lands_a_load_without_an_archive_of_its_own(pipeline: Pipeline) -> None:
    homes = {home.resolve() for home in INSTALLED.glob("*") if (number := version(home)) and is_supported(number)}
    for home in homes | {java_home()}:
        load_id = pipeline.produced()
        process = pipeline.submit(load_id, variables={"JAVA_HOME": str(home)})
        output, _ = process.communicate(timeout=120)
        assert process.returncode == 0, output[-3000:]
        assert pipeline.finish(load_id).published_rows == 506


def test_python_workers_take_pyspark_from_the_installed_package(spark: SharedSpark) -> None:
    def place(_: int) -> str:
        import pyspark

        return str(pyspark.__file__)

    assert ".zip" not in spark.start().sparkContext.parallelize([0], 1).map(place).first()


def test_python_workers_know_the_landing_before_they_are_forked(spark: SharedSpark) -> None:
    def knows(_: int) -> bool:
        import sys

        return "batchstream.spark.micro_batches" in sys.modules

    assert spark.start().sparkContext.parallelize([0], 1).map(knows).first()


@pytest.mark.parametrize(("times", "early"), [(1, False), (LARGE, True)], ids=["driver", "executors"])
def test_large_loads_alone_start_python_workers_before_their_micro_batch(
    pipeline: Pipeline, tmp_path: Path, times: int, early: bool
) -> None:
    pipeline.repeat_source(times)
    log = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": str(tmp_path), "spark.eventLog.compress": "false"}
    process = pipeline.submit(pipeline.produced(), **log)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output[-3000:]
    events = [json.loads(line) for file in tmp_path.rglob("events*") for line in file.read_text().splitlines()]
    jobs = sorted((event for event in events if event["Event"] == "SparkListenerJobStart"), key=itemgetter("Job ID"))
    of_query = ["sql.streaming.queryId" in job["Properties"] for job in jobs]
    assert of_query == ([False, True] if early else [])
    if early:
        # Both at the same time, so that each needs a worker.
        tasks = [e["Task Info"] for e in events if e["Event"] == "SparkListenerTaskEnd" and e["Stage ID"] in jobs[0]["Stage IDs"]]
        assert len(tasks) == 2
        assert max(task["Launch Time"] for task in tasks) < min(task["Finish Time"] for task in tasks)
