"""What the tests of the wire share."""

import decimal
from collections.abc import Iterator

import pytest


@pytest.fixture
def exact() -> Iterator[None]:
    """ccxt changes how the whole process rounds; the tests after it are to find it as it was."""
    context = decimal.getcontext()
    rounding, traps = context.rounding, dict(context.traps)
    yield
    context.rounding = rounding
    context.traps = traps
