# The images of docker-compose.yaml: `spark` for master and workers, `airflow` on top of it, as Airflow runs Spark's driver.

FROM python:3.11.15-slim-bookworm AS base
SHELL ["/bin/sh", "-euc"]
# A path without the machine's architecture in it, for JAVA_HOME.
RUN mkdir -p /usr/share/man/man1; \
    apt-get update; \
    apt-get install -y --no-install-recommends openjdk-17-jre-headless; \
    rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/*; \
    ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /opt/java; \
    useradd --uid 10001 --user-group --create-home --home-dir /var/lib/batchstream batchstream; \
    install -d -o batchstream -g batchstream /var/lib/batchstream/checkpoints /var/lib/batchstream/logs /var/lib/batchstream/work
ENV JAVA_HOME=/opt/java \
    PATH=/opt/batchstream/.venv/bin:/opt/java/bin:/usr/local/bin:/usr/bin:/bin \
    SPARK_HOME=/opt/batchstream/.venv/lib/python3.11/site-packages/pyspark \
    PYSPARK_PYTHON=/opt/batchstream/.venv/bin/python \
    PYSPARK_DRIVER_PYTHON=/opt/batchstream/.venv/bin/python \
    UV_PYTHON_DOWNLOADS=never UV_NO_CACHE=1 UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1
WORKDIR /opt/batchstream

# uv, the packages of uv.lock that Spark needs, and the connector's jars.
FROM base AS build
COPY scripts/uv-requirements.txt scripts/
RUN python3 -m venv /opt/uv; \
    /opt/uv/bin/pip install --no-cache-dir --require-hashes --only-binary :all: -r scripts/uv-requirements.txt
COPY pyproject.toml uv.lock ./
# The package runs from its tree, so the tree is put on the path and nothing has to be built. An archive holds for jars of one
# time, which is no part of what a layer is cached by: a rebuilt stage and a cached copy of it would differ.
RUN /opt/uv/bin/uv sync --locked --no-default-groups --no-install-project --extra transforms --python python3; \
    site=.venv/lib/python3.11/site-packages; \
    rm -rf "$SPARK_HOME/examples" "$SPARK_HOME/data"; \
    find $site/pyspark -type d -name tests -prune -exec rm -rf {} +; \
    touch -d @0 "$SPARK_HOME"/jars/*.jar; \
    echo /opt/batchstream/plugins >$site/batchstream.pth
COPY jars.lock ./
COPY plugins plugins
RUN python -m batchstream.local.quick_start.spark_home; python -m batchstream.local.jars spark; touch -d @0 .batchstream/jars/spark/*.jar

# Java's class-data archive, by a training run against a broker that exists in this stage only.
FROM build AS archive
RUN python -m batchstream.local.jars kafka
COPY spark_apps spark_apps
RUN python -m batchstream.local.image train

FROM base AS spark
COPY --from=build /opt/batchstream/.venv .venv
COPY --from=build /opt/batchstream/.batchstream/jars/spark .batchstream/jars/spark
COPY pyproject.toml uv.lock jars.lock ./
COPY docker/entrypoint.sh docker/health.py docker/log4j2.properties docker/
COPY plugins plugins
COPY dags dags
COPY spark_apps spark_apps
COPY sql sql
COPY data data
# The modes are those of the clone, whose umask may be strict.
RUN chmod -R go+rX docker plugins dags spark_apps sql data pyproject.toml uv.lock jars.lock; spark-submit --version
USER 10001:10001
ENTRYPOINT ["/opt/batchstream/docker/entrypoint.sh"]

# The same layers, and Airflow's packages in one more: what the archive was made of stays as it is.
FROM spark AS airflow
USER 0
# "airflow kubernetes" for Airflow in a cluster of Kubernetes, whose provider of Spark asks for that client.
ARG EXTRAS="airflow"
# What sources of Parquet, Excel and zstd, on S3 and SFTP need: tasks of Airflow read them.
ARG SOURCE_EXTRAS="excel parquet s3 sftp zstd"
RUN --mount=type=bind,from=build,source=/opt/uv,target=/opt/uv \
    for extra in $EXTRAS $SOURCE_EXTRAS; do set -- "$@" --extra "$extra"; done; \
    /opt/uv/bin/uv sync --locked --no-default-groups --no-install-project --inexact "$@" --python python3
COPY --from=archive /opt/batchstream/.batchstream/jars/*.jsa .batchstream/jars/
COPY docker/airflow_plugin.py plugins/batchstream_plugin.py
RUN spark-submit --version; python -m batchstream.local.image check
ENV AIRFLOW_HOME=/var/lib/batchstream \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/batchstream/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/batchstream/plugins
USER 10001:10001
