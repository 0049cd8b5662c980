"""What users put on a published table: it works, or one sentence names it and no try follows."""

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import psycopg
import pytest

from batchstream.contract.model import Publish
from batchstream.errors import BatchstreamError, ContractError, LoadError
from batchstream.postgres import names
from tests.integration.conftest import MakeDataset
from tests.support.small import SmallDataset

ROWS = [("a", "x@example.org", 1), ("b", "y@example.org", 2)]
COLUMNS = {"code": "text", "email": "text NULL", "v": "integer NULL"}

FUNCTION = "CREATE FUNCTION public.f_{table}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$; "
TRIGGER = FUNCTION + "CREATE TRIGGER mine {when} ON {table} FOR EACH ROW EXECUTE FUNCTION public.f_{table}()"


class Case(NamedTuple):
    """SQL of a superuser between two loads, the rows of the second, and what is said; None if it works."""

    name: str
    statements: str
    rows: Sequence[tuple[Any, ...]]
    said: str | None = None
    error: type[BatchstreamError] = LoadError

    def filled(self, table: str) -> tuple[str, str | None]:
        def fill(text: str) -> str:
            return text.replace("{table}", table)

        return fill(self.statements), self.said and fill(self.said)


def trigger(when: str, body: str) -> str:
    return TRIGGER.replace("{when}", when).replace("{body}", body)


UNIQUE = "CREATE UNIQUE INDEX u_{table} ON {table} (email)"
MOVED = [("c", "x@example.org", 1), ("d", "y@example.org", 2)]
SWAPPED = [("a", "y@example.org", 1), ("b", "x@example.org", 2)]
SHIFTED = [("c", "x@example.org", 3), ("b", "y@example.org", 2), ("a", "z@example.org", 1)]
TWICE = [("a", "x@example.org", 1), ("b", "x@example.org", 2)]
LESS = [("a", "x@example.org", 1)]
OTHER = [("a", "x@example.org", 7), ("c", "z@example.org", 3)]

