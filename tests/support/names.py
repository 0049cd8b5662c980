"""Names that PostgreSQL can have, odd ones first."""

from hypothesis import strategies as st

from batchstream.contract.names import SYSTEM_COLUMNS, why_impossible

ODD = [
    *("a b", "Sepal.Length", "1960", "Größe", "日本語", "имя", "Select", "select", "user", "order", "ORDER", "x;--", "/*", "*/"),
    *(
        "%",
        "%s",
        "%(a)s",
        "%%",
        "{",
        "}",
        "{0}",
        "{object}",
        "{{x}}",
        "{property}",
        "'",
        "''",
        '"',
        '""',
        'a"b',
        '"a"',
        "\\",
        "a\\",
    ),
    *(
        '":',
        " :x",
        '" :',
        '\\":',
        '\\"',
        ":",
        ",",
        "a,b",
        "[x]",
        "[/x]",
        "$1",
        "$$",
        ":name",
        "?",
        "\t",
        "a\nb",
        "\x01",
        "\x02",
        "\x03",
    ),
    *(
        "\x7f",
        "\u202e",
        "\u2028",
        "😀",
        "e\u0301",
        "é",
        " ",
        " a",
        "a ",
        "id",
        "created_at",
        "load_id",
        "record_id",
        "updated_at",
    ),
    *(
        "batchstream_load_id",
        "s",
        "t",
        "c",
        "key_1",
        "action",
        "changed",
        "found",
        "ctid.",
        "oid",
        "x" * 63,
        "é" * 31,
        "NULL",
        "*",
        "_",
    ),
]


def possible(name: str) -> bool:
    return name not in ("", *SYSTEM_COLUMNS) and why_impossible(name) is None


NAMES = st.one_of(
    st.sampled_from(ODD),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20).filter(possible),
    st.text(st.sampled_from('"\\:{}%a \n,'), min_size=1, max_size=6),
)
