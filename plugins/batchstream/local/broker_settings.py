"""What the broker is told, and how clients log in there: by SCRAM, and the broker's own account by a password of its own."""

from batchstream.local import ports

USER = "batchstream"
OPERATOR = "broker"
"""The broker's own account."""

PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"
SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
MAX_MESSAGE_BYTES = 10 * 1024 * 1024


def server_properties(address: str, controller_port: int, operator: str) -> str:
    """The file of settings of one broker that is its own controller.

    Args:
        address: Where clients reach it.
        controller_port: Where it talks with itself.
        operator: Password of its own account.
    """
    login = f'{PLAIN} required username="{OPERATOR}" password="{operator}" user_{OPERATOR}="{operator}";'
    settings = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{ports.LOOPBACK}:{controller_port}",
        "listeners": f"CLIENTS://{address},CONTROLLER://{ports.LOOPBACK}:{controller_port}",
        "advertised.listeners": f"CLIENTS://{address}",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "CLIENTS",
        "listener.security.protocol.map": "CLIENTS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.clients.sasl.enabled.mechanisms": "SCRAM-SHA-256,PLAIN",
        "listener.name.clients.scram-sha-256.sasl.jaas.config": f"{SCRAM} required;",
        "listener.name.clients.plain.sasl.jaas.config": login,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": login,
        "log.dirs": "data",
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        "message.max.bytes": str(MAX_MESSAGE_BYTES),
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "controlled.shutdown.max.retries": "1",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def client_settings(port: int, password: str) -> dict[str, str]:
    """How a client logs in at a broker of this machine, in librdkafka's names."""
    return {
        "bootstrap.servers": f"{ports.LOOPBACK}:{port}",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-256",
        "sasl.username": USER,
        "sasl.password": password,
    }