CASES = [
    Case("unique index, values move to new rows", UNIQUE, MOVED),
    Case("unique index, an update gives up what an insert takes", UNIQUE, SHIFTED),
    Case(
        "unique index, two rows swap values",
        UNIQUE,
        SWAPPED,
        r"unique index 'u_{table}' of table '{table}', .* move from row to row, .*ADD UNIQUE \(email\) DEFERRABLE",
    ),
    Case("unique constraint that is looked at later", "ALTER TABLE {table} ADD UNIQUE (email) DEFERRABLE", SWAPPED),
    Case(
        "unique index, a value twice",
        UNIQUE,
        TWICE,
        r"unique index 'u_{table}' .*email 'x@example.org' occurs 2 times, first in record 1, last in record 2",
    ),
    Case(
        "unique index on an expression",
        "CREATE UNIQUE INDEX u_{table} ON {table} (lower(email))",
        TWICE,
        r"unique index 'u_{table}' of table '{table}', .*Key \(lower\(email\)\)=\(x@example.org\) already exists",
    ),
    Case(
        "exclusion constraint",
        "ALTER TABLE {table} ADD CONSTRAINT x_{table} EXCLUDE USING btree (email WITH =)",
        TWICE,
        r"the constraint 'x_{table}' of table '{table}', which is not the contract's, refuses a row",
    ),
    Case(
        "check",
        "ALTER TABLE {table} ADD CONSTRAINT small_v CHECK (v < 5)",
        OTHER,
        r"the constraint 'small_v' of table '{table}', which is not the contract's, refuses a row: .*",
    ),
    Case(
        "not null",
        "ALTER TABLE {table} ALTER COLUMN v SET NOT NULL",
        LESS,
        r"column 'v': the contract says integer, table '{table}' has integer NOT NULL; .*ALTER COLUMN v DROP NOT NULL",
        ContractError,
    ),
    Case(
        "foreign key to it",
        "CREATE TABLE child_{table} (code text CONSTRAINT c_{table} REFERENCES {table}); INSERT INTO child_{table} VALUES ('b')",
        LESS,
        r"the foreign key 'c_{table}' of table 'child_{table}' refers to a row that this load deletes or changes",
    ),
    Case(
        "foreign key to it, looked at with the commit",
        "CREATE TABLE child_{table} (code text CONSTRAINT c_{table} REFERENCES {table} DEFERRABLE INITIALLY DEFERRED); "
        "INSERT INTO child_{table} VALUES ('b')",
        LESS,
        r"the foreign key 'c_{table}' of table 'child_{table}' refers to a row that this load deletes or changes",
    ),
    Case(
        "foreign key to it that restricts, of another schema",
        "CREATE SCHEMA s_{table}; CREATE TABLE s_{table}.child ("
        "code text CONSTRAINT c_{table} REFERENCES {table} ON DELETE RESTRICT); INSERT INTO s_{table}.child VALUES ('b')",
        LESS,
        r"the foreign key 'c_{table}' of table 's_{table}.child' refers to a row that this load deletes or changes",
    ),
    Case(
        "trigger of a table that refers to it",
        "CREATE TABLE child_{table} (code text REFERENCES {table} ON DELETE CASCADE); INSERT INTO child_{table} VALUES ('b'); "
        + trigger("BEFORE DELETE", "RAISE EXCEPTION 'not of mine';").replace("ON {table}", "ON child_{table}"),
        LESS,
        r"a function that somebody has made refuses .* refers to '{table}', or of the database: not of mine; PL/pgSQL function",
    ),
    Case(
        "primary key that is looked at later",
        "ALTER TABLE {table} DROP CONSTRAINT {table}_pkey, ADD PRIMARY KEY (code) DEFERRABLE",
        OTHER,
    ),
    Case(
        "foreign key to it, with an action",
        "CREATE TABLE child_{table} (code text REFERENCES {table} ON DELETE SET NULL); INSERT INTO child_{table} VALUES ('b')",
        LESS,
    ),
    Case(
        "foreign key of it",
        "CREATE TABLE parent_{table} (v integer PRIMARY KEY); INSERT INTO parent_{table} VALUES (1), (2); "
        "ALTER TABLE {table} ADD CONSTRAINT p_{table} FOREIGN KEY (v) REFERENCES parent_{table}",
        OTHER,
        r"the foreign key 'p_{table}' of table '{table}' refuses a record: Key \(v\)=\(\d\) is not present",
    ),
    *(
        Case(
            f"trigger that raises {when}",
            trigger(when, "RAISE EXCEPTION 'not on a Sunday';"),
            [("a", "x@example.org", 7), ("c", "z@example.org", 3)],
            r"a trigger of table '{table}' \(mine\) refuses the publish: not on a Sunday",
        )
        for when in ("BEFORE INSERT", "BEFORE UPDATE", "BEFORE DELETE", "AFTER INSERT OR UPDATE OR DELETE")
    ),
    Case(
        "trigger that fails",
        trigger("AFTER DELETE", "PERFORM 1 / 0; RETURN NULL;"),
        LESS,
        r"a trigger of table '{table}' \(mine\) refuses the publish: division by zero",
    ),
    *(
        Case(
            f"trigger that cancels {when}",
            trigger(f"BEFORE {when}", "RETURN NULL;"),
            OTHER,
            r"of 3 rows to insert, update and delete 1 were kept from it, .* of table '{table}': trigger mine;",
        )
        for when in ("INSERT", "UPDATE", "DELETE")
    ),
    Case(
        "trigger that changes a value",
        trigger("BEFORE UPDATE", "NEW.v := NEW.v + 1; RETURN NEW;"),
        OTHER,
        r"0 were kept from it, and 1 rows would differ from those that were verified, .* of table '{table}': trigger mine;",
    ),
    *(
        Case(
            f"trigger that changes the table afterwards: {when}",
            (FUNCTION + "CREATE {when} EXECUTE FUNCTION public.f_{table}()")
            .replace("{when}", when)
            .replace("{body}", "UPDATE public.{table} SET v = 9 WHERE v <> 9; RETURN NULL;"),
            OTHER,
            r"2 rows would differ from those that were verified, .* of table '{table}': trigger mine;",
        )
        for when in (
            "TRIGGER mine AFTER UPDATE ON {table} FOR EACH ROW WHEN (pg_trigger_depth() = 0)",
            "TRIGGER mine AFTER DELETE ON {table} FOR EACH STATEMENT",
            "CONSTRAINT TRIGGER mine AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW",
        )
    ),
    Case("trigger that changes nothing", trigger("BEFORE UPDATE", "RETURN NEW;"), OTHER),
    Case(
        "trigger that writes a table of theirs",
        "CREATE TABLE log_{table} (code text); "
        + trigger(
            "AFTER INSERT OR UPDATE OR DELETE",
            "INSERT INTO public.log_{table} VALUES (coalesce(NEW.code, OLD.code)); RETURN NULL;",
        )
        + "; GRANT INSERT ON log_{table} TO batchstream_owner",
        OTHER,
    ),
    Case(
        "trigger that may not write a table of theirs",
        "CREATE TABLE log_{table} (code text); "
        + trigger(
            "AFTER INSERT OR UPDATE OR DELETE",
            "INSERT INTO public.log_{table} VALUES (coalesce(NEW.code, OLD.code)); RETURN NULL;",
        ),
        OTHER,
        r"a trigger of table '{table}' \(mine\) refuses the publish: permission denied for table log_{table}",
    ),
    Case(
        "rule",
        "CREATE RULE keep AS ON DELETE TO {table} DO INSTEAD NOTHING",
        LESS,
        r"table '{table}' has the rule 'keep', .*DROP RULE keep ON {table}",
        ContractError,
    ),
    Case(
        "row security",
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY tenant ON {table} USING (code <> 'b') WITH CHECK (true)",
        LESS,
    ),
    Case(
        "row security that is forced",
        "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; ALTER TABLE {table} FORCE ROW LEVEL SECURITY; "
        "CREATE POLICY tenant ON {table} USING (code <> 'b') WITH CHECK (true)",
        LESS,
        r"table '{table}' has row level security that is forced on its owner.*ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        ContractError,
    ),
    Case(
        "collation by which texts that differ are equal",
        # As PostgreSQL may be built without ICU, which has such.
        "CREATE COLLATION c_{table} (provider = libc, locale = 'C'); "
        "UPDATE pg_collation SET collisdeterministic = false WHERE collname = 'c_{table}'; "
        "ALTER TABLE {table} ALTER COLUMN email TYPE text COLLATE c_{table}",
        OTHER,
        r"table '{table}' has the collation 'c_{table}' for column 'email', .*ALTER COLUMN email TYPE text COLLATE \"default\"",
        ContractError,
    ),
    Case("another collation", 'ALTER TABLE {table} ALTER COLUMN email TYPE text COLLATE "C"', OTHER),
    Case(
        "table that inherits it",
        "CREATE TABLE child_{table} () INHERITS ({table})",
        OTHER,
        r"table '{table}' is inherited by table 'child_{table}', .*ALTER TABLE child_{table} NO INHERIT {table}",
        ContractError,
    ),
    Case(
        "partition of a table of theirs",
        "CREATE TABLE parent_{table} (LIKE {table}) PARTITION BY LIST (code); "
        "ALTER TABLE parent_{table} ATTACH PARTITION {table} FOR VALUES IN ('a', 'b')",
        OTHER,
        r"the partition bound of table '{table}', which is not the contract's, refuses a row: .*",
    ),
    *(
        Case(
            f"expression that fails: {name}",
            f"ALTER TABLE {{table}} {action}" if "INDEX" not in action else action,
            OTHER,
            rf"an expression that somebody has given to table '{{table}}' \({name}\) fails for a record: division by zero",
        )
        for name, action in {
            "constraint mine": "ADD CONSTRAINT mine CHECK (10 / (v - 7) < 1000)",
            "index i_{table}": "CREATE INDEX i_{table} ON {table} ((10 / (v - 7)))",
            "generated column n": "ADD COLUMN n integer GENERATED ALWAYS AS (10 / (v - 7)) STORED",
        }.items()
    ),
    Case(
        "unique constraint that NULL breaks, too",
        "ALTER TABLE {table} ADD CONSTRAINT u_{table} UNIQUE NULLS NOT DISTINCT (email)",
        [("a", None, 1), ("b", None, 2)],
        r"unique index 'u_{table}' of table '{table}', .*refuses a row: Key \(email\)=\(null\) already exists",
    ),
    Case(
        "trigger without an end",
        trigger("AFTER UPDATE", "UPDATE public.{table} SET v = v + 1; RETURN NULL;"),
        OTHER,
        r"nothing was changed: stack depth limit exceeded",
    ),
    Case(
        "a column of each load that the table numbers",
        "ALTER TABLE {table} DROP COLUMN load_id, ADD COLUMN load_id bigint GENERATED ALWAYS AS IDENTITY",
        OTHER,
        r"column 'load_id' of table '{table}' has to be bigint, .* ALTER TABLE {table} ALTER COLUMN load_id .*DROP IDENTITY",
        ContractError,
    ),
    Case("view", "CREATE VIEW view_{table} AS SELECT * FROM {table}", OTHER),
    Case("materialized view", "CREATE MATERIALIZED VIEW view_{table} AS SELECT * FROM {table}", OTHER),
    Case("publication of all tables", "CREATE PUBLICATION p_{table} FOR ALL TABLES", OTHER),
    Case(
        "publication of some rows",
        "CREATE PUBLICATION p_{table} FOR TABLE {table} WHERE (v > 1)",
        OTHER,
        r"changes of table '{table}' are in a publication \(p_{table}\), .*ALTER TABLE {table} REPLICA IDENTITY FULL",
    ),
    Case("readers who were shut out", "REVOKE ALL ON {table} FROM kafka_reader", OTHER),
    Case(
        "statistics and a comment",
        "CREATE STATISTICS s_{table} ON code, v FROM {table}; COMMENT ON TABLE {table} IS 'ours'",
        OTHER,
    ),
    Case(
        "another owner",
        "ALTER TABLE {table} OWNER TO postgres",
        LESS,
        r"table '{table}' belongs to postgres, .*OWNER TO batchstream_owner",
        ContractError,
    ),
    Case(
        "a column of theirs",
        "ALTER TABLE {table} ADD COLUMN note text",
        LESS,
        r"table '{table}' has column 'note', which the contract has not, .*ALTER TABLE {table} DROP COLUMN note",
        ContractError,
    ),
    Case("a generated column", "ALTER TABLE {table} ADD COLUMN twice integer GENERATED ALWAYS AS (v * 2) STORED", OTHER),
    Case("renamed", "ALTER TABLE {table} RENAME TO {table}_2024", OTHER),
    Case("dropped", "DROP TABLE {table}", OTHER),
]


