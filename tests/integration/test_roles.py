"""Roles with few rights, and a set-up that may be repeated."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from batchstream.contract.model import Publish
from batchstream.errors import ConnectionSettingsError, ContractError
from batchstream.local.installation import Installation
from batchstream.postgres import names, relations, rights, setup
from batchstream.postgres.publish import first_load, indexes
from batchstream.postgres.tables import make_tables
from tests.support.pipeline import Pipeline

CATALOG = {
    "roles": "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, "
    "rolconnlimit, rolvaliduntil FROM pg_roles ORDER BY 1",
    "members": "SELECT roleid::regrole::text, member::regrole::text FROM pg_auth_members ORDER BY 1, 2",
    "databases": "SELECT oid, datname, datdba::regrole::text, datacl::text FROM pg_database ORDER BY datname",
    "schemas": "SELECT oid, nspname, nspowner::regrole::text, nspacl::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 2",
    "tables": "SELECT oid, oid::regclass::text, relkind, relowner::regrole::text, relacl::text, reloptions::text FROM pg_class "
    "WHERE relnamespace IN ('public'::regnamespace, 'batchstream'::regnamespace, 'landing'::regnamespace) ORDER BY 1",
    "columns": "SELECT attrelid, attnum, attname, format_type(atttypid, atttypmod), attnotnull, attacl::text FROM pg_attribute "
    "WHERE attrelid >= 16384 AND attnum > 0 ORDER BY 1, 2",
    "constraints": "SELECT oid, conname, conrelid, pg_get_constraintdef(oid) FROM pg_constraint WHERE oid >= 16384 ORDER BY 1",
}

OUTSIDE_OF_TRANSACTIONS = ("CREATE DATABASE", "DROP DATABASE", "ALTER SYSTEM")


class Tables:
    """A dataset with all its tables, for trying what a role may do with them."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.contract = pipeline.contract
        first = pipeline.open()
        with pipeline.connect(names.OWNER) as connection:
            first_load.take_landing(connection, self.contract, first)
            indexes.declare_key(connection, self.contract)
        pipeline.fail(first, "its landing is the table now")
        self.verified = pipeline.open()
        with pipeline.connect(names.OWNER) as connection:
            rights.close_landing(connection, self.contract, self.verified)
        pipeline.fail(self.verified, "it was verified")
        self.load_id = pipeline.open()

    def statement(self, template: str) -> sql.Composed:
        return sql.SQL(template).format(
            target=relations.target(self.contract),
            landing=relations.landing(self.contract, self.load_id),
            verified=relations.landing(self.contract, self.verified),
            load_id=sql.Literal(self.load_id),
            ended=sql.Literal(self.verified),
            index=sql.Identifier("public", f"{self.contract.name}_medv_idx"),
        )

    def run(self, role: str, template: str) -> list[tuple[Any, ...]]:
        """Run a statement as a role; whatever it did is rolled back, if PostgreSQL allows that."""
        with self.pipeline.connect(names.LOADER if role == names.CHECKER else role) as connection:
            connection.autocommit = True
            if role == names.CHECKER:
                connection.execute("SET ROLE batchstream_checker")
            if template.startswith(OUTSIDE_OF_TRANSACTIONS):
                return connection.execute(self.statement(template)).fetchall()
            with connection.transaction(force_rollback=True):
                return connection.execute(self.statement(template)).fetchall()


@pytest.fixture
def tables(pipeline: Pipeline) -> Iterator[Tables]:
    found = Tables(pipeline)
    yield found
    pipeline.fail(found.load_id, "the test has ended")


