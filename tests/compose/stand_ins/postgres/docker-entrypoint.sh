#!/bin/bash
# What the official image's entry point does with its environment, in short: a database at the first start, then the server.
set -euo pipefail

# NAME or NAME_FILE, not both.
from_file() {
    local file="$1_FILE"
    if [ -n "${!file:-}" ]; then
        [ -z "${!1:-}" ] || { echo "error: both $1 and $file are set" >&2; exit 1; }
        export "$1"="$(cat "${!file}")"
        unset "$file"
    fi
}

run_scripts() {
    local file
    for file in /docker-entrypoint-initdb.d/*; do
        case $file in
            *.sh) echo "running $file"; if [ -x "$file" ]; then "$file"; else . "$file"; fi ;;
            *.sql) echo "running $file"; query --dbname "$POSTGRES_DB" -f "$file" ;;
        esac
    done
}

query() { PGPASSWORD=$POSTGRES_PASSWORD psql -v ON_ERROR_STOP=1 --no-psqlrc --username "$POSTGRES_USER" "$@"; }

initialise() {
    : "${POSTGRES_PASSWORD:?the superuser needs POSTGRES_PASSWORD or POSTGRES_PASSWORD_FILE}"
    # shellcheck disable=SC2086 # options
    initdb --pgdata "$PGDATA" --username "$POSTGRES_USER" --pwfile <(printf '%s\n' "$POSTGRES_PASSWORD") \
        --auth-local trust --auth-host scram-sha-256 ${POSTGRES_INITDB_ARGS:-}
    printf '\nhost all all all %s\n' "${POSTGRES_HOST_AUTH_METHOD:-scram-sha-256}" >>"$PGDATA/pg_hba.conf"
    sed -i "s/^#listen_addresses.*/listen_addresses = '*'/" "$PGDATA/postgresql.conf"
    echo "unix_socket_directories = '/var/run/postgresql'" >>"$PGDATA/postgresql.conf"
    # Nobody from outside gets in before the scripts are done.
    pg_ctl -D "$PGDATA" -w -o "$(printf '%q ' "${@:2}") -c listen_addresses=''" start
    [ "$POSTGRES_DB" = postgres ] || echo "CREATE DATABASE :\"name\"" | query --dbname postgres -v name="$POSTGRES_DB"
    run_scripts
    pg_ctl -D "$PGDATA" -m fast -w stop
}

[ "${1:0:1}" != - ] || set -- postgres "$@"
if [ "$1" = postgres ]; then
    for name in POSTGRES_PASSWORD POSTGRES_USER POSTGRES_DB POSTGRES_INITDB_ARGS; do from_file $name; done
    export POSTGRES_USER="${POSTGRES_USER:-postgres}"
    export POSTGRES_DB="${POSTGRES_DB:-$POSTGRES_USER}"
    if [ "$(id -u)" = 0 ]; then
        mkdir -p "$PGDATA"
        chown -R postgres:postgres "$PGDATA"
        exec setpriv --reuid postgres --regid postgres --init-groups "$0" "$@"
    fi
    mkdir -p "$PGDATA"
    chmod 700 "$PGDATA"
    [ -s "$PGDATA/PG_VERSION" ] || initialise "$@"
fi
exec "$@"
