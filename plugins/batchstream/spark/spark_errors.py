"""What an error of Spark says: whether a record's values are its cause, and in which words."""

import re

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

SPARK_ERRORS = (PySparkException, Py4JJavaError)
"""As which they come: pyspark knows some of Java's classes, and py4j brings the others."""

_STATE = re.compile(r"SQLSTATE: (\w{5})")
_DATA_STATES = ("22", "P0")
"""Classes of SQLSTATE: what is wrong with a value, and what an expression raises itself."""

_NAMED = re.compile(r"\[[A-Z][A-Z0-9_.]+\] [^\n]*")
_JAVA = re.compile(r"^: ([^\n]*)", re.MULTILINE)


def is_of_a_record(error: BaseException) -> bool:
    """Whether an error is one of a record's values, which no retry mends."""
    state = _STATE.search(str(error)) if isinstance(error, SPARK_ERRORS) else None
    return state is not None and state[1].startswith(_DATA_STATES)


def reason(error: BaseException) -> str:
    """What Spark says, in a line: without its plan and stack, and without what it says of settings."""
    text = str(error)
    named, java = _NAMED.search(text), _JAVA.search(text)
    line = named[0] if named else java[1] if java else text.partition("\n")[0]
    return line.partition(" SQLSTATE: ")[0].partition(" If necessary set ")[0].rstrip(".; ")
