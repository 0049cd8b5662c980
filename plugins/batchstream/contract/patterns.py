"""Regular expressions of contracts: RE2's, which take a time that grows with the text and never hang.

Python's own tries every way to match a text such as ``aaaaaaaa!`` by ``^(a+)+$``: a text of 40 letters takes hours, and
no time-out can interrupt it.
"""

import re
from functools import cache

# Of RE2's own words, which say nothing of what to do.
_NOT_LINEAR = re.compile(r"\(\?(?:=|!|<=|<!|P=|>)|\\[1-9]|[*+?}]\+")


class Pattern:
    """A regular expression in RE2's syntax, for any place of a text; ``$`` is the end of the text.

    Raises:
        ValueError: RE2 doesn't take it, with the reason.
    """

    def __init__(self, pattern: str) -> None:
        # Only here: most contracts have no pattern, and DAG files are parsed often.
        import re2

        options = re2.Options()
        options.log_errors = False
        try:
            self._exact = re2.compile(pattern, options)
            # A set of one is several times as quick to ask, but may give up on a large text.
            self._quick = re2.Set.SearchSet(options)
            self._quick.Add(pattern)
            self._quick.Compile()
        except re2.error as error:
            said = error.args[0].decode(errors="replace") if isinstance(error.args[0], bytes) else str(error)
            why = ", as its time could grow without bound" if _NOT_LINEAR.search(pattern) else ""
            raise ValueError(f"RE2 has none such{why} ({said})") from error

    def matches(self, text: str) -> bool:
        """Whether the expression matches at some place of the text."""
        value = text.encode()
        return bool(self._quick.Match(value)) or self._exact.search(value) is not None


@cache
def pattern_of(pattern: str) -> Pattern:
    """A regular expression of a contract, compiled once."""
    return Pattern(pattern)
