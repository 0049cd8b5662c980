"""A folder in which services can't run is told with the reason, before anything is started."""

from pathlib import Path

import pytest

from batchstream.local.errors import ServiceError
from batchstream.local.usable import MOST_BYTES, require_usable

FINE = Path("/home/me/données, ünï 数据 'x' $y & (z)")


@pytest.mark.parametrize(
    ("root", "state", "said"),
    [
        (FINE / "a:b", FINE, "':' can't be in a class path of Java"),
        (FINE, FINE / 'a"b', "'\"' can't be in a class path of Java"),
        (FINE / "😀", FINE, "'😀' can't be in a class path of Java"),
        (FINE, Path("/home/caf\udce9"), r"^'/home/caf\\udce9': the name of the folder is not UTF-8"),
        (FINE, Path("/" + "é" * (MOST_BYTES // 2)), f"a path of {MOST_BYTES} bytes at most, got {MOST_BYTES + 1}"),
    ],
)
def test_what_no_service_can_cope_with_is_told(root: Path, state: Path, said: str) -> None:
    with pytest.raises(ServiceError, match=said) as refused:
        require_usable(root, state)
    assert str(refused.value).endswith(": move the clone to another folder")


def test_everything_else_is_taken() -> None:
    require_usable(FINE, FINE / "😀")
    require_usable(FINE, Path("/" + "x" * (MOST_BYTES - 1)))
