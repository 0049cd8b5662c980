"""Rules of type sql: what only reads is taken, and what may do more is refused, however it is written."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from open_data_contract_standard.model import DataQuality

from batchstream.contract import queries
from batchstream.contract.model import Check
from batchstream.contract.quality import read_check

PLAIN = [
    "SELECT avg({property}) FROM {object}",
    "select count(*) from {object};",
    "SELECT count(DISTINCT t) FROM ${object} WHERE a >= 1.5 AND t = 'x;y' OR b IS NOT NULL",
    "SELECT max(a)\nFROM {table}\nWHERE a<>b",
    'SELECT max("{column}") FROM "${object}"',
]
"""Queries that need no parser."""

# Of a table with the columns a and b (integer), t (text), d (date), ts (timestamptz) and ok (boolean).
TAKEN = [
    *PLAIN,
    "SELECT count(*) FROM {object} WHERE a < 0 -- none\n",
    "SELECT count(*) FROM {object} WHERE a < 0 -- none",
    "SELECT count(*) /* all /* of */ them; */ FROM {object} -- or not\n WHERE true; -- the end",
    "SELECT '-- ' || '/*' || ';' || count(*) FROM {object}",
    "SELECT 'it''s' || max(\"t\") FROM {object}",
    "SELECT 'back\\' || max(t) FROM {object}",
    "SELECT $1x$1".replace("$1x$1", "'$' || 1"),
    "SELECT '{\"a\": {}}'::jsonb->>'a' FROM {object} LIMIT 1",
    "SELECT 100.0 * count(*) / greatest(1, (SELECT count(*) FROM {published})) FROM {object}",
    "SELECT count(*) FILTER (WHERE a > 1) FROM {object} AS o",
    "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY a) FROM {object}",
    "WITH w (n) AS MATERIALIZED (SELECT a FROM {object}) SELECT sum(n) FROM w",
    "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT count(*) FROM r",
    "SELECT count(*) FROM (VALUES (1), (2)) AS v (n) JOIN {object} AS o ON o.a = v.n",
    "SELECT count(*) FROM {object} NATURAL JOIN {published}",
    "SELECT count(*) FROM generate_series(1, 10) AS g(n) LEFT JOIN {object} ON a = n WHERE a IS NULL",
    "SELECT max(n) FROM {object}, LATERAL (SELECT a * 2) AS twice (n)",
    "SELECT count(*) FROM {object} WHERE t ~ '^x' AND t !~* 'z' AND a IS DISTINCT FROM b AND t ILIKE '%X%' AND t NOT LIKE '\\_%'",
    "SELECT count(*) FROM {object} WHERE (a, b) IN (SELECT a, b FROM {published}) AND a = ANY (ARRAY[1]) AND b <> ALL (SELECT 9)",
    "SELECT extract(epoch FROM max(ts)) - extract(epoch FROM min(ts)) FROM {object}",
    "SELECT date_trunc('day', max(ts) AT TIME ZONE 'UTC') - INTERVAL '1 day' FROM {object}",
    "SELECT CURRENT_DATE - max(d) < 100000 FROM {object}",
    "SELECT count(*) FROM {object} WHERE d > now() - '99999 days'::interval AND ts < current_timestamp(0)",
    "SELECT bool_and(ok) AND every(a IS NOT NULL) FROM {object}",
    "SELECT CASE WHEN count(*) > 1 THEN (1) ELSE (2) END FROM {object}",
    "SELECT cast(avg(a) AS numeric(10, 2)) FROM {object}",
    "SELECT abs(round(avg(a), 2) - 2.5)::numeric(9,3) FROM {object}",
    "SELECT count(*) FROM (SELECT a, lag(a) OVER (PARTITION BY t ORDER BY d) AS earlier FROM {object}) AS o WHERE a < earlier",
    "SELECT max(n) FROM (SELECT count(*) AS n FROM {object} GROUP BY a, b HAVING count(*) > 0) AS o",
    "SELECT sum(sum(a)) OVER (ORDER BY min(d) ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) FROM {object}",
    "SELECT max(n) FROM (SELECT rank() OVER w AS n FROM {object} WINDOW w AS (ORDER BY a)) AS o",
    "SELECT count(*) FROM (SELECT a FROM {object} GROUP BY GROUPING SETS ((a), (b, a), ())) AS o",
    "SELECT (SELECT max(a) FROM {object}) - (SELECT min(a) FROM {published})",
    "(SELECT count(*) FROM {object})",
    "SELECT count(*) FROM {object} HAVING count(*) > 0 UNION ALL SELECT 1 WHERE false",
    "SELECT count(*) FROM (SELECT DISTINCT ON (a) a FROM {object} ORDER BY a, b) AS o",
    "SELECT substring(max(t) FROM 1 FOR 1) || trim(both 'x' FROM min(t)) || overlay(min(t) PLACING 'a' FROM 1) FROM {object}",
    "SELECT position('x' IN max(t)) + length(coalesce(nullif(max(t), ''), 'none')) FROM {object}",
    "SELECT jsonb_array_length(jsonb_agg(jsonb_build_object('a', a))) FROM {object}",
    "SELECT (array_agg(a ORDER BY b))[1] FROM {object}",
    "SELECT string_agg(t, ',' ORDER BY a) FROM {object}",
    "SELECT pg_catalog.count(*) FROM {object}",
    "SELECT corr(a, b) + stddev_samp(a) FROM {object}",
    "SELECT count(*) FROM {object} WHERE NOT EXISTS (SELECT FROM {published} AS p WHERE p.a = {object}.a)",
    "SELECT count(*) FROM {object} WHERE a BETWEEN SYMMETRIC 5 AND 1 OR a IS NULL OR ok IS NOT TRUE",
    "SELECT count(*) FROM {object} AS x (p, q) WHERE p <@ int4range(1, 5)",
    "SELECT count(*) % 2 = 0 OR 2 ^ 3 > 1 AND |/ 4 > 1 FROM {object}",
    'SELECT min(t COLLATE "C") FROM {object}',
    "SELECT count(*) FROM ONLY public.anything",
    "SELECT count(*) FROM ANYTHING",
]


def check(query: str) -> Check:
    found = read_check(DataQuality(type="sql", query=query, mustBe=0), "a", "x")
    assert found is not None
    return found


@pytest.mark.parametrize("query", TAKEN)
def test_a_query_that_only_reads_is_taken(query: str) -> None:
    check(query)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("SELECT count(*) FROM {object} WHERE a < 0 -- none\n", "SELECT count(*) FROM {object} WHERE a < 0"),
        ("SELECT/* 1 */count(*)FROM{object}--;\n;", "SELECT count(*)FROM{object}"),
        ('SELECT max("{property}") FROM "{object}" -- 1', 'SELECT max("a") FROM {object}'),
        ("SELECT count(*)\n  -- two\n  FROM  {object} ; ; ", "SELECT count(*)\nFROM {object}"),
        ("SELECT 'a'\n  'b' || '-- {{object}'", "SELECT 'a'\n'b' || '-- {{{object}'"),
    ],
)
def test_a_query_loses_its_comments_and_nothing_else(query: str, text: str) -> None:
    assert check(query).query == text


@pytest.mark.parametrize(
    ("query", "reads"),
    [
        ("SELECT count(*) FROM {published}", True),
        ("SELECT count(*) FROM ${published}", True),
        ("SELECT (SELECT count(*) FROM x) - count(*) FROM {object}", True),
        ("SELECT count(*) FROM X JOIN {object} USING (a)", True),
        ('SELECT count(*) FROM public."x"', True),
        ('SELECT count(*) FROM "X"', False),
        ("SELECT count(*) FROM y", False),
        ("SELECT count(*) FROM {object} AS x WHERE x.a = 1", False),
        ("SELECT max('SELECT FROM {published}') FROM {object} -- {published}", False),
    ],
)
def test_a_rule_tells_whether_it_reads_what_is_published(query: str, reads: bool) -> None:
    assert check(query).reads_published is reads


ONLY_SELECT = "write one SELECT of one value"
REFUSED = [
    ("DELETE FROM {object} RETURNING 1", "got DELETE"),
    ("INSERT INTO {object} VALUES (1) RETURNING 1", "got INSERT"),
    ("UPDATE {object} SET a = 1 RETURNING a", "got UPDATE"),
    ("MERGE INTO {object} USING x ON true WHEN MATCHED THEN DELETE RETURNING 1", "got MERGE"),
    ("WITH d AS (DELETE FROM x RETURNING 1) SELECT count(*) FROM d", "got DELETE, and a rule only reads"),
    ("WITH d AS (INSERT INTO x VALUES (1) RETURNING 1) SELECT count(*) FROM d", "got INSERT, and"),
    ("WITH d AS (UPDATE x SET a = 1 RETURNING 1) SELECT count(*) FROM d", "got UPDATE, and"),
    ("SELECT (WITH d AS (DELETE FROM x RETURNING 1) SELECT count(*) FROM d)", "got DELETE, and"),
    ("SELECT count(*) FROM (WITH d AS (DELETE FROM x RETURNING 1) SELECT 1 FROM d) AS e", "got DELETE, and"),
    ("SELECT 1) AS value OFFSET 0) AS m; DROP TABLE x; SELECT ((1", "closes that none has opened"),
    ("SELECT ((1", "2 parentheses are not closed"),
    ("SELECT 1; DROP TABLE x", "holds several statements"),
    ("SELECT 1; SELECT 2", "holds several statements"),
    (";", "got nothing"),
    ("-- nothing", "got nothing"),
    ("SELECT 1 INTO y", "got INTO"),
    ("SELECT a INTO TEMP y FROM {object}", ""),
    ("SELECT a FROM {object} FOR UPDATE", "got a lock"),
    ("SELECT a FROM {object} FOR NO KEY UPDATE", ""),
    ("SELECT count(*) FROM (SELECT a FROM {object} FOR SHARE) AS o", "got a lock"),
    ("TRUNCATE x", "got TRUNCATE"),
    ("DROP TABLE x", "got DROP"),
    ("CREATE TABLE y AS SELECT 1", "got CREATE"),
    ("COPY x TO PROGRAM 'sh'", "got COPY"),
    ("DO 'BEGIN END'", ""),
    ("CALL p()", ""),
    ("EXPLAIN ANALYZE SELECT 1", ""),
    ("SET ROLE postgres", "got SET"),
    ("VALUES (1)", "got VALUES"),
    ("TABLE {object}", "gives all columns"),
    ("SELECT", "gives 0 values"),
    ("SELECT * FROM {object}", "gives all columns"),
    ("SELECT {object}.* FROM {object}", "gives all columns"),
    ("SELECT a, b FROM {object}", "gives 2 values"),
    ("SELECT a, b FROM {object} UNION SELECT 1, 2", "gives 2 values"),
    ("SELEC 1", ""),
    ("SELECT count(* FROM {object}", "1 parentheses are not closed"),
    ("SELECT count(*) FROM {object} WHERE", ""),
    ("SELECT 'open", ""),
    ("SELECT E'a\\'b'", "write a text as '…'"),
    ("SELECT U&'\\0061'", "write a text as '…'"),
    ("SELECT $$a$$", "write a text as '…'"),
    ("SELECT $x$a$x$", "write a text as '…'"),
    ("SELECT {other} FROM {object}", "got braces"),
    ("SELECT {{object}} FROM {object}", "got braces"),
    ("SELECT " + "(" * 5000 + "1" + ")" * 5000, "write"),
    ("SELECT 1" + " " * 10_000, "write at most 10,000"),
]
CALLS = [
    "set_config('role', 'postgres', false)",
    "SET_CONFIG('role', 'postgres', false)",
    "\"set_config\"('role', 'postgres', false)",
    "pg_catalog.set_config('role', 'postgres', false)",
    "pg_catalog . set_config /* */ ('role', 'postgres', false)",
    "current_setting('x')",
    "query_to_xml('DELETE FROM x', true, true, '')",
    "query_to_xml_and_xmlschema('DELETE FROM x', true, true, '')",
    "table_to_xml('x', true, true, '')",
    "database_to_xml(true, true, '')",
    "cursor_to_xml('x', 1, true, true, '')",
    "ts_stat('SELECT 1')",
    "ts_rewrite('a', 'SELECT 1')",
    "pg_read_file('/etc/passwd')",
    "pg_read_binary_file('/etc/passwd')",
    "pg_ls_dir('/')",
    "pg_stat_file('/')",
    "lo_import('/etc/passwd')",
    "lo_export(1, '/tmp/x')",
    "lo_get(1)",
    "lo_from_bytea(0, 'x')",
    "dblink('host=other', 'DELETE FROM x')",
    "dblink_exec('host=other', 'DELETE FROM x')",
    "pg_sleep(9999)",
    "nextval('s')",
    "setval('s', 1)",
    "pg_notify('x', 'y')",
    "pg_advisory_lock(1)",
    "pg_try_advisory_xact_lock(1)",
    "pg_terminate_backend(1)",
    "pg_cancel_backend(1)",
    "pg_reload_conf()",
    "pg_switch_wal()",
    "pg_logical_emit_message(true, 'a', 'b')",
    "pg_current_xact_id()",
    "pg_export_snapshot()",
    "pg_stat_get_activity(NULL)",
    "pg_stat_reset()",
    "pg_promote()",
    "pg_import_system_collations('public')",
    "has_table_privilege('x', 'SELECT')",
    "random()",
    "clock_timestamp()",
    "gen_random_uuid()",
    "public.count(1)",
    "x.avg(1)",
    "my_function(1)",
    "merge_action()",
    "1 OPERATOR(pg_catalog.+) 1",
]
PLACES = [
    "SELECT {}",
    "SELECT count(*) FROM {{object}} WHERE 1 = (SELECT 1 FROM (SELECT {}) AS q)",
    "SELECT count(*) FROM {{object}} ORDER BY count(*), {}",
    "SELECT count(*) FILTER (WHERE {} IS NOT NULL) FROM {{object}}",
    "WITH set_config (a) AS (SELECT 1), my_function (a) AS (SELECT {}) SELECT count(*) FROM my_function",
]
TABLES = [
    "landing.x_5",
    '"landing"."x_5"',
    "batchstream.loads",
    "published.x",
    "pg_catalog.pg_class",
    "pg_class",
    "PG_CLASS",
    "pg_stat_activity",
    "information_schema.tables",
    "other.y",
    "kafka_streaming.landing.x_5",
    "pg_temp.changed",
]


@pytest.mark.parametrize(("query", "said"), REFUSED)
def test_a_query_that_may_do_more_is_refused(query: str, said: str) -> None:
    with pytest.raises(ValueError, match=r"^query: .*; (write|a rule)|^query: got braces; write") as caught:
        check(query)
    assert said in str(caught.value)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("call", CALLS)
def test_a_function_that_does_more_than_compute_is_refused_wherever_it_stands(call: str, place: str) -> None:
    with pytest.raises(ValueError, match=r"^query: calls '.*', which is none of the functions that a rule may call"):
        check(place.format(call))


@pytest.mark.parametrize(
    "place", ["SELECT count(*) FROM {}", "SELECT count(*) FROM {{object}} WHERE a IN (SELECT 1 FROM {} AS y)"]
)
@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_is_not_published_is_refused_wherever_it_stands(table: str, place: str) -> None:
    with pytest.raises(ValueError, match=r"^query: reads '.*'; a rule reads \{object\}, \{published\} and published tables"):
        check(place.format(table))


def test_a_name_of_a_with_query_is_no_way_into_other_schemas() -> None:
    for table in ("landing.x_5", "pg_catalog.pg_authid", "batchstream.load_secrets"):
        with pytest.raises(ValueError, match=f"^query: reads '{table}'"):
            check(f"WITH {table.partition('.')[2]} AS (SELECT 1) SELECT count(*) FROM {table}")


def test_a_name_of_a_function_is_no_way_around() -> None:
    for query in (
        "WITH set_config (a) AS (SELECT 1) SELECT set_config('role', 'x', false) FROM set_config",
        "SELECT set_config('role', 'x', false) FROM {object} AS set_config (a)",
    ):
        with pytest.raises(ValueError, match="calls 'set_config'"):
            check(query)
    with pytest.raises(ValueError, match="names a WITH query 'x', as the published table is"):
        check("WITH x AS (SELECT count(*) AS n FROM x) SELECT n FROM x")


NAMES = st.sampled_from(["a", "B", "count", "medv_2", "{property}"])
VALUES = st.sampled_from(["1", "2.5", "'x'", "'--'", "'; DROP'", "''", "b"])
CONDITIONS = st.one_of(
    st.tuples(NAMES, st.sampled_from(["=", " <> ", " >= "]), VALUES).map("".join),
    st.tuples(NAMES, st.sampled_from([" IS NULL", " is not null"])).map("".join),
)


@given(
    st.sampled_from(["count(*)", "COUNT( DISTINCT a )", "avg({property})", "Max(b)"]),
    st.lists(CONDITIONS, max_size=3),
    st.sampled_from([" AND ", "\nor "]),
)
def test_what_needs_no_parser_is_what_the_parser_takes(value: str, conditions: list[str], connective: str) -> None:
    query = f"SELECT {value} FROM {{object}}" + (f" WHERE {connective.join(conditions)}" if conditions else "")
    assert queries._PLAIN.fullmatch(query.replace("{object}", queries.OBJECT).replace("{property}", queries.PROPERTY))
    plain = check(query).query
    assert check(f"{query} /* a comment, so that it is parsed */").query == plain


def test_common_rules_need_no_parser() -> None:
    program = (
        "import sys; from batchstream.contract.quality import read_check; "
        "from open_data_contract_standard.model import DataQuality\n"
        f"for query in {PLAIN!r}: read_check(DataQuality(query=query, type='sql', mustBe=0), 'a', 'x')\n"
        "assert 'sqlglot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
