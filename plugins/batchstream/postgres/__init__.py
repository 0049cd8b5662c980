"""PostgreSQL's room: every statement that a load needs, in the order in which a load meets them.

| chapter | modules |
|---|---|
| used by all | `names`, `relations`, `key_columns`, `sql_files`, `rights`; `ledger`: states |
| how it is reached, and what it refuses | `connection`, `locks`, `failures`, `holders` |
| set up, once | `setup`, `migrations` |
| open | `server`, `own_types`, `tables`, `columns`, `found_columns`, `added_columns`, `obstacles`, `opening`, `landing_table` |
| send | `source_rejects`, `source_files` |
| land | `landing`, `copy_rows`, `domains`, `message_rejects` |
| verify | `checks`, `check_session` |
| publish | `publish`: `steps`, `first_load`, `merge` or `swap`; `guard`, `indexes`; `repeats`, `refusals` |
| replay | `quarantined` |
| clean up | `housekeeping`, `old_loads` |
| by the command line alone | `as_made`, `contract_changes` |

`batchstream.load` has the use cases that put them together.
"""