def _catalog(admin: psycopg.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return {name: admin.execute(query).fetchall() for name, query in CATALOG.items()}


@pytest.mark.parametrize("role", names.LOGINS)
def test_roles_may_log_in_and_no_more(admin: psycopg.Connection, role: str) -> None:
    row = admin.execute(
        "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        [role],
    ).fetchone()
    assert row == (True, False, False, False, False, False)
    memberships = (
        "SELECT roleid::regrole::text, admin_option, inherit_option, set_option FROM pg_auth_members WHERE member = %s::regrole"
    )
    expected = [(names.CHECKER, False, False, True)] if role == names.LOADER else []
    assert admin.execute(memberships, [role]).fetchall() == expected


def test_the_checker_logs_in_nowhere(admin: psycopg.Connection) -> None:
    row = admin.execute(
        "SELECT rolcanlogin, rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls FROM pg_roles WHERE rolname = %s",
        [names.CHECKER],
    ).fetchone()
    assert row == (False,) * 6
    memberships = "SELECT count(*) FROM pg_auth_members WHERE member = %s::regrole"
    assert admin.execute(memberships, [names.CHECKER]).fetchone() == (0,)


FORBIDDEN_TO_BOTH = (
    "DROP TABLE {target}",
    "DROP TABLE {landing}",
    "DROP TABLE batchstream.loads CASCADE",
    "DROP INDEX {index}",
    "DROP SCHEMA landing CASCADE",
    "DROP SCHEMA batchstream CASCADE",
    "DROP SCHEMA public CASCADE",
    "DROP DATABASE airflow",
    "DROP ROLE batchstream_owner",
    "ALTER TABLE {target} ADD COLUMN more integer",
    "ALTER TABLE {target} DISABLE TRIGGER ALL",
    "ALTER TABLE {landing} ALTER COLUMN medv DROP NOT NULL",
    "ALTER TABLE batchstream.loads DROP CONSTRAINT loads_state_check",
    "ALTER ROLE kafka_user SUPERUSER",
    "ALTER ROLE kafka_reader CREATEDB",
    "ALTER ROLE batchstream_owner PASSWORD 'taken over'",
    "TRUNCATE {target}",
    "TRUNCATE {landing}",
    "TRUNCATE batchstream.loads CASCADE",
    "TRUNCATE batchstream.batches",
    "TRUNCATE batchstream.quarantine",
    "CREATE TABLE public.mine (a integer)",
    "CREATE TABLE landing.mine (a integer)",
    "CREATE TABLE batchstream.mine (a integer)",
    "CREATE VIEW public.mine AS SELECT 1 AS one",
    "CREATE FUNCTION public.mine() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE INDEX ON {target} (crim)",
    "CREATE SCHEMA mine",
    "CREATE ROLE mine",
    "CREATE DATABASE mine",
    "GRANT batchstream_owner TO kafka_user",
    "SET ROLE batchstream_owner",
    "SET SESSION AUTHORIZATION batchstream_owner",
    "COPY {target} TO PROGRAM 'cat'",
    "COPY {target} FROM '/etc/passwd'",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT rolpassword FROM pg_authid",
    "ALTER SYSTEM SET log_statement = 'all'",
    "CREATE TEMP TABLE mine (a integer)",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'filled')",
    "SELECT pg_logical_emit_message(false, 'any', 'filled')",
    "SELECT pg_advisory_lock(1650553858, hashtext('any'))",
    "SELECT pg_advisory_xact_lock(1)",
    "SELECT pg_try_advisory_lock(1)",
    "INSERT INTO {target} SELECT * FROM {target}",
    "UPDATE {target} SET medv = 1",
    "DELETE FROM {target}",
    "SELECT * FROM {target} FOR UPDATE",
    "LOCK TABLE {target} IN ACCESS EXCLUSIVE MODE",
    # Of a load that was verified: it is shown by a swap, or merged.
    "INSERT INTO {verified} SELECT * FROM {verified}",
    "UPDATE {verified} SET medv = 1",
    "DELETE FROM {verified}",
)

FORBIDDEN_TO_LOADER = (
    "INSERT INTO batchstream.loads (dataset, run_id, contract_version, source_path, topic) VALUES ('a', 'b', 'c', 'd', 'e')",
    "DELETE FROM batchstream.loads WHERE load_id = {load_id}",
    "UPDATE batchstream.loads SET state = 'published'",
    "UPDATE batchstream.loads SET seen_at = now()",
    "SELECT * FROM batchstream.loads FOR UPDATE",
    "SELECT batchstream.transition({load_id}, 'verified', '{{}}')",
    "SELECT batchstream.transition({load_id}, 'published', '{{}}')",
    "SELECT batchstream.reopen_load({load_id}, 1, '', '', '')",
    "INSERT INTO batchstream.verdicts VALUES ({load_id}, 'columns', true, '', 506)",
    "UPDATE batchstream.load_secrets SET secret = ''",
    "UPDATE batchstream.quarantine SET replayed_at = now()",
    "INSERT INTO batchstream.migrations VALUES (99)",
    "UPDATE batchstream.batches SET records = 0",
    "INSERT INTO batchstream.batches VALUES ({ended}, 1, 0, 0, 1, 1)",
    "INSERT INTO batchstream.quarantine (load_id, topic, raw, reason) VALUES ({ended}, 'a', 'b', 'c')",
    "SELECT batchstream.count_rejected({ended}, 0, ARRAY[1])",
    "DELETE FROM batchstream.batches",
    "UPDATE batchstream.rejected_messages SET offsets = '{{}}'",
    "DELETE FROM batchstream.rejected_messages",
    "UPDATE {landing} SET medv = 1",
    "DELETE FROM {landing}",
)