@pytest.fixture
def dataset(small: MakeDataset, admin: psycopg.Connection) -> Iterator[SmallDataset]:
    found = small(COLUMNS, key="code", indexed=["v"])
    found.load(ROWS)
    yield found
    admin.execute(f"DROP PUBLICATION IF EXISTS p_{found.table}")


def is_indexed(admin: psycopg.Connection, table: str) -> bool:
    rows = admin.execute(
        "SELECT a.attname, indisprimary FROM pg_index JOIN pg_attribute AS a ON a.attrelid = indrelid AND a.attnum = indkey[0] "
        "WHERE indrelid = %s::regclass",
        [table],
    ).fetchall()
    return {("code", True), ("v", False), ("created_at", False)} <= set(rows)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_works_or_is_told_by_name(dataset: SmallDataset, admin: psycopg.Connection, case: Case) -> None:
    statements, said = case.filled(dataset.table)
    admin.execute(statements)
    if said is None:
        dataset.load(case.rows)
        assert dataset.rows(names.OWNER) == sorted(case.rows)
        assert is_indexed(admin, dataset.table)
        may_read = admin.execute("SELECT has_table_privilege('kafka_reader', %s, 'SELECT')", [dataset.table]).fetchone()
        assert may_read == ("shut out" not in case.name,)
        assert sum(dataset.load(case.rows)[:3]) == 0
        return
    with pytest.raises(case.error) as refused:
        dataset.load(case.rows)
    message = str(refused.value)
    assert re.search(said, message), message
    assert "another writer" not in message
    assert "\n" not in message
    assert "nothing was changed" in message or isinstance(refused.value, ContractError)
    # As the owner of the rows, whatever their policies hide.
    seen = admin.execute(f"SELECT code, email, v FROM {dataset.table} ORDER BY 1").fetchall()
    assert seen == ROWS


