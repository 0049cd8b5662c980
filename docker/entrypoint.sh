#!/bin/sh
# What can't be mounted as it has to be: compose mounts secrets readable for all, and OpenSSL's users want a private key private;
# Airflow wants to write to its file of passwords.
set -eu
umask 077
if [ -f /run/secrets/client.key ]; then
    install -m 600 /run/secrets/client.key /var/lib/batchstream/client.key
fi
if [ -f /run/secrets/airflow_ui_password ]; then
    python -c 'import json, os; print(json.dumps({os.environ["AIRFLOW_USER"]: open("/run/secrets/airflow_ui_password").read().strip()}))' \
        >/var/lib/batchstream/ui_passwords.json
fi
exec "$@"
