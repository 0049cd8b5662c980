"""The encodings that the text of a source may have."""

import codecs

_FAMILIES = (
    "utf_8 utf_16 utf_16_le utf_16_be utf_32 utf_32_le utf_32_be ascii "
    "latin_1 iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_11 iso8859_13 "
    "iso8859_14 iso8859_15 iso8859_16 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 cp1258 cp437 cp850 cp852 cp855 "
    "cp858 cp866 cp874 mac_roman koi8_r koi8_u shift_jis cp932 euc_jp iso2022_jp gb2312 gbk gb18030 big5 big5hkscs cp950 euc_kr "
    "cp949 johab tis_620"
)
# Python's own names, each by every alias; codecs that don't decode text, such as rot13, are none of them.
_ENCODINGS = frozenset(codecs.lookup(name).name for name in _FAMILIES.split())


def encoding_named(name: str) -> str:
    """Python's name of an encoding; ``utf-8`` for all that are a part of it.

    Raises:
        ValueError: It isn't known.
    """
    try:
        found = codecs.lookup(name).name if "\0" not in name and name.isascii() else ""
    except LookupError:
        found = ""
    if found in ("utf-8-sig", "ascii"):
        return "utf-8"
    if found not in _ENCODINGS:
        raise ValueError(f"got {name!r}; write the name of an encoding, such as utf-8, utf-16, latin-1, cp1252 or shift-jis")
    return found
