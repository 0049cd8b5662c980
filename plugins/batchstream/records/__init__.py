"""Records on their way: from the source file, through messages, to typed rows. Pure: it reads source files, and no engine.

| chapter | modules |
|---|---|
| the whole way of a source | `source_reader`; `rejects`, `judge`, `again` |
| its files | `place`, `source_files`, `source_file`, `watched_file`, `read_files` |
| to text in UTF-8 | `unpacked`, `recoded`, `carriage_returns`, `kinds` |
| to records | `formats`; `rows`, `plain_lines`, `header`, `layout`, `footer`, `escapes`; `taken` |
| of other formats | `json_rows`, `json_elements`, `parquet_rows`, `workbook_rows`, `row_lines` |
| to values | `literals`, `respelled` |
| in messages | `messages`, `message_names` |
| to typed rows, and back | `codec`, `fields`, `decimals`, `moments`, `bounds`, `forms`, `oddities`, `damaged_json` |
| with what Spark has computed | `computed` |
| in what is said | `shown` |
"""
