#!/bin/bash
# What the official image does with its environment, in short.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then
    chown -R zookeeper /data /datalog /logs /conf
    exec setpriv --reuid zookeeper --regid zookeeper --init-groups "$0" "$@"
fi
if [ "${1:-}" = status ]; then
    exec 3<>/dev/tcp/127.0.0.1/2181
    printf srvr >&3
    grep Mode <&3
    exit
fi
if [ ! -f /conf/zoo.cfg ]; then
    cat >/conf/zoo.cfg <<CFG
dataDir=/data
dataLogDir=/datalog
clientPort=2181
tickTime=${ZOO_TICK_TIME:-2000}
initLimit=${ZOO_INIT_LIMIT:-5}
syncLimit=${ZOO_SYNC_LIMIT:-2}
autopurge.snapRetainCount=${ZOO_AUTOPURGE_SNAPRETAINCOUNT:-3}
autopurge.purgeInterval=${ZOO_AUTOPURGE_PURGEINTERVAL:-0}
maxClientCnxns=${ZOO_MAX_CLIENT_CNXNS:-60}
admin.enableServer=${ZOO_ADMINSERVER_ENABLED:-true}
4lw.commands.whitelist=${ZOO_4LW_COMMANDS_WHITELIST:-srvr}
CFG
    for setting in ${ZOO_CFG_EXTRA:-}; do echo "$setting" >>/conf/zoo.cfg; done
fi
# shellcheck disable=SC2086 # options
exec java ${JVMFLAGS:--Xmx256m} -Dlog4j.configuration=file:/apache-zookeeper/log4j.properties -cp '/apache-zookeeper/lib/*' \
    org.apache.zookeeper.server.quorum.QuorumPeerMain /conf/zoo.cfg
