"""The times that docs/operating.md states are those of the code; the tests of faults see that each of them is kept."""

import re

import pytest

from batchstream.airflow.steps import DEFAULTS
from batchstream.kafka.delivery import PRODUCER_SETTINGS
from batchstream.kafka.topics import REQUEST_TIMEOUT_SECONDS
from batchstream.paths import ROOT
from batchstream.postgres.connection import CONNECT_TIMEOUT_SECONDS, LOCK_TIMEOUT_SECONDS
from batchstream.spark.fetch import SILENCE_SECONDS


@pytest.mark.parametrize(
    "sentence",
    [
        f"`create_topic` is red after {REQUEST_TIMEOUT_SECONDS} s",
        f"`produce_batches` after {PRODUCER_SETTINGS['message.timeout.ms'] // 1000} s",
        f"{REQUEST_TIMEOUT_SECONDS} s if it was gone before",
        f"{SILENCE_SECONDS} s if it falls silent while messages are read",
        f"PostgreSQL is given up after {CONNECT_TIMEOUT_SECONDS} s, somebody else's lock too",
        f"Each task is tried {['', 'once', 'twice', 'three times'][1 + DEFAULTS['retries']]}, "
        f"{DEFAULTS['retry_delay'].seconds} s apart",
    ],
)
def test_a_time_that_is_stated_is_that_of_the_code(sentence: str) -> None:
    text = re.sub(r"\s+", " ", (ROOT / "docs" / "operating.md").read_text())
    assert sentence in text
    # One time-out of PostgreSQL stands for both.
    assert CONNECT_TIMEOUT_SECONDS == LOCK_TIMEOUT_SECONDS
