"""The files of deploy/kubernetes against the schemas of Kubernetes, and against one another."""

import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from batchstream.kafka.topics import KAFKA_VARIABLE
from batchstream.paths import ROOT
from batchstream.postgres.connection import POSTGRES_VARIABLE

FOLDER = ROOT / "deploy" / "kubernetes"
NO_OBJECTS = ("kustomization.yaml", "airflow-values.yaml")
OBJECTS = [
    pytest.param(document, id=f"{path.name}-{document['kind']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name not in NO_OBJECTS
    for document in yaml.safe_load_all(path.read_text())
]
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
VALUES = yaml.safe_load((FOLDER / "airflow-values.yaml").read_text())
TEMPLATES = ("spark-driver.yaml", "spark-executor.yaml")

# What each generated secret has to hold; its files are not in git.
SECRETS = {
    "batchstream-connections": {entry["envName"] for entry in VALUES["secret"]},
    "batchstream-consumer": {POSTGRES_VARIABLE, KAFKA_VARIABLE},
    "batchstream-spark-auth": {"spark-auth"},
    "batchstream-airflow": {"connection", "fernet-key", "api-secret-key", "jwt-secret"},
    "batchstream-airflow-users": {"users.json"},
}


def pod_template(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((FOLDER / name).read_text())
    return document


@pytest.mark.parametrize("version", ["1.30", "1.37"])
@pytest.mark.parametrize("document", OBJECTS)
def test_an_object_is_what_kubernetes_takes(document: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(document, version, strict=True)


def test_a_misspelt_field_would_be_seen() -> None:
    driver = pod_template("spark-driver.yaml")
    driver["spec"]["containers"][0]["volumeMount"] = driver["spec"]["containers"][0].pop("volumeMounts")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(driver, "1.37", strict=True)


def test_what_is_applied_is_there_or_secret() -> None:
    generated = [file for generator in KUSTOMIZATION["configMapGenerator"] for file in generator["files"]]
    for name in [*KUSTOMIZATION["resources"], *generated]:
        assert (FOLDER / name).is_file(), name
    generators = KUSTOMIZATION["secretGenerator"]
    secret = [name for generator in generators for kind in ("envs", "files") for name in generator.get(kind, ())]
    assert secret
    for name in secret:
        ignored = subprocess.run(["git", "check-ignore", "-q", FOLDER / name], cwd=ROOT, check=False)
        assert ignored.returncode == 0, f"{name} could be committed"
    assert set(SECRETS) == {generator["name"] for generator in KUSTOMIZATION["secretGenerator"]}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_pod_has_no_password_of_its_own_and_mounts_what_exists(name: str) -> None:
    spec = pod_template(name)["spec"]
    (container,) = spec["containers"]
    for variable in container.get("env", ()):
        assert "value" not in variable
        reference = variable["valueFrom"]["secretKeyRef"]
        assert reference["key"] == variable["name"]
        assert reference["key"] in SECRETS[reference["name"]]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)
    assert volumes["auth"]["secret"]["secretName"] in SECRETS
    assert volumes["entrypoint"]["configMap"]["name"] == KUSTOMIZATION["configMapGenerator"][0]["name"]


def test_only_the_driver_is_given_the_settings_of_the_engines() -> None:
    driver, executor = (pod_template(name)["spec"]["containers"][0] for name in TEMPLATES)
    assert {variable["name"] for variable in driver["env"]} == SECRETS["batchstream-consumer"]
    assert "env" not in executor


def test_airflow_takes_its_secrets_from_those_that_exist() -> None:
    for name in ("fernetKeySecretName", "apiSecretKeySecretName", "jwtSecretName"):
        assert VALUES[name] in SECRETS
    assert VALUES["data"]["metadataSecretName"] in SECRETS
    for entry in VALUES["secret"]:
        assert entry["secretName"] in SECRETS
        assert entry["secretKey"] == entry["envName"]
    assert {entry["envName"].removeprefix("AIRFLOW_CONN_BATCHSTREAM_") for entry in VALUES["secret"]} == {
        *("KAFKA", "POSTGRES", "POSTGRES_OWNER", "SPARK")
    }


@pytest.mark.parametrize("component", ["scheduler", "apiServer", "dagProcessor"])
def test_what_the_values_say_of_a_pod_is_a_pod(component: str) -> None:
    said = VALUES[component]
    probes = {name: {"exec": {"command": said[name]["command"]}} for name in ("livenessProbe", "startupProbe") if name in said}
    container = {
        "name": component,
        "volumeMounts": said.get("extraVolumeMounts", []),
        "resources": said["resources"],
        "securityContext": VALUES["securityContexts"]["containers"],
        **probes,
    }
    spec = {
        "containers": [container],
        "initContainers": said.get("extraInitContainers", []),
        "volumes": said.get("extraVolumes", []),
        "securityContext": VALUES["securityContexts"]["pod"],
    }
    kubernetes_validate.validate({"apiVersion": "v1", "kind": "Pod", "spec": spec}, "1.37", strict=True)
    for volume in spec["volumes"]:
        if "emptyDir" not in volume:
            name = volume.get("configMap", {}).get("name") or volume["secret"]["secretName"]
            assert name in {*SECRETS, KUSTOMIZATION["configMapGenerator"][0]["name"]}


def test_the_rights_that_are_bound_exist() -> None:
    documents = list(yaml.safe_load_all(Path(FOLDER / "spark-rbac.yaml").read_text()))
    by_kind = {document["kind"]: document for document in documents}
    binding = by_kind["RoleBinding"]
    assert binding["roleRef"]["name"] == by_kind["Role"]["metadata"]["name"]
    assert by_kind["ServiceAccount"]["metadata"]["name"] in {subject["name"] for subject in binding["subjects"]}
    resources = {resource for rule in by_kind["Role"]["rules"] for resource in rule["resources"]}
    assert "secrets" not in resources
