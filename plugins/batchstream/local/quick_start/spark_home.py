"""A Spark without what no load uses: machine learning, graphs, Hive, Spark Connect and its shell.

When Spark starts, it looks for data sources, extensions and resources in each jar on its class path, and its extension for
machine learning alone takes a quarter of a second. It is also what Java's incubator module of vectors is for, and with such a
module Java links no class ahead of time. A clone has a folder of links, as its installed package may serve others;
``python -m batchstream.local.quick_start.spark_home``, for an image, removes the jars from the package itself.
"""

import hashlib
import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from batchstream.local.errors import ServiceError

UNUSED = (
    # Machine learning and graphs.
    *("spark-mllib_", "spark-graphx_", "breeze", "spire", "arpack", "blas", "lapack", "JLargeArrays", "JTransforms"),
    # Hive; not hive-storage-api, which ORC needs.
    *(f"hive-{name}" for name in ("beeline", "cli", "common", "exec", "jdbc", "metastore", "serde", "service", "shims")),
    *("spark-hive", "datanucleus", "derby", "HikariCP", "libfb303", "libthrift"),
    *("javax.jdo", "jdo-api", "jta", "transaction-api"),
    # Spark Connect and the shell.
    *("spark-connect", "spark-pipelines", "spark-repl", "connect-repl", "scala-compiler", "jline"),
)
"""How the names of their files begin. What a cluster's master may need stays: that is for a connection to choose."""

VECTORS = "--add-modules=jdk.incubator.vector"
"""Spark's launcher gives it to every Java, and has no setting for it."""

SPARK_CLASS = f"""\
#!/usr/bin/env bash
# Spark's own, which ends with an exec of Java, but for an option.
exec() {{
    local word words=()
    for word in "$@"; do [ "$word" = {VECTORS} ] || words+=("$word"); done
    builtin exec "${{words[@]}}"
}}
source "$SPARK_HOME/package/bin/spark-class"
"""


def installed_spark() -> Path:
    """Folder of the installed pyspark, which is a whole Spark; found without the cost of importing it.

    Raises:
        ServiceError: It is not installed.
    """
    found = find_spec("pyspark")
    if found is None or found.origin is None:
        raise ServiceError("the package pyspark is not installed: run make setup, or install batchstream[airflow,local]")
    return Path(found.origin).parent


def spark_home(folder: Path) -> Path:
    """The folder for SPARK_HOME, below another one; made when it is missing, or Spark is another one."""
    spark = installed_spark()
    made_of = "\n".join([str(spark), version("pyspark"), *UNUSED, SPARK_CLASS])
    home = folder / f"home-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"
    if not home.exists():
        partial = home.with_suffix(f".{os.getpid()}.partial")
        (partial / "jars").mkdir(parents=True)
        (partial / "bin").mkdir()
        (partial / "package").symlink_to(spark)
        (partial / "python").symlink_to(spark / "python")
        for script in sorted((spark / "bin").iterdir()):
            (partial / "bin" / script.name).symlink_to(script)
        (partial / "bin" / "spark-class").unlink()
        (partial / "bin" / "spark-class").write_text(SPARK_CLASS)
        (partial / "bin" / "spark-class").chmod(0o755)
        for jar in sorted((spark / "jars").iterdir()):
            if not jar.name.startswith(UNUSED):
                (partial / "jars" / jar.name).symlink_to(jar)
        try:
            partial.rename(home)
        except OSError:
            # Another command of this clone was quicker.
            shutil.rmtree(partial)
    return home


def remove_unused(spark: Path) -> None:
    """Remove the jars that no load uses from a Spark that nobody else uses."""
    for jar in (spark / "jars").iterdir():
        if jar.name.startswith(UNUSED):
            shutil.rmtree(jar) if jar.is_dir() else jar.unlink()


if __name__ == "__main__":
    remove_unused(installed_spark())
