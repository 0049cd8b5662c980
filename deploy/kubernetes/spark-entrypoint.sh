#!/usr/bin/env bash
# What a pod of Spark runs. Spark gives "driver" and its arguments, or "executor" and its settings as variables: the contract
# of the official image's entry point, which the Python package pyspark does not bring along.
set -euo pipefail
role=$1
shift
case $role in
driver)
    exec spark-submit --conf "spark.driver.bindAddress=$SPARK_DRIVER_BIND_ADDRESS" \
        --conf "spark.executorEnv.SPARK_DRIVER_POD_IP=$SPARK_DRIVER_BIND_ADDRESS" --deploy-mode client "$@"
    ;;
executor)
    options=()
    # Sorted, as an option may need an earlier one (-XX:+UnlockDiagnosticVMOptions).
    for name in $(compgen -v | grep '^SPARK_JAVA_OPT_[0-9]*$' | sort -t_ -k4n); do
        options+=("${!name}")
    done
    exec "$JAVA_HOME/bin/java" "${options[@]}" "-Xms$SPARK_EXECUTOR_MEMORY" "-Xmx$SPARK_EXECUTOR_MEMORY" \
        -cp "${SPARK_CLASSPATH:+$SPARK_CLASSPATH:}$SPARK_HOME/jars/*" \
        org.apache.spark.scheduler.cluster.k8s.KubernetesExecutorBackend \
        --driver-url "$SPARK_DRIVER_URL" --executor-id "$SPARK_EXECUTOR_ID" --cores "$SPARK_EXECUTOR_CORES" \
        --app-id "$SPARK_APPLICATION_ID" --hostname "$SPARK_EXECUTOR_POD_IP" \
        --resourceProfileId "$SPARK_RESOURCE_PROFILE_ID" --podName "$SPARK_EXECUTOR_POD_NAME"
    ;;
*)
    echo "spark-entrypoint.sh: got '$role'; it is driver or executor" >&2
    exit 2
    ;;
esac
