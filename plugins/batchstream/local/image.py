"""What is particular to an image: its class path, and the class-data archive that is made while it is built.

``python -m batchstream.local.image train`` makes the archive, with a broker that lives for that long; ``check`` tells whether
Java takes it. Both fail the build if not: an image without an archive would work, and be slow without a word.
"""

import os
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from batchstream.local.environment import spark_connection, tools
from batchstream.local.errors import ServiceError
from batchstream.local.installation import STATE_FOLDER
from batchstream.local.java import java_home
from batchstream.local.kafka import EmbeddedKafka
from batchstream.local.ports import any_free
from batchstream.local.quick_start.archive import archive_path, make_archive, options_with
from batchstream.paths import ROOT

JARS = STATE_FOLDER / "jars"


def image_spark_connection(state: Path) -> dict[str, Any]:
    """Extra of the Spark connection for a driver in an image.

    Spark itself puts ``jars/*`` on the class path, which Java expands in the order that the file system gives: another one on
    each machine that an image is brought to, and an archive holds for one order only. So every jar is named before that.
    """
    spark_jars = sorted((Path(tools()["SPARK_HOME"]) / "jars").glob("*.jar"))
    return spark_connection(JARS, state, ROOT / "docker" / "log4j2.properties", further_jars=spark_jars)


def train() -> None:
    """Start a broker, make the archive, stop the broker.

    Raises:
        ServiceError: There is no archive after all.
    """
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "logs").mkdir()
        spark = image_spark_connection(state)
        path = archive_path(JARS, spark["driver_class_path"])
        log = state / "logs" / "training.log"
        kafka = EmbeddedKafka(state, JARS, any_free(), any_free(), secrets.token_urlsafe(24))
        kafka.start()
        try:
            make_archive(path, spark, kafka.client_settings, {**os.environ, **tools()}, log)
        finally:
            kafka.stop()
        if not path.exists():
            raise ServiceError(f"the training run left no archive:\n{log.read_text(errors='replace')[-5000:]}")


def check() -> None:
    """Let Java open the archive with a class path whose end differs from the one of the training run.

    Raises:
        ServiceError: Java loads classes from their jars instead.
    """
    spark = image_spark_connection(Path("unused"))
    archive = archive_path(JARS, spark["driver_class_path"])
    options = [*options_with(archive), "-Xlog:class+load", "-Xlog:class+path=info"]
    command = [java_home() / "bin" / "java", *options, "-cp", spark["driver_class_path"], "org.apache.spark.deploy.SparkSubmit"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    if "org.apache.spark.deploy.SparkSubmit source: shared objects file (top)" not in done.stdout:
        lines = [line for line in done.stdout.splitlines() if "source:" not in line]
        raise ServiceError("\n".join([f"Java does not take {archive}:", *lines[-20:]]))


if __name__ == "__main__":
    {"train": train, "check": check}[sys.argv[1]]()
