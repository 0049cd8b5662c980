"""The pod that Spark makes of the driver's template: submitted to a listener that notes what it is sent, and runs nothing."""

import http.server
import json
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import pytest
import yaml

from batchstream.local import ports
from batchstream.local.installation import Installation
from batchstream.paths import ROOT

FOLDER = ROOT / "deploy" / "kubernetes"
VERBS = {"POST": "create", "PATCH": "patch"}

Request = tuple[str, str, dict[str, Any]]


@pytest.fixture
def listener() -> Iterator[tuple[str, list[Request]]]:
    """Address, and what was sent to it so far: method, path, object."""
    received: list[Request] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            received.append((self.command, self.path, json.loads(json.dumps(sent))))
            sent["metadata"] |= {"uid": "1", "resourceVersion": "1"}
            answer = json.dumps(sent).encode()
            self.send_response(201)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        do_PATCH = do_POST  # noqa: N815 - the name is http.server's

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer((ports.LOOPBACK, 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://{ports.LOOPBACK}:{server.server_port}", received
        finally:
            server.shutdown()
            thread.join()


def test_spark_makes_the_drivers_pod_of_the_template_within_its_rights(
    listener: tuple[str, list[Request]], installation: Installation
) -> None:
    address, received = listener
    extra = json.loads((FOLDER / "spark-connection.json").read_text())["extra"]
    conf = {
        **extra["conf"],
        "spark.kubernetes.namespace": extra["namespace"],
        "spark.kubernetes.submission.waitAppCompletion": "false",
    }
    command = ["spark-submit", "--master", f"k8s://{address}", "--deploy-mode", extra["deploy-mode"]]
    for name, value in conf.items():
        command += ["--conf", f"{name}={value}".replace("/etc/batchstream/spark", str(FOLDER))]
    done = subprocess.run(
        [*command, "local:///opt/batchstream/spark_apps/consume.py", "--load-id", "7"],
        env=installation.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]

    (pod,) = [sent for _, _, sent in received if sent["kind"] == "Pod"]
    kubernetes_validate.validate(pod, "1.37", strict=True)
    (container,) = pod["spec"]["containers"]
    template = yaml.safe_load((FOLDER / "spark-driver.yaml").read_text())["spec"]
    assert container["command"] == template["containers"][0]["command"]
    assert container["args"][0] == "driver"
    from_secrets = [variable for variable in container["env"] if "secretKeyRef" in variable.get("valueFrom", {})]
    assert from_secrets == template["containers"][0]["env"]
    assert container["securityContext"] == template["containers"][0]["securityContext"]
    assert pod["spec"]["securityContext"] == template["securityContext"]

    documents = yaml.safe_load_all((FOLDER / "spark-rbac.yaml").read_text())
    (role,) = [document for document in documents if document["kind"] == "Role"]
    for method, path, _ in received:
        group, resource = _resource(path)
        allowed = [rule for rule in role["rules"] if group in rule["apiGroups"] and resource in rule["resources"]]
        assert [rule for rule in allowed if VERBS[method] in rule["verbs"]], (method, path)


def _resource(path: str) -> tuple[str, str]:
    """Group and resource of /api/v1/namespaces/NAME/pods or /apis/GROUP/v1/namespaces/NAME/networkpolicies/NAME."""
    parts = path.partition("?")[0].strip("/").split("/")
    return ("", parts[4]) if parts[0] == "api" else (parts[1], parts[5])
