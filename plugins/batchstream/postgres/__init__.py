"""PostgreSQL's room: every statement that a load needs, in the order in which a load meets them.

| chapter | modules |
|---|---|
| used by all | `names`, `relations`, `key_columns`, `sql_files`, `connection`, `locks`, `rights`, `failures`; `ledger`: states |
| set up, once | `setup`, `migrations` |
| open | `server`, `own_types`, `tables`, `columns`, `obstacles`, `opening`, `landing_table` |
| send | `source_rejects` |
| land | `landing`, `copy_rows`, `domains`, `message_rejects` |
| verify | `checks`, `check_session` |
| publish | `publish`: `steps`, `first_load`, `merge` or `swap`; `guard`, `indexes`; `repeats`, `refusals` |
| replay | `quarantined` |
| clean up | `housekeeping`, `old_loads` |

`batchstream.load` has the use cases that put them together.
"""