FORBIDDEN_TO_READER = (
    "SELECT pg_advisory_lock_shared(1650553860, 1)",
    "SELECT * FROM batchstream.load_secrets",
    "SELECT batchstream.note_failure({load_id}, 'no reason', true)",
    "SELECT batchstream.transition({load_id}, 'failed', '{{}}')",
    "SELECT batchstream.count_rejected({load_id}, 0, ARRAY[1])",
    "SELECT * FROM batchstream.batches",
    "SELECT * FROM batchstream.quarantine",
    "SELECT * FROM {landing}",
    "SET ROLE batchstream_checker",
)

FORBIDDEN_TO_CHECKER = (
    "SELECT pg_advisory_lock_shared(1650553860, 1)",
    "SELECT * FROM batchstream.load_secrets",
    "SELECT batchstream.transition({load_id}, 'failed', '{{}}')",
    "SELECT * FROM batchstream.loads",
    "SELECT * FROM batchstream.quarantine",
    "INSERT INTO {landing} SELECT * FROM {landing}",
    "UPDATE {landing} SET medv = 1",
    "DELETE FROM {landing}",
)


def _is_refused(tables: Tables, role: str, template: str) -> None:
    with pytest.raises(errors.InsufficientPrivilege, match=r"permission denied|must be owner of"):
        tables.run(role, template)


def test_the_loader_changes_no_structure(tables: Tables, admin: psycopg.Connection) -> None:
    before = _catalog(admin)
    for template in (*FORBIDDEN_TO_BOTH, *FORBIDDEN_TO_LOADER):
        _is_refused(tables, names.LOADER, template)
    assert _catalog(admin) == before


def test_the_reader_only_reads_what_is_published(tables: Tables, admin: psycopg.Connection) -> None:
    before = _catalog(admin)
    for template in (*FORBIDDEN_TO_BOTH, *FORBIDDEN_TO_READER):
        _is_refused(tables, names.READER, template)
    assert _catalog(admin) == before
    assert tables.run(names.READER, "SELECT count(*) FROM {target}") == [(0,)]
    assert tables.run(names.READER, "SELECT count(*) FROM batchstream.loads WHERE load_id = {load_id}") == [(1,)]


def test_the_checker_only_reads_landings_and_what_is_published(tables: Tables, admin: psycopg.Connection) -> None:
    before = _catalog(admin)
    for template in (*FORBIDDEN_TO_BOTH, *FORBIDDEN_TO_CHECKER):
        _is_refused(tables, names.CHECKER, template)
    assert _catalog(admin) == before
    assert tables.run(names.CHECKER, "SELECT count(*) FROM {target}, {landing}, {verified}") == [(0,)]