@pytest.mark.parametrize("action", ["SET NULL", "SET DEFAULT", "CASCADE"])
def test_a_foreign_key_to_the_table_itself_changes_no_row_unseen(
    dataset: SmallDataset, admin: psycopg.Connection, action: str
) -> None:
    before = [("a", "b", 1), ("b", None, 2)]
    dataset.load(before)
    admin.execute(
        f"ALTER TABLE {dataset.table} ADD CONSTRAINT s FOREIGN KEY (email) REFERENCES {dataset.table} ON DELETE {action}"
    )
    with pytest.raises(LoadError, match=r"1 rows would differ from those that were verified, .*: foreign key s;"):
        dataset.load([("a", "b", 1)])
    assert dataset.rows() == before


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE SEQUENCE {table}", "is a sequence; rename or drop it"),
        ("CREATE MATERIALIZED VIEW {table} AS SELECT 1 AS one", "is a materialized view; rename or drop it"),
        ("CREATE TABLE {table} (code text) PARTITION BY HASH (code)", "is a partitioned table; rename or drop it"),
        ("CREATE VIEW {table} AS SELECT 1 AS one", "is a view, made for the other way"),
        ("CREATE TYPE {table} AS ENUM ('a')", "is a type; rename or drop it"),
        ("CREATE DOMAIN {table} AS integer", "is a type; rename or drop it"),
    ],
)
def test_something_else_in_the_tables_place_is_told(
    small: MakeDataset, admin: psycopg.Connection, statement: str, said: str
) -> None:
    dataset = small(COLUMNS, key="code")
    admin.execute(statement.format(table=dataset.table))
    with pytest.raises(ContractError, match=said):
        dataset.open()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("ALTER TABLE published.{table} ADD CONSTRAINT mine CHECK (v < 5)", "has the constraint 'mine', .* DROP CONSTRAINT mine"),
        ("ALTER TABLE published.{table} OWNER TO postgres", "belongs to postgres, .* OWNER TO batchstream_owner"),
        ("ALTER VIEW {table} OWNER TO postgres", "view '{table}' belongs to postgres, .* OWNER TO batchstream_owner"),
        ("DROP VIEW {table}; ALTER TABLE published.{table} RENAME v TO w", "column 'v': .* has no such column; .* ADD COLUMN v"),
    ],
)
def test_what_no_swap_works_with_is_told(small: MakeDataset, admin: psycopg.Connection, statement: str, said: str) -> None:
    dataset = small(COLUMNS, key="code", publish=Publish.SWAP)
    dataset.load(ROWS)
    admin.execute(statement.replace("{table}", dataset.table))
    with pytest.raises(ContractError, match=said.replace("{table}", dataset.table)):
        dataset.open()


