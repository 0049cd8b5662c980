"""A dataset of a few rows for what needs neither Kafka nor Spark."""

from collections.abc import Callable

import pytest

from batchstream.contract import Contract
from batchstream.local.installation import Installation
from tests.support.small import SmallDataset

MakeDataset = Callable[..., SmallDataset]


@pytest.fixture
def small(installation: Installation, housing: Contract) -> MakeDataset:
    """Makes datasets: columns and their types, key, and what else `SmallDataset` takes."""

    def make(columns: dict[str, str], **arguments: object) -> SmallDataset:
        return SmallDataset(installation, housing, columns, **arguments)  # type: ignore[arg-type]

    return make