def test_each_grant_is_the_one_that_its_work_needs(tables: Tables, admin: psycopg.Connection) -> None:
    rows = admin.execute(
        "SELECT grantee, table_schema || '.' || table_name, string_agg(privilege_type, ' ' ORDER BY privilege_type) "
        "FROM (SELECT r.rolname AS grantee, n.nspname AS table_schema, c.relname AS table_name, a.privilege_type "
        "FROM pg_class AS c "
        "JOIN pg_namespace AS n ON n.oid = c.relnamespace CROSS JOIN aclexplode(c.relacl) AS a "
        "LEFT JOIN pg_roles AS r ON r.oid = a.grantee WHERE c.relkind = 'r' AND a.grantee <> c.relowner "
        "AND c.oid IN (%s::regclass, %s::regclass, %s::regclass, 'batchstream.loads'::regclass, 'batchstream.batches'::regclass, "
        "'batchstream.quarantine'::regclass)) AS grants GROUP BY 1, 2",
        [
            relations.target(tables.contract).as_string(admin),
            relations.landing(tables.contract, tables.load_id).as_string(admin),
            relations.landing(tables.contract, tables.verified).as_string(admin),
        ],
    ).fetchall()
    name = tables.contract.name
    assert {(grantee, table): granted for grantee, table, granted in rows} == {
        (names.LOADER, "batchstream.loads"): "SELECT",
        (names.READER, "batchstream.loads"): "SELECT",
        (names.LOADER, "batchstream.batches"): "INSERT SELECT",
        (names.LOADER, "batchstream.quarantine"): "INSERT SELECT",
        (names.LOADER, f"landing.{name}_{tables.load_id}"): "INSERT SELECT",
        (names.CHECKER, f"landing.{name}_{tables.load_id}"): "SELECT",
        (names.LOADER, f"landing.{name}_{tables.verified}"): "SELECT",
        (names.CHECKER, f"landing.{name}_{tables.verified}"): "SELECT",
        (names.LOADER, f"public.{name}"): "SELECT",
        (names.READER, f"public.{name}"): "SELECT",
        (names.CHECKER, f"public.{name}"): "SELECT",
    }


GRANTED = """
SELECT coalesce(r.rolname, 'PUBLIC'), o.name, string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type)
FROM (
    SELECT relname AS name, relowner AS owner, relacl AS acl FROM pg_class WHERE relnamespace = 'batchstream'::regnamespace
    UNION ALL SELECT c.relname || '.' || t.attname, c.relowner, t.attacl
    FROM pg_attribute AS t JOIN pg_class AS c ON c.oid = t.attrelid WHERE c.relnamespace = 'batchstream'::regnamespace
    UNION ALL SELECT proname || '()', proowner, coalesce(proacl, acldefault('f', proowner))
    FROM pg_proc WHERE pronamespace = 'batchstream'::regnamespace
    UNION ALL SELECT 'schema ' || nspname, nspowner, coalesce(nspacl, acldefault('n', nspowner))
    FROM pg_namespace WHERE nspname IN ('batchstream', 'landing', 'published', 'public')
) AS o CROSS JOIN aclexplode(o.acl) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee
WHERE a.grantee <> o.owner GROUP BY 1, 2
"""
"""Who may do what in the ledger, and who may enter which schema, beside their owners."""

ALLOWED = {
    names.OWNER: {"schema public": "CREATE USAGE"},
    names.LOADER: {
        "schema batchstream": "USAGE",
        "schema landing": "USAGE",
        "schema public": "USAGE",
        "batches": "INSERT SELECT",
        "load_secrets": "SELECT",
        "loads": "SELECT",
        "quarantine": "INSERT SELECT",
        "rejected_messages": "SELECT",
        "source_files": "INSERT SELECT",
        "verdicts": "SELECT",
        "begin_attempt()": "EXECUTE",
        "close_load()": "EXECUTE",
        "count_rejected()": "EXECUTE",
        "forget_failure()": "EXECUTE",
        "hold_load()": "EXECUTE",
        "load_is_gone()": "EXECUTE",
        "note_alive()": "EXECUTE",
        "note_failure()": "EXECUTE",
        "transition()": "EXECUTE",
    },
    names.READER: {
        "schema batchstream": "USAGE",
        "schema public": "USAGE",
        "loads": "SELECT",
        "source_files": "SELECT",
        "load_is_gone()": "EXECUTE",
    },
    names.CHECKER: {"schema landing": "USAGE", "schema public": "USAGE", "load_is_gone()": "EXECUTE"},
}


def test_nobody_has_a_right_to_the_ledger_that_is_not_listed_here(tables: Tables, admin: psycopg.Connection) -> None:
    found: dict[str, dict[str, str]] = {}
    for role, name, granted in admin.execute(GRANTED).fetchall():
        found.setdefault(role, {})[name] = granted
    assert found == ALLOWED


