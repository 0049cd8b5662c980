"""Lists the topics of the first cluster of KAFKA_CLUSTERS_0_*, and says that it is only a stand-in."""

import html
import json
import os
import re
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PREFIX = "KAFKA_CLUSTERS_0_PROPERTIES_"
SETTINGS = Path("/tmp/client.properties")


def cluster() -> tuple[str, dict[str, str]]:
    """Address and settings of the first cluster, from variables or from the file that Spring would read."""
    file = os.environ.get("SPRING_CONFIG_ADDITIONAL-LOCATION")
    if file is None:
        settings = {
            name.removeprefix(PREFIX).lower().replace("_", "."): value
            for name, value in os.environ.items()
            if name.startswith(PREFIX)
        }
        return os.environ["KAFKA_CLUSTERS_0_BOOTSTRAPSERVERS"], settings
    lines = dict(re.findall(r"^ +([\w.]+): (.+)$", Path(file).read_text(), re.MULTILINE))
    return lines["bootstrapServers"], {name: value for name, value in lines.items() if "." in name}


def topics() -> list[str]:
    """Names of the topics, asked with Kafka's own tool."""
    servers, _ = cluster()
    command = ["/opt/kafka/bin/kafka-topics.sh", "--bootstrap-server", servers, "--command-config", str(SETTINGS), "--list"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if listed.returncode:
        raise RuntimeError(listed.stderr or listed.stdout)
    return listed.stdout.split()


class Handler(BaseHTTPRequestHandler):
    """Two pages: health and topics."""

    def do_GET(self) -> None:
        if self.path == "/actuator/health":
            self.answer(200, "application/json", json.dumps({"status": "UP"}))
            return
        try:
            listed = "".join(f"<li>{html.escape(name)}</li>" for name in topics())
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            self.answer(500, "text/plain", str(error))
            return
        self.answer(200, "text/html", f"<h1>Only a stand-in for Kafka UI</h1><ul>{listed}</ul>")

    def answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Write the client's settings as kafka-ui does, and serve."""
    _, settings = cluster()
    SETTINGS.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    SETTINGS.chmod(0o600)
    topics()
    ThreadingHTTPServer(("", int(os.environ.get("SERVER_PORT", "8080"))), Handler).serve_forever()


if __name__ == "__main__":
    main()
