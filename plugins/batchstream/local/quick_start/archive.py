"""Java's archive of the Spark job's classes: halves the start of its JVM.

With Java 25 it is an ahead-of-time cache, which holds them linked (JEP 483, JEP 514), before that a class-data archive, which
holds them as they are read (JEP 350). Either fits one Java, one class path in one order and one set of options; Java ignores it
otherwise, so it can make a run faster but never fail.
"""

import hashlib
import json
import os
import subprocess
import time
import uuid
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from batchstream.kafka.delivery import PRODUCER_SETTINGS
from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.local import sessions
from batchstream.local.java import java_home, links_ahead_of_time
from batchstream.local.quick_start import spark_home
from batchstream.paths import PACKAGE

TRAINING_APPLICATION = PACKAGE / "spark" / "quick_start" / "train.py"
MADE_OF = (
    Path(__file__),
    Path(spark_home.__file__),
    TRAINING_APPLICATION,
    PACKAGE / "spark" / "session.py",
    PACKAGE / "private.py",
)
"""Files that say which classes a load loads, and from where."""

SILENT = {"log_level": 0}
"""librdkafka writes its warnings to the terminal otherwise, through a bar that moves there."""

TRAINING_SECONDS = 180
RETRY_SECONDS = 24 * 60 * 60
JAVA_OPTIONS = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
QUIET = ("-Xlog:disable", "-Xlog:all=error:stderr")
"""What Java says of classes that it can't take from an archive is no load's concern. (Every Java knows these options.)"""


def archive_path(folder: Path, class_path: str) -> Path:
    """Where the archive for this Java, Spark, class path, set of options and training is, once it is made."""
    release = (java_home() / "release").read_bytes() if (java_home() / "release").exists() else str(java_home()).encode()
    made_of = [release, version("pyspark").encode(), class_path.encode(), "".join(JAVA_OPTIONS).encode()]
    made_of += [path.read_bytes() for path in MADE_OF]
    return folder / f"classes-{hashlib.sha256(b''.join(made_of)).hexdigest()[:16]}.jsa"


def options_with(archive: Path) -> list[str]:
    """Options by which Java takes its classes from an archive."""
    return [*JAVA_OPTIONS, *QUIET, f"-XX:{'AOTCache' if links_ahead_of_time() else 'SharedArchiveFile'}={archive}"]


def make_archive(
    path: Path, spark: Mapping[str, object], kafka: Mapping[str, str], environment: Mapping[str, str], log_file: Path
) -> None:
    """Make the archive by a training run against a running broker; without one if the run fails."""
    topic = f"batchstream-training-{uuid.uuid4().hex[:8]}"
    admin = AdminClient({**kafka, **SILENT})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    producer = Producer({**kafka, **PRODUCER_SETTINGS, **SILENT})
    producer.produce(topic, value=b"[]")
    producer.flush()
    partial = path.with_suffix(f".{os.getpid()}.partial")
    recording = "AOTCacheOutput" if links_ahead_of_time() else "ArchiveClassesAtExit"
    options = " ".join([*JAVA_OPTIONS, f'"-XX:{recording}={partial}"'])
    command = ["spark-submit", "--master", "local[2]", "--driver-class-path", str(spark["driver_class_path"])]
    command += ["--driver-memory", str(spark["driver_memory"]), "--conf", f"spark.driver.extraJavaOptions={options}"]
    conf = spark["conf"]
    for name, value in conf.items() if isinstance(conf, dict) else ():
        if name != "spark.driver.extraJavaOptions":
            command += ["--conf", f"{name}={value}"]
    # Should it fail, or this command be ended meanwhile, no other command is to wait for the same again.
    _tried(path).touch()
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            [*command, str(TRAINING_APPLICATION), topic],
            env={**environment, KAFKA_VARIABLE: json.dumps(dict(kafka))},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        process.wait(TRAINING_SECONDS)
    except subprocess.TimeoutExpired:
        return
    finally:
        # Java and its Python, also of a run that takes too long or is interrupted.
        sessions.stop([process.pid], reap=process.poll)
        process.wait()
        admin.delete_topics([topic])[topic].result()
        if partial.exists():
            for old in path.parent.glob("classes-*.jsa"):
                old.unlink()
            partial.rename(path)


def is_due(path: Path) -> bool:
    """Whether the archive is to be made: it is missing, and nobody has tried to make it for a day."""
    tried = _tried(path)
    return not path.exists() and not (tried.exists() and time.time() - tried.stat().st_mtime < RETRY_SECONDS)


def _tried(path: Path) -> Path:
    return path.with_suffix(".tried")
