"""What of the stack can be seen without an engine: each rule over each service of each combination of the compose files."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
OVERLAYS = ("zookeeper", "secure")
COMBINATIONS = ((), *((overlay,) for overlay in OVERLAYS))
# By their Dockerfiles; every other image is taken to start as root.
IMAGES_THAT_START_AS = {"apache/kafka": "appuser", "kafbat/kafka-ui": "kafkaui", "dpage/pgadmin4": "pgadmin"}
ONE_SHOT = {"init"}
UIS = {"kafka-ui", "pgadmin"}
PORTS = {
    "kafka": {"9092"},
    "postgres": {"5432"},
    "spark-master": {"8080", "7077"},
    "kafka-ui": {"8082"},
    "pgadmin": {"5050"},
    "airflow-api-server": {"8088"},
    "zookeeper": {"2181"},
}
LAPTOP_MIB = 8 * 1024
FOR_THE_SYSTEM_MIB = 1024


class Overridden(dict[str, Any]):
    """A mapping that replaces what it would be merged into."""


class Loader(yaml.SafeLoader):
    """YAML with compose's own tag."""


def _override(loader: Loader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return Overridden(loader.construct_mapping(node, deep=True))
    assert isinstance(node, yaml.SequenceNode)
    return tuple(loader.construct_sequence(node, deep=True))


Loader.add_constructor("!override", _override)


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((ROOT / name).read_text(), Loader)
    return found


def merged(base: Any, over: Any) -> Any:
    """What compose makes of two files, as far as these files need it."""
    if isinstance(base, dict) and isinstance(over, dict) and not isinstance(over, Overridden):
        return {**base, **{name: merged(base.get(name), value) for name, value in over.items()}}
    if isinstance(base, list) and isinstance(over, list) and all(isinstance(part, str) for part in [*base, *over]):
        return base if set(over) <= set(base) else [*base, *over]
    return over


def stack(overlays: tuple[str, ...]) -> dict[str, Any]:
    found = read("docker-compose.yaml")
    for overlay in overlays:
        over = read(f"docker-compose.{overlay}.yaml")
        for service in over["services"].values():
            # Compose replaces these, and appends to other lists.
            for name in ("command", "entrypoint"):
                if name in service:
                    service[name] = tuple(service[name])
        found = merged(found, over)
    return found


SERVICES = [
    pytest.param(overlays, name, service, id=f"{'+'.join(('base', *overlays))}-{name}")
    for overlays in COMBINATIONS
    for name, service in stack(overlays)["services"].items()
]
every_service = pytest.mark.parametrize(("overlays", "name", "service"), SERVICES)


def test_the_overlays_that_are_there_are_the_ones_that_are_looked_at() -> None:
    found = {path.name for path in ROOT.glob("docker-compose*.y*ml")}
    assert found == {"docker-compose.yaml", *(f"docker-compose.{overlay}.yaml" for overlay in OVERLAYS)}


@every_service
def test_an_image_is_pinned_by_a_whole_version(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    # With its digest or without: docs/deploy.md says how to pin one.
    named, _, _ = service["image"].partition("@sha256:")
    repository, _, tag = named.rpartition(":")
    assert repository
    assert re.fullmatch(r"v?\d+\.\d+(\.\d+)?(-bookworm)?", tag), service["image"]
    # Nobody's registry has ours, and a stranger's of that name must not run.
    assert service.get("pull_policy") == ("never" if repository.startswith("batchstream/") else None)


@every_service
def test_a_service_says_when_it_is_ready(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    check = service["healthcheck"]
    if name in ONE_SHOT:
        assert check == {"disable": True}
    else:
        assert check["test"][0] in ("CMD", "CMD-SHELL")
        assert {"interval", "timeout", "retries", "start_period"} <= check.keys()


@every_service
def test_a_service_waits_for_what_it_needs_to_be_ready(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    needed = service.get("depends_on", {})
    assert needed or name in ("postgres", "spark-master", "zookeeper") or (name == "kafka" and "zookeeper" not in overlays)
    for other, how in needed.items():
        assert how == {"condition": "service_completed_successfully" if other in ONE_SHOT else "service_healthy"}


@every_service
def test_a_service_comes_back_but_for_the_one_that_ends(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    assert service["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")


@every_service
def test_a_service_is_not_root_and_can_not_become_it(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    if service["image"].startswith("batchstream/"):
        users = re.findall(r"^USER (\S+)$", _stage(service["image"]), re.MULTILINE)
        assert users[-1] == "10001:10001"
        assert "user" not in service
    else:
        starts_as = IMAGES_THAT_START_AS.get(service["image"].rpartition(":")[0], "root")
        assert service.get("user", starts_as) not in ("root", "0", 0)
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["cap_drop"] == ["ALL"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices"}


def _stage(image: str) -> str:
    name = image.removeprefix("batchstream/").partition(":")[0]
    _, _, after = (ROOT / "Dockerfile").read_text().partition(f" AS {name}\n")
    return after.partition("\nFROM ")[0]


@every_service
def test_a_root_is_read_only_and_what_is_written_in_memory_is_bounded(
    overlays: tuple[str, ...], name: str, service: dict[str, Any]
) -> None:
    assert service["read_only"] is True
    sizes = [re.search(r"size=(\d+)m(,|$)", entry) for entry in service["tmpfs"]]
    assert all(sizes), service["tmpfs"]
    assert sum(int(size[1]) for size in sizes if size) <= int(service["mem_limit"].removesuffix("m")) / 4
    assert any(entry.startswith("/tmp:") for entry in service["tmpfs"])


@every_service
def test_a_volume_has_a_name_and_is_no_socket_or_folder_of_the_host(
    overlays: tuple[str, ...], name: str, service: dict[str, Any]
) -> None:
    for volume in service.get("volumes", []):
        source, _, target = volume.partition(":")
        assert source in stack(overlays)["volumes"], volume
        assert target.startswith("/")
        assert "docker.sock" not in volume


@pytest.mark.parametrize("overlays", COMBINATIONS)
def test_what_must_last_has_a_volume(overlays: tuple[str, ...]) -> None:
    services = stack(overlays)["services"]
    assert "postgres:/var/lib/postgresql" in services["postgres"]["volumes"]
    assert services["kafka"]["volumes"][0].endswith(":/var/lib/kafka/data")
    assert "pgadmin:/var/lib/pgadmin" in services["pgadmin"]["volumes"]
    checkpoints = "checkpoints:/var/lib/batchstream/checkpoints"
    assert checkpoints in services["airflow-scheduler"]["volumes"]
    assert checkpoints in services["spark-worker"]["volumes"]


@every_service
def test_a_port_is_published_on_loopback_unless_told_otherwise(
    overlays: tuple[str, ...], name: str, service: dict[str, Any]
) -> None:
    published = set()
    for port in service.get("ports", []):
        found = re.fullmatch(r"\$\{BIND_ADDRESS:-127\.0\.0\.1\}:(\d+):\d+", port)
        assert found, port
        published.add(found[1])
    assert published == PORTS.get(name, set())


@pytest.mark.parametrize("overlays", COMBINATIONS)
def test_the_limits_of_memory_fit_a_laptop(overlays: tuple[str, ...]) -> None:
    services = stack(overlays)["services"]
    limits = {name: int(service["mem_limit"].removesuffix("m")) for name, service in services.items()}
    # init has ended before most of the others start.
    assert sum(size for name, size in limits.items() if name not in ONE_SHOT) <= LAPTOP_MIB - FOR_THE_SYSTEM_MIB


@every_service
def test_the_profile_core_has_all_but_the_uis(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    assert service["profiles"] == (["all"] if name in UIS else ["core", "all"])


@every_service
def test_no_password_stands_in_a_compose_file(overlays: tuple[str, ...], name: str, service: dict[str, Any]) -> None:
    for variable, value in service.get("environment", {}).items():
        if re.search(r"PASSWORD|SECRET|KEY|TOKEN|CONN", variable):
            where = re.match(r"(cat )?/(run/secrets|var/lib/batchstream|tmp)/|PEM$|False$", str(value))
            assert where, f"{variable}={value}"
        assert "jaas" not in str(value).lower()


@pytest.mark.parametrize("overlays", COMBINATIONS)
def test_secrets_come_from_generated_files(overlays: tuple[str, ...]) -> None:
    found = stack(overlays)
    for name, secret in found["secrets"].items():
        # Compose copies one of another kind into the container, which it can't where the root is read-only.
        assert secret.keys() == {"file"}, name
        assert secret["file"].startswith("secrets/")
    used = {
        secret if isinstance(secret, str) else secret["source"]
        for service in found["services"].values()
        for secret in service.get("secrets", [])
    }
    assert used == set(found["secrets"])
    ignored = (ROOT / ".gitignore").read_text().split()
    assert {"/.env", "/secrets/"} <= set(ignored)


def test_the_build_sees_no_secret() -> None:
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert not [line for line in lines if "secrets" in line or ".env" in line]


def test_the_dockerfile_builds_on_a_pinned_base_and_names_no_certificate() -> None:
    text = (ROOT / "Dockerfile").read_text()
    stages = set(re.findall(r" AS (\S+)$", text, re.MULTILINE))
    (base,) = set(re.findall(r"^FROM (\S+)", text, re.MULTILINE)) - stages
    assert re.fullmatch(r"python:3\.11\.\d+-slim-bookworm(@sha256:[0-9a-f]{64})?", base)
    assert not re.search("PIP_CERT|SSL_CERT|ca-bundle|trusted-host", text)
    assert "spark-submit --version" in text
    assert "--require-hashes" in text
    assert "uv sync --locked" in text


def test_the_image_of_airflow_has_what_every_source_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    found = re.search(r'^ARG SOURCE_EXTRAS="(.+)"$', dockerfile, re.MULTILINE)
    assert found
    # Where Spark runs: in both images.
    below = {*re.findall(r"--extra (\w+)", dockerfile.partition("\nFROM build AS archive")[0])}
    assert below == {"transforms"}
    assert {*found[1].split()} == {*project["optional-dependencies"]} - {"airflow", "kubernetes", "local"} - below


def test_the_image_of_airflow_has_the_plugin_that_an_installed_package_brings_by_itself() -> None:
    brought = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["airflow.plugins"]
    module, _, name = brought["batchstream"].partition(":")
    assert f"from {module} import {name}\n" in (ROOT / "docker" / "airflow_plugin.py").read_text()
    _, _, airflow = (ROOT / "Dockerfile").read_text().partition(" AS airflow\n")
    assert "COPY docker/airflow_plugin.py plugins/batchstream_plugin.py\n" in airflow
    assert "!docker/airflow_plugin.py\n" in (ROOT / ".dockerignore").read_text()


def test_the_images_carry_the_version_of_the_project() -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version
    ours = {service["image"] for service in stack(())["services"].values() if service["image"].startswith("batchstream/")}
    assert ours == {f"batchstream/spark:{version[1]}", f"batchstream/airflow:{version[1]}"}


def test_the_secure_overlay_asks_for_a_certificate_on_every_way_in() -> None:
    kafka = stack(("secure",))["services"]["kafka"]["environment"]
    for listener in ("INSIDE", "OUTSIDE"):
        assert f"{listener}:SASL_SSL" in kafka["KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"]
        assert kafka[f"KAFKA_LISTENER_NAME_{listener}_SSL_CLIENT_AUTH"] == "required"
    rules = [line.split() for line in (ROOT / "docker" / "pg_hba-secure.conf").read_text().splitlines() if line[:1].isalpha()]
    open_to_others = [rule for rule in rules if rule[0] != "local" and "127.0.0.1/32" not in rule]
    assert open_to_others == [["hostssl", "all", "all", "all", "scram-sha-256", "clientcert=verify-ca"]]
