"""Makes the class-data archive while an image is built, with a broker that lives for that long.

Where no archive comes out of it the build fails: an image without one would work, and be slow without a word. With ``--check``
it tells whether Java takes the archive that lies there.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from batchstream.services.archive import archive_path, make_archive
from batchstream.services.environment import spark_connection, tools
from batchstream.services.errors import ServiceError
from batchstream.services.installation import STATE_FOLDER
from batchstream.services.java import java_home
from batchstream.services.kafka import EmbeddedKafka
from batchstream.services.ports import any_free

JARS = STATE_FOLDER / "jars"


def train() -> None:
    """Start a broker, make the archive, stop the broker.

    Raises:
        ServiceError: There is no archive after all.
    """
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        (state / "logs").mkdir()
        spark = spark_connection(JARS, state, None)
        path = archive_path(JARS, spark["driver_class_path"])
        log = state / "logs" / "training.log"
        kafka = EmbeddedKafka(state, JARS, any_free(), any_free())
        kafka.start()
        try:
            make_archive(path, spark, kafka.bootstrap_servers, {**os.environ, **tools()}, log)
        finally:
            kafka.stop()
        if not path.exists():
            raise ServiceError(f"the training run left no archive:\n{log.read_text(errors='replace')[-5000:]}")


def check() -> None:
    """Let Java open the archive with a class path as Spark's, and load one of Spark's classes.

    Raises:
        ServiceError: Java loads the class from its jar instead.
    """
    options = spark_connection(JARS, Path("unused"), None)
    archive = archive_path(JARS, options["driver_class_path"])
    spark_jars = Path(tools()["SPARK_HOME"]) / "jars" / "*"
    class_path = f"{options['driver_class_path']}{os.pathsep}{spark_jars}"
    command = [java_home() / "bin" / "java", f"-XX:SharedArchiveFile={archive}", "-XX:+UseSerialGC", "-Xlog:class+load"]
    command += ["-cp", class_path, "org.apache.spark.deploy.SparkSubmit", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "org.apache.spark.deploy.SparkSubmit source: shared objects file (top)" not in done.stdout:
        raise ServiceError(f"Java does not take {archive}: {(done.stdout + done.stderr)[-2000:]}")


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else train()
