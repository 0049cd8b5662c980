"""Three Kafka brokers as deploy/kafka says, as child processes: only addresses and folders differ."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AdminClient

from batchstream.local import ports
from batchstream.local.kafka import EmbeddedKafka, new_cluster_id
from batchstream.paths import ROOT
from tests.support.waiting import wait_for

BROKERS = (1, 2, 3)
FILES = ROOT / "deploy" / "kafka"


class OpenBroker(EmbeddedKafka):
    """A broker that lets everybody in."""

    @property
    def client_settings(self) -> dict[str, str]:
        return {"bootstrap.servers": self.bootstrap_servers}

    def _operator_settings(self) -> dict[str, str]:
        return self.client_settings

    def _let_in(self) -> None:
        """Everybody is."""


class Broker(OpenBroker):
    def __init__(self, state: Path, jars: Path, number: int, addresses: dict[str, str], cluster_id: str) -> None:
        (state / "logs").mkdir(parents=True)
        port, controller_port = (int(addresses[f"kafka-{number}:{usual}"].rpartition(":")[2]) for usual in (9092, 9093))
        super().__init__(state, jars, port, controller_port, password="")
        self._number = number
        self._addresses = addresses
        self._shared_id = cluster_id

    def _cluster_id(self) -> str:
        return self._shared_id

    def _properties(self) -> str:
        text = (FILES / "cluster.properties").read_text() + (FILES / f"node-{self._number}.properties").read_text()
        for named, address in self._addresses.items():
            text = text.replace(named, address)
        return text.replace("/var/lib/kafka/data", str(self.folder / "data"))


class Brokers:
    def __init__(self, folder: Path, jars: Path) -> None:
        names = [f"kafka-{number}:{port}" for number in BROKERS for port in (9092, 9093)]
        free: set[int] = set()
        while len(free) < len(names):
            free.add(ports.any_free())
        self._addresses = {name: f"{ports.LOOPBACK}:{port}" for name, port in zip(names, free, strict=True)}
        cluster_id = new_cluster_id()
        self.all = {number: Broker(folder / f"kafka-{number}", jars, number, self._addresses, cluster_id) for number in BROKERS}

    def start(self) -> None:
        """Start those that are down; none is ready before two of them are there."""
        with ThreadPoolExecutor(len(BROKERS)) as threads:
            list(threads.map(lambda broker: broker.start(), self.all.values()))

    def stop(self) -> None:
        with ThreadPoolExecutor(len(BROKERS)) as threads:
            list(threads.map(lambda broker: broker.kill(), self.all.values()))

    def bootstrap_servers(self, first: int = 1) -> str:
        """Addresses of all of them, one of them first."""
        ordered = sorted(self.all, key=lambda number: number != first)
        return ",".join(self.all[number].bootstrap_servers for number in ordered)

    def admin(self) -> AdminClient:
        return AdminClient({"bootstrap.servers": self.bootstrap_servers(), "log_level": 0})

    def leader(self, topic: str) -> int:
        """Number of the broker that leads the first partition of a topic."""
        return int(self.admin().list_topics(topic, timeout=15).topics[topic].partitions[0].leader)

    def wait_until_in_sync(self, topic: str) -> None:
        """Wait until every copy of a topic is complete."""
        admin = self.admin()

        def complete() -> bool:
            found = admin.describe_topics(TopicCollection([topic]))[topic].result()
            return all(len(partition.isr) == len(BROKERS) for partition in found.partitions)

        wait_for(complete, 60, f"{topic} has {len(BROKERS)} copies in sync")
