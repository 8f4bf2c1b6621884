"""Where the tests of the market find recorded data, and how they write their own."""

import gzip
import re
from collections.abc import Callable
from pathlib import Path

import pytest

RECORDED = Path(__file__).parents[3] / "shared" / "data"

Write = Callable[[str, str], Path]
T = 1_700_000_040_000_000_000
"""A full minute, from which the times in the rows of these tests are counted."""


def timed(text: str) -> str:
    """Rows that begin with a small number, with a time so many nanoseconds after T instead."""
    return re.sub(r"(?m)^(\d{1,15}),(?=[A-Z])", lambda found: f"{T + int(found[1])},", text)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a small file, packed if its name ends in `.gz`."""

    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        data = timed(text).encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return to_file


@pytest.fixture
def recorded() -> Callable[[str], Path]:
    """Finds a file of the recorded data, and skips the test where there is none."""

    def find(name: str) -> Path:
        path = RECORDED / f"{name}.csv.gz"
        if not path.exists():
            pytest.skip(f"{name}: recorded data not present")
        return path

    return find