def test_set_up_again_changes_nothing(installation: Installation, pipeline: Pipeline, tables: Tables) -> None:
    with installation.postgres.connect(names.DATABASE) as admin:
        admin.autocommit = True
        before = _catalog(admin)
        setup.set_up(installation.postgres.connect, installation.secrets)
        setup.set_up(installation.postgres.connect, installation.secrets)
        assert _catalog(admin) == before
    for role in (names.OWNER, names.LOADER, names.READER):
        with pipeline.connect(role) as connection:
            assert connection.execute("SELECT current_user").fetchone() == (role,)


def test_set_up_takes_back_attributes_that_a_role_was_given(
    installation: Installation, admin: psycopg.Connection, tables: Tables
) -> None:
    before = _catalog(admin)
    admin.execute("ALTER ROLE kafka_user SUPERUSER CREATEDB CREATEROLE REPLICATION BYPASSRLS NOLOGIN PASSWORD 'other'")
    try:
        assert _catalog(admin) != before
    finally:
        setup.set_up(installation.postgres.connect, installation.secrets)
    assert _catalog(admin) == before
    _is_refused(tables, names.LOADER, "CREATE ROLE mine")


@pytest.mark.parametrize(
    ("broken", "mended", "said"),
    [
        ("REVOKE batchstream_checker FROM kafka_user", None, "'kafka_user' may not become it"),
        (
            "ALTER ROLE batchstream_checker RENAME TO somebody_else",
            "ALTER ROLE somebody_else RENAME TO batchstream_checker",
            "there is no such role",
        ),
    ],
)
def test_a_missing_checker_is_told_with_what_to_run(
    installation: Installation, pipeline: Pipeline, admin: psycopg.Connection, broken: str, mended: str | None, said: str
) -> None:
    admin.execute(broken)
    try:
        with pytest.raises(ConnectionSettingsError, match=rf"role 'batchstream_checker' .*{said}; .*sql/setup/checker\.sql"):
            pipeline.open()
    finally:
        if mended:
            admin.execute(mended)
        setup.set_up(installation.postgres.connect, installation.secrets)
    pipeline.fail(pipeline.open(), "the test has ended")


def test_tables_made_again_are_the_same(pipeline: Pipeline, tables: Tables, admin: psycopg.Connection) -> None:
    before = _catalog(admin)
    with pipeline.connect(names.OWNER) as connection:
        make_tables(connection, pipeline.contract)
        make_tables(connection, pipeline.contract)
    assert _catalog(admin) == before
    found = [row[1] for row in before["tables"]]
    assert {f"{pipeline.name}_medv_idx", f"{pipeline.name}_created_at_idx", f"{pipeline.name}_pkey"} <= set(found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ALTER TABLE {target} ALTER COLUMN medv TYPE real", r"'medv': the contract says double precision NOT NULL.*has real"),
        ("ALTER TABLE {target} ALTER COLUMN rad DROP NOT NULL", r"'rad': the contract says integer NOT NULL, .*has integer;"),
        ("ALTER TABLE {target} DROP COLUMN tax", r"'tax': the contract says integer NOT NULL, .*has no such column"),
    ],
)
def test_a_target_with_other_columns_is_refused(pipeline: Pipeline, tables: Tables, change: str, said: str) -> None:
    with pipeline.connect(names.OWNER) as connection:
        connection.execute(tables.statement(change))
        connection.commit()
        with pytest.raises(ContractError, match=said) as refused:
            make_tables(connection, tables.contract)
    assert str(tables.contract.path) in str(refused.value)
    assert "change the contract back, or the table by ALTER TABLE" in str(refused.value)


def test_two_owners_make_the_same_tables_at_the_same_time(pipeline: Pipeline, admin: psycopg.Connection) -> None:
    contract = replace(pipeline.contract, name=f"{pipeline.name}_twice", publish=Publish.SWAP)
    with pipeline.connect(names.OWNER) as one, pipeline.connect(names.OWNER) as two:
        with one.transaction():
            make_tables(one, contract)
            two.execute("SET lock_timeout = '300ms'")
            two.commit()
            with pytest.raises(errors.LockNotAvailable):
                make_tables(two, contract)
        make_tables(two, contract)
    found = admin.execute("SELECT count(*) FROM pg_views WHERE viewname = %s", [contract.name]).fetchone()
    assert found == (1,)
    admin.execute(
        sql.SQL("DROP VIEW {}; DROP TABLE {}").format(relations.target(contract), relations.partitioned_table(contract))
    )
