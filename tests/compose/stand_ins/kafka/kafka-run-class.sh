#!/bin/bash
# Kafka's command line: each tool is its class under the name that the distribution gives it.
tools=${KAFKA_TOOLS_LOG4J:-/etc/kafka/docker/tools-log4j}
server=/opt/kafka/config/log4j
heap=${KAFKA_HEAP_OPTS:--Xmx256m}
collector=
logging="-Dlog4j2.configurationFile=$tools"2.yaml" -Dlog4j.configuration=file:$tools.properties"
case $(basename "$0") in
    kafka-server-start.sh)
        class=kafka.Kafka heap=${KAFKA_HEAP_OPTS:--Xmx1g}
        case ${EXTRA_ARGS--loggc} in *-loggc*) collector=-Xlog:gc*:file=/opt/kafka/logs/kafkaServer-gc.log ;; esac
        logging="-Dlog4j2.configurationFile=${server}2.yaml -Dlog4j.configuration=file:$server.properties" ;;
    zookeeper-server-start.sh) class=org.apache.zookeeper.server.quorum.QuorumPeerMain ;;
    zookeeper-shell.sh) class=org.apache.zookeeper.ZooKeeperMainWithTlsSupportForKafka; set -- -server "$@" ;;
    kafka-storage.sh) class=kafka.tools.StorageTool ;;
    kafka-configs.sh) class=kafka.admin.ConfigCommand ;;
    kafka-topics.sh) class=org.apache.kafka.tools.TopicCommand ;;
    kafka-get-offsets.sh) class=org.apache.kafka.tools.GetOffsetShell ;;
    kafka-consumer-groups.sh) class=org.apache.kafka.tools.consumer.group.ConsumerGroupCommand ;;
    kafka-console-consumer.sh) class=org.apache.kafka.tools.consumer.ConsoleConsumer ;;
    kafka-console-producer.sh) class=org.apache.kafka.tools.ConsoleProducer ;;
    kafka-broker-api-versions.sh)
        class=org.apache.kafka.tools.BrokerApiVersionsCommand
        if ls /opt/kafka/libs/zookeeper-*.jar >/dev/null 2>&1; then class=kafka.admin.BrokerApiVersionsCommand; fi ;;
    *) class=$1; shift ;;
esac
# shellcheck disable=SC2086 # options
exec java $heap ${KAFKA_JVM_PERFORMANCE_OPTS:--XX:+UseG1GC} $collector ${KAFKA_OPTS:-} $logging -cp '/opt/kafka/libs/*' "$class" "$@"
