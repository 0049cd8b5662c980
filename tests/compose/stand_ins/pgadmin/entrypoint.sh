#!/bin/bash
# What the official image does with its environment, in short: an account and the servers at the first start, then gunicorn.
set -euo pipefail
site=/venv/lib/python3.11/site-packages/pgadmin4
export PYTHONPATH=/pgadmin4:$site
export HOME=/home/pgadmin

export CONFIG_DISTRO_FILE_PATH=${PGADMIN_CUSTOM_CONFIG_DISTRO_FILE:-/pgadmin4/config_distro.py}
# PGADMIN_CONFIG_NAME=value becomes NAME = value.
{
    echo "SERVER_MODE = True"
    echo "DATA_DIR = '/var/lib/pgadmin'"
    echo "LOG_FILE = '/var/lib/pgadmin/pgadmin4.log'"
    env | sed -n 's/^PGADMIN_CONFIG_\([A-Z0-9_]*\)=\(.*\)$/\1 = \2/p'
} >"$CONFIG_DISTRO_FILE_PATH"

if [ ! -f /var/lib/pgadmin/pgadmin4.db ]; then
    if [ -n "${PGADMIN_DEFAULT_PASSWORD_FILE:-}" ]; then PGADMIN_DEFAULT_PASSWORD=$(cat "$PGADMIN_DEFAULT_PASSWORD_FILE"); fi
    export PGADMIN_SETUP_EMAIL=${PGADMIN_DEFAULT_EMAIL:?} PGADMIN_SETUP_PASSWORD=${PGADMIN_DEFAULT_PASSWORD:?}
    /venv/bin/python "$site/setup.py" setup-db
    servers=${PGADMIN_SERVER_JSON_FILE:-/pgadmin4/servers.json}
    if [ -f "$servers" ]; then /venv/bin/python "$site/setup.py" load-servers "$servers" --user "$PGADMIN_DEFAULT_EMAIL"; fi
    if [ -f "${PGPASS_FILE:-}" ]; then
        storage=/var/lib/pgadmin/storage/${PGADMIN_DEFAULT_EMAIL//@/_}
        mkdir -p "$storage"
        install -m 600 "$PGPASS_FILE" "$storage/.pgpass"
    fi
    unset PGADMIN_SETUP_PASSWORD PGADMIN_DEFAULT_PASSWORD
fi
exec /venv/bin/gunicorn --bind "${PGADMIN_LISTEN_ADDRESS:-0.0.0.0}:${PGADMIN_LISTEN_PORT:-80}" --workers 1 \
    --threads "${GUNICORN_THREADS:-25}" run_pgadmin:app
