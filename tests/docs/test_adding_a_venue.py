"""The skeleton in docs/adding-a-venue.md is a dialect as it stands: whoever copies it begins with
something that works.
"""

import importlib.util
import re
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.venues.live.venue import LiveVenue
from engine.venues.protocol import RefusedError

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-venue.md"


@pytest.fixture
def skeleton(tmp_path: Path) -> ModuleType:
    """The page's dialect, as a module."""
    blocks = re.findall(
        r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    file = tmp_path / "example.py"
    file.write_text("\n".join(blocks), encoding="utf-8")
    spec = importlib.util.spec_from_file_location("example", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_it_says_all_that_a_dialect_must_say(skeleton: ModuleType) -> None:
    assert issubclass(skeleton.Example, LiveVenue)
    assert not skeleton.Example.__abstractmethods__


def test_its_one_request_carries_what_the_order_says(skeleton: ModuleType) -> None:
    order = Order(
        "FOX",
        "",
        "BTC/USD",
        Side.BUY,
        OrderType.LIMIT,
        Role.ENTRY,
        Decimal("0.5"),
        price=Decimal(60_000),
    )
    dialect = object.__new__(skeleton.Example)
    told = dialect.fields(order)
    assert told == {
        "pair": "BTC/USD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.5",
        "cl_ord_id": "FOX",
        "price": "60000",
    }


def test_what_it_can_not_say_yet_it_refuses_by_name(skeleton: ModuleType) -> None:
    stop = Order(
        "FOX",
        "",
        "BTC/USD",
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        Decimal("0.5"),
        trigger=Decimal(50_000),
    )
    with pytest.raises(RefusedError, match="stop orders are not written yet"):
        object.__new__(skeleton.Example).fields(stop)
