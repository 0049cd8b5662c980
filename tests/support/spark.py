"""One Spark session for all tests that need no JVM of their own."""

import logging
import os

from pyspark.sql import SparkSession

from batchstream.local.installation import Installation


class SharedSpark:
    """Starts a session when it is first asked for."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        # It says something whenever an object of the JVM is collected, also after the tests' streams are closed.
        logging.getLogger("py4j").setLevel(logging.WARNING)
        self._session: SparkSession | None = None

    def start(self) -> SparkSession:
        if self._session is None:
            settings = self._installation.spark_settings()
            environment = self._installation.environment()
            names = ("JAVA_HOME", "SPARK_HOME", "PYSPARK_PYTHON", "PYSPARK_DRIVER_PYTHON")
            os.environ.update({name: environment[name] for name in names})
            builder = SparkSession.builder.master("local[2]").appName("batchstream tests")
            for name, value in settings["conf"].items():
                builder = builder.config(name, value)
            os.environ["PYSPARK_SUBMIT_ARGS"] = f'--driver-class-path "{settings["driver_class_path"]}" pyspark-shell'
            self._session = builder.getOrCreate()
        return self._session

    def stop(self) -> None:
        if self._session is not None:
            self._session.stop()
