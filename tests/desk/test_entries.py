"""Bracket entries: market, limit and stop, sized by base, notional or risk, with places as prices or percentages."""

from decimal import Decimal

from engine.model.order import OrderType, TimeInForce
from engine.model.request import Lane, Submit
from tests.support.world import Story

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def test_a_market_entry_is_bounded_and_immediate() -> None:
    story = Story()
    assert story.buy("0.5").ok
    submit = story.sent(Submit)[-1]
    entry = submit.order
    assert submit.lane is Lane.ENTRY
    assert (entry.type, entry.time_in_force, entry.size) == (OrderType.MARKET, TimeInForce.IOC, D("0.5"))
    assert entry.price == D("60300.4"), "half a per cent above the ask, rounded down to the tick"
    assert entry.deadline == story.now + 5_000_000_000
