#!/bin/sh
# Lets Docker Compose read every combination of its files; needs no engine. The rules, such as no capability and a read-only root, are
# checked by tests/unit/test_compose_files.py, and in the running containers by tests/compose/confinement.py.
set -eu
cd "$(dirname "$0")/.."
# The one that make test-compose made does, too.
made=.batchstream/compose/docker-config/cli-plugins/docker-compose
if docker compose version >/dev/null 2>&1; then
    compose='docker compose'
elif [ -x "$made" ]; then
    compose=$made
else
    echo "docker compose is not installed: docker compose config is skipped, tests/unit/test_compose_files.py is not"
    exit 0
fi
# What make env would write; the files of secrets are not opened.
export AIRFLOW_USER=lint PGADMIN_EMAIL=lint@example.com
for overlay in '' zookeeper secure; do
    for profile in core all; do
        $compose -f docker-compose.yaml ${overlay:+-f "docker-compose.$overlay.yaml"} --profile "$profile" config --quiet
    done
done
echo "docker compose config: every combination is valid"
