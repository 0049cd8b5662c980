"""What a source's text becomes is what PostgreSQL's own cast makes of it, or the record is refused."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import sql

from batchstream.contract import Contract
from batchstream.contract.column_types import SIMPLE
from batchstream.contract.model import Column
from batchstream.contract.types import parse_type
from batchstream.local.installation import Installation
from batchstream.postgres import names
from batchstream.postgres.copy_rows import RowCopy
from batchstream.records.codec import Misfit, RecordCodec
from batchstream.records.literals import literal

TABLE = sql.Identifier("cast_values")
FAR_OFFSET = re.compile(r":\d\d(?:\.\d+)?[+-](?:1[6-9]|[2-9]\d)")

GOOD: dict[str, list[str]] = {
    "numeric": ["0", "-0", "1.50", "1e5", "1.5e-3", "9" * 60, "0.000", "1e131071", "1e-16383", "0e5", "-123456789.000100"],
    "char(3)": ["", "a", "abc", "abc   ", " a ", "日本語"],
    "bpchar": ["", "a ", "abc"],
    "name": ["", "a", "x" * 63, "é" * 31],
    "json": ["{}", " [1, 2] ", '"a"', "null ", "1e400", '{"a":1,"a":2}', '"\\\\u0000"', '{"a": "\\ud83d\\ude00"}', "-0.10"],
    "jsonb": ["{}", " [1, 2] ", '"a"', "null ", "1e400", '{"a":1,"a":2}', '"\\\\u0000"', '{"b":[{"a":null}]}', "-0.10"],
    "time": ["00:00", "9:05", "23:59:59.999999", "24:00", "12:30:00.5000000", " 01:02:03 "],
    "time(2)": ["00:00", "23:59:59.99", "12:30:00.500"],
    "timetz": ["00:00Z", "9:05+02", "23:59:59.5-15:59", "12:00:00+0530", "24:00:00-00:00"],
    "timetz(0)": ["12:00:00+01"],
    "timestamp(3)": ["2024-02-29 12:00:00.123", "2024-01-01T00:00:00"],
    "timestamptz(0)": ["2024-02-29 12:00:00+01", "0001-01-02 00:00:00Z"],
    "interval": [
        *("P1Y2M10DT2H30M5.5S", "P2W", "PT0S", "P-1Y2M", "PT-5.25S", "PT-0.5S", "P1D"),
        *("1 year 2 mons 3 days 04:05:06.789", "-1 years -2 mons +3 days -04:05:06.5", "04:05", "1 day", "100:00:00", "1 week"),
        *("3 hours 2 minutes 1.5 seconds", "-00:00:00.5", "00:00:00", "2 mons", "-1.5 secs", "1 mon 00:00:01"),
    ],
    "bytea": [r"\x", r"\x00ff", r"\xDEADbeef"],
    "inet": ["10.0.0.1", "10.0.0.1/8", "::1", "2001:db8::/32", "::ffff:1.2.3.4", "0.0.0.0/0", "10.0.0.1/32", "::1/128"],
    "cidr": ["10.0.0.0/8", "2001:db8::/32", "10.1.2.3", "::/0", "192.168.100.128/25"],
    "macaddr": ["08:00:2b:01:02:03", "08-00-2B-01-02-03"],
    "macaddr8": ["08:00:2b:01:02:03:04:05"],
    "integer[]": ["{}", "[]", "{1,2}", "[1, null, 3]", "{NULL,-5}", "{ 1 , 2 }", '{"1","2"}'],
    "smallint[]": ["{1,-32768}"],
    "bigint[]": ["{9223372036854775807}"],
    "text[]": ['{"a b",c d,"NULL",null,""}', '["a","b\\"c",null,""]', r'{"a\"b\\c"}', "{日本,ü}", '{"{x}",",", y }'],
    "varchar(2)[]": ["{ab,c}"],
    "char(3)[]": ["{ab,abc}"],
    "bpchar[]": ["{ab,abc}"],
    "name[]": ["{ab,abc}"],
    "numeric[]": ["{0,-0.00,1.50,12345678.00012,1e5,0.0001,10000,99990000.5,-1}", "[1.10,2]"],
    "numeric(6,2)[]": ["{0,1234.5,-0.01,0.10}"],
    "real[]": ["{0.1,1e10}"],
    "double precision[]": ["{0.1,-1e300,5}"],
    "boolean[]": ["{t,f,true}", "[true,false]"],
    "date[]": ["{2024-02-29,0001-01-01,9999-12-31}", '["2024-02-29"]'],
    "timestamp[]": ['{"2024-02-29 12:00:00.5",1999-12-31 23:59:59}'],
    "timestamptz[]": ['{"2024-02-29 12:00:00+02:00"}'],
    "uuid[]": ["{07b22ec3-3a92-46f6-80c9-c1dfa6176fe5}"],
    "time[]": ["{12:00,23:59:59.5}"],
    "timetz[]": ["{12:00Z}"],
    "interval[]": ["{1 day,P1Y}"],
    "jsonb[]": ['{"{\\"a\\": 1}",2}'],
    "json[]": ['{"{\\"a\\": 1}",2}'],
    "bytea[]": [r'{"\\x00ff"}'],
    "inet[]": ["{10.0.0.1/8,::1}"],
    "cidr[]": ["{10.0.0.0/8}"],
    "macaddr[]": ["{08:00:2b:01:02:03}"],
    "macaddr8[]": ["{08:00:2b:01:02:03:04:05}"],
}

BAD: dict[str, list[str]] = {
    "numeric": ["NaN", "Infinity", "1e131072", "1e-16384", "1,5", ""],
    "char(3)": ["abcd", "a   b", "a\0"],
    "bpchar": ["a\0"],
    "name": ["x" * 64, "é" * 32, "a\0"],
    "json": ["", "{", "{'a':1}", "NaN", "[1,]", '"\\u0000"', '"\\ud800"', "1e-99999", '{"\\u0000":1}', "01", '"\t"'],
    "jsonb": ["", "{", "1e131072", '["\\u0000"]', '"\\udc00"', "[1] x"],
    "time": ["24:00:01", "12", "12:60", "12:00:60", "12:00:00.1234567", "12:00+01", "noon", "\u0661\u0662:00"],
    "time(2)": ["12:00:00.123"],
    "timetz": ["12:00", "12:00+16", "12:00+01:60", "24:01Z"],
    "timestamp(3)": ["2024-02-29 12:00:00.1234"],
    "timestamptz(0)": ["2024-02-29 12:00:00.5Z"],
    "interval": [
        "",
        "P",
        "PT",
        "P1YT",
        "1",
        "P1.5Y",
        "1 day ago",
        "PT1.1234567S",
        "999999999 years",
        "1 hour 04:05",
        "-",
        "P+1Y",
    ],
    "bytea": ["abc", r"\x0", "aGVsbG8=", r"\x 00"],
    "inet": ["10.0.0", "10.0.0.1/33", "10.0.0.1/255.0.0.0", "fe80::1%eth0", "", "256.1.1.1"],
    "cidr": ["10.0.0.1/8", "2001:db8::1/32"],
    "macaddr": ["08:00:2b:01:02", "08:00-2b:01:02:03"],
    "macaddr8": ["08:00:2b:01:02:03"],
    "integer[]": [
        "",
        "1,2",
        "{1,2",
        "{1,}",
        "{{1},{2}}",
        "[[1]]",
        "[t]",
        "{1.5}",
        "{2147483648}",
        "[0:1]={1,2}",
        "{1}x",
        '{"1"x}',
    ],
    "text[]": ["[1]", "{a\\b}", '{"a}', "{a{b}", '["a\\u0000"]'],
    "varchar(2)[]": ["{abc}"],
    "numeric(6,2)[]": ["{12345}", "{0.001}"],
}


@pytest.fixture(scope="module")
def server(installation: Installation) -> Iterator[psycopg.Connection]:
    with installation.postgres.connect(names.DATABASE) as connection:
        yield connection


class Cast:
    """Takes texts of a type the way of a record, and by PostgreSQL's own cast."""

    def __init__(self, model: Contract, kind: str) -> None:
        self.column = Column("v", parse_type(kind), nullable=False, source_name="v")
        self.contract = replace(model, columns=(self.column,), keys=())
        self.codec = RecordCodec(self.contract)

    def record(self, text: str) -> tuple[object, ...] | None:
        """The record that lands; None if the text is refused. Both judges have to say the same."""
        try:
            value = literal(self.column, ())(text)
        except ValueError:
            return None
        message = self.codec.encode([value])
        found = self.codec.examine(message[1:-1])
        decoded = self.codec.decode(message)
        assert bool(decoded.rejected) is isinstance(found, Misfit)
        assert self.codec.accepts(message, 1) is not isinstance(found, Misfit)
        if isinstance(found, Misfit):
            return None
        assert decoded.records == [(*found, 1)]
        return found

    def check(self, server: psycopg.Connection, texts: list[str]) -> None:
        """See that the accepted ones of these texts land as PostgreSQL casts them."""
        accepted = [(record, text) for text in texts if (record := self.record(text)) is not None]
        kind = sql.SQL(self.column.type.sql)
        with server.transaction(force_rollback=True):
            server.execute(sql.SQL("CREATE TEMP TABLE {} (record_id bigint, v {})").format(TABLE, kind))
            RowCopy(self.contract, TABLE).write(server, [[(*record, n) for n, (record, _) in enumerate(accepted)]])
            found = server.execute(sql.SQL("SELECT v::text FROM {} ORDER BY record_id").format(TABLE)).fetchall()
            cast = sql.SQL("SELECT (%s::text)::{}::text").format(kind)
            for (value,), (_, text) in zip(found, accepted, strict=True):
                assert server.execute(cast, [self._as_postgres(text)]).fetchone() == (value,), text

    def _as_postgres(self, text: str) -> str:
        """The text without what is documented beyond PostgreSQL's casts: blanks around values, and arrays as JSON."""
        if self.column.type.element is not None:
            return text.strip().replace("[", "{").replace("]", "}") if text.strip().startswith("[") else text
        return text if self.column.type.python is str or "json" in self.column.type.sql else text.strip()


