"""The embedded services: a real broker and a real database as child processes of one clone, and what commands run beside them.

| chapter | modules |
|---|---|
| the whole of it | `installation`; `chosen_ports`, `ports`, `secrets`, `folders`, `connections`, `environment` |
| what stops it | `usable`, `errors` |
| Kafka | `kafka`, `broker_settings` |
| PostgreSQL | `postgres`, `accounts`, `backup` |
| Java, jars, Spark | `java`, `jars`, `quick_start`, `install` |
| Airflow | `airflow_database`, `metadata`, `runs`, `housekeeping` |
| processes | `processes`, `sessions`, `watch`, `repeating`, `locks` |
| the terminal | `console`, `progress` |
| images and compose files | `image`, `stack` |
"""
