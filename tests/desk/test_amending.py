"""An entry that is changed by hand: what would be refused of a new one at that price is refused of
this one.
"""

from decimal import Decimal
from typing import Any

import pytest

from engine.desk.previews import preview
from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.side import Side
from engine.model.view import Answer
from tests.support.world import Story, codes

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def waiting(story: Story, size: str = "0.5", /, **terms: Any) -> str:
    """An entry that rests; its name."""
    assert story.buy(size, **terms).ok
    entry = story.order("entry")
    story.accept(entry)
    return entry.client_order_id


def amended(story: Story, order: str, price: str) -> Answer:
    intent = i.AmendOrder(id=story.name(), order=order, price=D(price))
    told = preview(story.ctx, intent)
    answer = story.ask(intent)
    assert told.refusals == answer.refusals
    return answer


@pytest.mark.parametrize(
    ("terms", "price", "code"),
    [
        ({"type": LIMIT, "price": D(59_000)}, "590000", "LIMIT_TOO_FAR"),
        ({"type": LIMIT, "price": D(59_000)}, "5900", "LIMIT_TOO_FAR"),
        ({"type": LIMIT, "price": D(59_000), "stop": i.At(D(58_500))}, "58400", "STOP_WRONG_SIDE"),
        ({"type": LIMIT, "price": D(59_000), "target": i.At(D(59_500))}, "59600", "TARGET_WRONG_"),
        ({"type": LIMIT, "price": D(59_000), "target": i.At(D(59_500))}, "59400", ""),
        ({"type": LIMIT, "price": D(59_000), "stop": i.At(D(58_500))}, "58600", ""),
        ({"type": STOP, "trigger": D(61_000)}, "59000", "TRIGGER_WRONG_SIDE"),
        ({"type": STOP, "trigger": D(61_000)}, "610000", "LIMIT_TOO_FAR"),
        ({"type": STOP, "trigger": D(61_000)}, "61500", ""),
        ({"type": STOP, "side": Side.SELL, "trigger": D(59_000)}, "61000", "TRIGGER_WRONG_SIDE"),
    ],
)
def test_another_price_is_judged_as_that_of_a_new_entry(
    terms: dict[str, Any], price: str, code: str
) -> None:
    story = Story("kraken-futures", strict=True)
    answer = amended(story, waiting(story, **terms), price)
    assert [found.startswith(code) for found in codes([answer])] == ([True] if code else [])


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (RiskRules(max_open_risk=D("0.01")), "MAX_OPEN_RISK"),
        (RiskRules(max_trade_risk=D("0.01")), "MAX_TRADE_RISK"),
        (RiskRules(max_order_notional=D(59_500)), "MAX_ORDER_NOTIONAL"),
    ],
)
def test_what_a_price_adds_counts_against_the_bounds_and_what_it_takes_away_does_not(
    rules: RiskRules, code: str
) -> None:
    story = Story("kraken-futures", Rules(risk=rules), strict=True, cash="100000")
    order = waiting(story, "1", type=LIMIT, price=D(59_000), stop=i.At(D(58_500)))
    assert codes([amended(story, order, "59800")]) == {code}
    assert amended(story, order, "58900").ok


@pytest.mark.parametrize("kind", [LIMIT, STOP])
@pytest.mark.parametrize(
    ("block", "code"),
    [(i.Pause(id="p"), "ENTRIES_BLOCKED"), (i.Halt(id="h"), "HALTED")],
)
def test_what_blocks_entries_lets_none_come_nearer_to_the_market(
    kind: OrderType, block: i.Pause | i.Halt, code: str
) -> None:
    """A pause that let a resting buy be moved through the ask would be none."""
    story = Story("kraken-futures", strict=True)
    at, nearer, further = (
        ("59000", "60200", "58900") if kind is LIMIT else ("61000", "60900", "61100")
    )
    place = {"price": D(at)} if kind is LIMIT else {"trigger": D(at)}
    order = waiting(story, type=kind, **place)
    assert story.ask(block).ok
    assert code in codes([amended(story, order, nearer)])
    assert amended(story, order, further).ok
