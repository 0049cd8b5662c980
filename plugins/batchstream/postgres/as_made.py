"""The table that a contract makes, as SQL to be read: nothing runs it."""

from psycopg import sql

from batchstream.contract.model import Contract, Publish
from batchstream.postgres import columns, key_columns, relations, sql_files


def statements(contract: Contract) -> str:
    """``CREATE TABLE`` of what holds the rows that readers see, and its indexes."""
    swapped = contract.publish is Publish.SWAP
    definitions = columns.definitions(contract)
    if not contract.keys and not swapped:
        definitions.insert(0, sql.SQL("{} bigint NOT NULL").format(sql.Identifier(contract.own.id)))
    table = sql_files.read("tables/swap.sql" if swapped else "tables/as_made.sql").format(
        target=relations.target(contract),
        partitioned_table=relations.partitioned_table(contract),
        columns=sql.SQL(",\n    ").join(definitions),
        key=key_columns.listed(key_columns.of_table(contract)),
        **relations.own_columns(contract),
    )
    indexes = [
        sql.SQL("CREATE INDEX ON {} ({});").format(relations.base_table(contract), sql.Identifier(column.name))
        for column in contract.columns
        if column.indexed
    ]
    lines = "\n".join(part.as_string() for part in (table, *indexes)).splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("--"))
