"""How the containers of a stack are confined: as the engine says, and as it looks from inside of them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.compose.commands import run
from tests.compose.stack import PROJECT, Stack

# Nobody but root could write there anyway, but then the message is another one.
LOOK = """
for process in /proc/[0-9]*; do
    grep -hE '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs):' $process/status 2>/dev/null | tr '\\n\\t' '  '
    echo
done
touch /probe 2>&1
exit 0
"""
NO_CAPABILITY = "0000000000000000"


def assert_confined(stack: Stack, engine: Mapping[str, str]) -> None:
    """Each container of the project has no capability, can gain none, isn't root, and can't write to its root file system."""
    containers = stack.containers()
    services = stack.config()["services"].keys()
    assert containers.keys() == services, containers.keys() ^ services
    found = run("docker", "ps", "--quiet", "--no-trunc", "--filter", f"label=com.docker.compose.project={PROJECT}", env=engine)
    running = {service for service, container in containers.items() if container["State"]["Running"]}
    others = set(found.split()) ^ {containers[service]["Id"] for service in running}
    assert not others, f"containers that are not looked at: {others}"
    wrong = {
        service: problems
        for service, container in containers.items()
        if (problems := [*_said_by_the_engine(container), *(_seen_inside(stack, service) if service in running else [])])
    }
    assert not wrong, wrong


def _said_by_the_engine(container: dict[str, Any]) -> Iterator[str]:
    host = container["HostConfig"]
    if host["CapDrop"] != ["ALL"] or host["CapAdd"]:
        yield f"drops {host['CapDrop']} and adds {host['CapAdd']}"
    if host["SecurityOpt"] != ["no-new-privileges:true"]:
        yield f"has the options {host['SecurityOpt']}"
    if not host["ReadonlyRootfs"]:
        yield "has a root that can be written to"
    for path, options in (host["Tmpfs"] or {}).items():
        if "size=" not in options:
            yield f"may fill the memory from {path}"


def _seen_inside(stack: Stack, service: str) -> Iterator[str]:
    *processes, touched = stack.compose("exec", "-T", service, "sh", "-c", LOOK).strip().splitlines()
    seen = [dict(re.findall(r"(\w+): +(\w+)", line)) for line in processes if line.strip()]
    if not seen:
        yield "shows no process"
    for process in seen:
        if process.pop("Uid") == "0":
            yield f"runs a process as root: {process}"
        if process != {"CapPrm": NO_CAPABILITY, "CapEff": NO_CAPABILITY, "CapBnd": NO_CAPABILITY, "NoNewPrivs": "1"}:
            yield f"runs a process that may do more: {process}"
    if "Read-only file system" not in touched:
        yield f"answers a write to / with {touched!r}"