def test_a_landing_that_no_load_has_made_is_told(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small(COLUMNS, key="code")
    load_id = dataset.open()
    dataset.fail(load_id)
    admin.execute(f"CREATE TABLE landing.{dataset.table}_{load_id + 1} ()")
    with pytest.raises(LoadError, match=rf"landing.{dataset.table}_{load_id + 1} is there already, and no load of this ledger"):
        dataset.open()


def test_a_foreign_key_of_a_swaps_loads_is_told_as_such(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small(COLUMNS, key="code", publish=Publish.SWAP)
    dataset.load(ROWS)
    admin.execute(
        f"CREATE TABLE parent_{dataset.table} (v integer PRIMARY KEY); INSERT INTO parent_{dataset.table} VALUES (1), (2); "
        f"ALTER TABLE published.{dataset.table} ADD CONSTRAINT p FOREIGN KEY (v) REFERENCES parent_{dataset.table}"
    )
    with pytest.raises(LoadError, match=r"the foreign key 'p' of table '\w+' refuses a record: Key \(v\)=\(\d\) is not present"):
        dataset.load(OTHER)
    assert dataset.rows() == ROWS


def test_a_publication_of_all_tables_is_in_no_swaps_way(small: MakeDataset, admin: psycopg.Connection) -> None:
    dataset = small(COLUMNS, key="code", publish=Publish.SWAP)
    admin.execute(f"CREATE PUBLICATION p_{dataset.table} FOR ALL TABLES")
    try:
        for rows in (ROWS, OTHER, LESS, OTHER, ROWS, LESS, OTHER):
            dataset.load(rows)
            assert dataset.rows() == rows
    finally:
        admin.execute(f"DROP PUBLICATION p_{dataset.table}")


def test_each_table_of_the_ledger_has_a_primary_key(small: MakeDataset, admin: psycopg.Connection) -> None:
    """A publication of all tables lets nobody delete from one without: what is old would stay."""
    small(COLUMNS, key="code").load(ROWS)
    found = admin.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'batchstream'::regnamespace AND relkind = 'r' "
        "AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = pg_class.oid AND indisprimary)"
    ).fetchall()
    assert found == []