def test_each_type_that_a_judge_of_ours_decides_over_has_texts_here() -> None:
    forms = {column_type.form for column_type in map(parse_type, GOOD)}
    assert {column_type.form for column_type in SIMPLE.values()} <= forms


@pytest.mark.parametrize("kind", GOOD)
def test_a_value_is_what_postgresql_casts_it_to(kind: str, server: psycopg.Connection, housing: Contract) -> None:
    cast = Cast(housing, kind)
    assert [text for text in GOOD[kind] if cast.record(text) is None] == []
    cast.check(server, GOOD[kind])


@pytest.mark.parametrize("kind", BAD)
def test_a_text_that_is_no_value_costs_its_record(kind: str, housing: Contract) -> None:
    cast = Cast(housing, kind)
    assert [text for text in BAD[kind] if cast.record(text) is not None] == []


PIECES = ["1", "0", "1 ", " ", "-", ":", "1:", ".", "a", "/", '"', "\\", "{", "[", "[1,", '{"', "1 day ", "P1Y", "00:00 "]


@pytest.mark.nightly
@pytest.mark.parametrize("kind", GOOD)
def test_no_long_text_holds_a_judge(kind: str, housing: Contract) -> None:
    """A pattern of ours that backtracks would take hours for one of these, which no time-out can interrupt."""
    cast = Cast(housing, kind)
    for piece in PIECES:
        for before, after in (("", ""), ("", "x"), ("{", "}"), ('["', '"]'), ("1", "!")):
            begun = time.process_time()
            cast.record(before + piece * (20_000 // len(piece)) + after)
            assert time.process_time() - begun < 1, (piece, before, after)


@pytest.mark.parametrize("kind", GOOD)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_damaged_text_is_refused_or_is_what_postgresql_casts_it_to(
    data: st.DataObject, kind: str, server: psycopg.Connection, housing: Contract
) -> None:
    known = [*GOOD[kind], *BAD.get(kind, [])]
    # Blanks around elements are taken in more places than PostgreSQL takes them.
    blanks = [] if kind.endswith("[]") else [" ", "\t", " days"]
    texts = []
    for _ in range(20):
        text = list(data.draw(st.sampled_from(known))[:80])
        for _ in range(data.draw(st.integers(1, 2))):
            at = data.draw(st.integers(0, len(text)))
            text[at : at + data.draw(st.integers(0, 1))] = data.draw(
                st.sampled_from([*'0123456789.:-+/{}[]",\\ePTYMDSxZ', "", "null", "\\u0000", *blanks])
            )
        texts.append("".join(text))
    cast = Cast(housing, kind)
    cast.check(server, [text for text in texts if not is_ours_alone(cast.column, text)])


def is_ours_alone(column: Column, text: str) -> bool:
    """Whether a source may write it so, but PostgreSQL reads it not: a JSON array, a far offset, 1.0 or 1e2 as an integer."""
    element = column.type.element
    if element is None:
        return bool(FAR_OFFSET.search(text))
    whole = element.python is int and any(sign in text for sign in ".eE")
    return whole or text.strip().startswith("[") or bool(FAR_OFFSET.search(text))
