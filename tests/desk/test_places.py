"""Places by R, ticks and money, rules that begin there, sizes by the equity, prices told by the
market: from the intent to what works at the venue.
"""

from decimal import Decimal
from typing import Any

import pytest

from engine.desk import events as e
from engine.desk import figures
from engine.desk.previews import preview
from engine.desk.rules import RiskRules, Rules
from engine.desk.telling import Telling
from engine.model import intent as i
from engine.model.money import grouped
from engine.model.order import OrderType, Trail
from engine.model.side import Side
from tests.support.world import BTC, Story, codes

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
TAKER = D("0.004")
"""The profile's first tier."""
SCALP: dict[str, Any] = {
    "stop": i.Away(D("0.01")),
    "partials": (i.PartialTarget(i.InR(D(1)), D("0.5")),),
    "target": i.InR(D(2)),
    "break_even": i.BreakEvenRule(i.InR(D(1)), 2),
    "trail": Trail(fraction=D("0.004"), begins=i.InR(D(2))),
}


def told(story: Story, kind: type[e.Event]) -> list[str]:
    """The lines of the record that events of a kind are told as."""
    events = [event for event in story.events if type(event) is kind]
    return [line.text for line in Telling().tell(events, story.state)]


def test_a_target_by_r_ends_the_trade_with_so_many_r() -> None:
    story = Story()
    position = story.opened("0.5", target=i.InR(D(2)), stop=i.Away(D("0.01")))
    unit = figures.one_r(story.ctx, position)
    assert unit is not None
    assert position.target is not None
    tick = D("0.1")
    there = figures.net(story.ctx, position, position.target) / unit
    before = figures.net(story.ctx, position, position.target - tick) / unit
    assert before < 2 <= there, "on the tick, never nearer than asked"
    story.holds()


def test_r_grows_with_what_fills_and_its_places_stay() -> None:
    story = Story()
    story.buy("0.5", **SCALP)
    order = story.order("entry")
    story.fill(order, "0.1", "60000")
    first = story.position()
    story.fill(order, "0.4", "60000")
    whole = story.position()
    assert (first.target, first.goals, first.even) == (whole.target, whole.goals, whole.even)
    story.holds()


def test_more_fills_at_another_price_tell_targets_and_rules_anew() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000), **SCALP)
    order = story.order("entry")
    story.accept(order)
    story.fill(order, "0.1", "60000")
    first = story.position()
    story.fill(order, "0.4", "59000")
    whole = story.position()
    assert first.even is not None
    assert whole.even is not None
    assert whole.even.price < first.even.price
    assert whole.goals[0].price < first.goals[0].price
    assert whole.trail is not None
    assert isinstance(whole.trail.begins, i.At)
    assert len(story.seen(e.BreakEvenSet)) == 2
    story.holds()


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_the_break_even_rule_fires_once_and_only_tightens(side: Side) -> None:
    story = Story()
    price = D(60_000)
    position = story.opened("0.5", side=side, **{**SCALP, "trail": None, "partials": ()})
    assert position.even is not None
    assert position.stop == price - price * D("0.01") * side.sign
    nearly = position.even.price - D("0.1") * side.sign
    story.price(BTC, f"{nearly}", f"{nearly}")
    assert story.position().stop == position.stop, "a tick before, nothing happens"
    story.price(BTC, f"{position.even.price}", f"{position.even.price}")
    even = figures.break_even(story.ctx, position)
    assert even is not None
    held = story.position()
    assert held.stop is not None
    assert (held.stop, held.even) == (even + D("0.2") * side.sign, None)
    assert held.initial_stop == position.stop, "1R is fixed for life"
    assert [moved.by for moved in story.seen(e.StopMoved)] == ["entry", "rule"]
    assert f"break-even rule BTC/USD: stop → {grouped(held.stop)}" in told(story, e.BreakEvenSet)
    for away in (D(100), D(2000)):
        further = position.even.price + away * side.sign
        story.price(BTC, f"{further}", f"{further}")
    assert len(story.seen(e.StopMoved)) == 2
    story.holds()


def test_a_rule_that_waits_stands_in_the_view_until_it_fired() -> None:
    story = Story()
    position = story.opened("0.5", **{**SCALP, "trail": None, "partials": ()})
    assert position.even is not None
    (row,) = story.views.positions(story.ctx)
    assert row.even == position.even
    story.price(BTC, f"{position.even.price}")
    (row,) = story.views.positions(story.ctx)
    assert row.even is None


def test_a_stop_that_is_tighter_already_stays_when_the_rule_fires() -> None:
    story = Story()
    position = story.opened("0.5", **{**SCALP, "trail": None, "partials": ()})
    assert position.even is not None
    story.price(BTC, "61400")
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(61_000))))
    story.price(BTC, f"{position.even.price}")
    held = story.position()
    assert (held.stop, held.even) == (D(61_000), None)
    story.holds()


def test_a_trail_begins_where_the_trade_is_worth_so_many_r() -> None:
    story = Story()
    position = story.opened("0.5", **{**SCALP, "target": None, "partials": (), "break_even": None})
    assert position.trail is not None
    assert isinstance(position.trail.begins, i.At)
    begins = position.trail.begins.price
    story.price(BTC, f"{begins - D('0.1')}")
    assert not story.position().trailing
    story.price(BTC, f"{begins}")
    held = story.position()
    assert held.trailing
    instrument = story.ctx.instrument(held)
    assert held.stop == instrument.round_stop(begins * D("0.996"), Side.SELL)
    story.holds()


def test_a_trail_that_was_set_by_hand_is_not_told_anew_by_a_fill() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000), **SCALP)
    order = story.order("entry")
    story.accept(order)
    story.fill(order, "0.1", "60000")
    own = Trail(fraction=D("0.02"), after=D("0.05"))
    story.ask(i.SetTrail(id="t", position=story.position().id, trail=own))
    story.fill(order, "0.4", "59000")
    assert story.position().trail == own


def test_places_by_ticks_and_by_money() -> None:
    story = Story()
    terms = {"stop": i.Ticks(D(4000)), "target": i.Worth(D(300))}
    story.buy("0.5", **terms)
    story.fill(story.order("entry"), "0.5", "60000.1", fee="120.0002")
    position = story.position()
    assert position.stop == D("59600.1")
    assert position.target is not None
    net = figures.net(story.ctx, position, position.target)
    assert D(300) <= net < D(301)
    other = Story()
    other.buy("0.5", stop=i.Worth(D(500)))
    other.fill(other.order("entry"), "0.5", "60000.1", fee="120.0002")
    position = other.position()
    assert position.stop is not None
    loss = -figures.net(other.ctx, position, position.stop)
    assert D(499) < loss <= D(500)


def test_what_fills_in_part_has_a_stop_by_money_where_all_of_it_would() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_990), stop=i.Worth(D(500)))
    order = story.order("entry")
    story.accept(order)
    story.fill(order, "0.1", "59990")
    part = story.position().stop
    story.fill(order, "0.4", "59990")
    assert part == story.position().stop


def test_places_of_an_open_position_by_r() -> None:
    story = Story()
    position = story.opened("0.5", stop=i.Away(D("0.01")))
    unit = figures.one_r(story.ctx, position)
    assert unit is not None
    assert story.ask(i.MoveTarget(id="a", position=position.id, target=i.InR(D(3)))).ok
    assert story.ask(i.MoveStop(id="b", position=position.id, stop=i.InR(D("0.9")))).ok
    held = story.position()
    assert held.target is not None
    assert held.stop is not None
    assert figures.net(story.ctx, held, held.target) >= 3 * unit
    assert D("0.88") < -figures.net(story.ctx, held, held.stop) / unit <= D("0.9")
    trail = Trail(fraction=D("0.01"), begins=i.InR(D(1)))
    assert story.ask(i.SetTrail(id="c", position=position.id, trail=trail)).ok
    assert story.position().trail is not None
    assert not story.position().trailing


def test_break_even_by_hand_with_ticks_beyond() -> None:
    story = Story()
    position = story.opened("0.5", stop=i.Away(D("0.01")))
    story.price(BTC, "61000")
    even = figures.break_even(story.ctx, story.position())
    assert even is not None
    assert story.ask(i.BreakEven(id="b", position=position.id, ticks=3)).ok
    assert story.position().stop == even + D("0.3")


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (i.EquityRisk(D("0.001")), D(1000)),
        (i.RiskUnits(D("0.5")), D(200)),
    ],
)
def test_sizes_by_the_equity_and_by_units_lose_so_much_at_the_stop(
    size: i.Size, expected: Decimal
) -> None:
    story = Story(rules=Rules(risk=RiskRules(unit=D(400), require_stop=False)))
    assert story.buy(size=size, stop=i.Away(D("0.01"))).ok
    order = story.order("entry")
    story.fill(order, price="60000.1", fee=f"{order.size * D('60000.1') * TAKER}")
    position = story.position()
    assert position.stop is not None
    lost = -figures.net(story.ctx, position, position.stop)
    assert expected - D("0.01") < lost <= expected


def test_a_share_of_the_equity_buys_so_much() -> None:
    story = Story()
    assert story.buy(size=i.EquityShare(D("0.1"))).ok
    assert story.order("entry").size == D("1.66666388"), "100,000 of 1,000,000 at the ask"


@pytest.mark.parametrize(
    ("anchored", "side", "price"),
    [
        (i.Anchored(i.Anchor.JOIN), Side.BUY, "59990"),
        (i.Anchored(i.Anchor.JOIN), Side.SELL, "60010"),
        (i.Anchored(i.Anchor.ASK, ticks=D(-2)), Side.BUY, "60009.8"),
        (i.Anchored(i.Anchor.BID, fraction=D("-0.001")), Side.BUY, "59930.0"),
        (i.Anchored(i.Anchor.MID), Side.SELL, "60000"),
    ],
)
def test_a_limit_that_the_market_tells(anchored: i.Anchored, side: Side, price: str) -> None:
    story = Story()
    story.price(BTC, "59990", "60010")
    assert story.buy("0.5", side=side, type=LIMIT, anchored=anchored, post_only=True).ok
    assert story.order("entry").price == D(price)


@pytest.mark.parametrize(
    ("side", "ask", "price"),
    [
        (Side.BUY, "60010", "59990.1"),
        (Side.SELL, "60010", "60009.9"),
        (Side.BUY, "59990.1", "59990"),  # between them is no room for a better one
        (Side.SELL, "59990.1", "59990.1"),
        (Side.BUY, "59990", "59990"),
    ],
)
def test_improving_is_one_tick_better_and_never_crosses(side: Side, ask: str, price: str) -> None:
    story = Story()
    story.price(BTC, "59990", ask)
    told = i.Anchored(i.Anchor.IMPROVE)
    assert story.buy("0.5", side=side, type=LIMIT, anchored=told, post_only=True).ok
    assert story.order("entry").price == D(price)


def test_a_trigger_that_the_market_tells_and_a_price_that_is_none() -> None:
    story = Story()
    story.price(BTC, "59990", "60010")
    told = i.Anchored(i.Anchor.ASK, ticks=D(100))
    assert story.buy("0.5", type=STOP, anchored=told).ok
    assert story.order("entry").trigger == D(60_020)
    below = i.Anchored(i.Anchor.BID, fraction=D(-2))
    assert codes([story.buy("0.5", type=LIMIT, anchored=below)]) == {"NOT_A_NUMBER"}


def test_what_may_only_rest_is_a_limit() -> None:
    assert codes([Story().buy("0.5", post_only=True)]) == {"PRICE_MISSING"}


def test_a_fill_beyond_the_stop_has_no_r_and_no_targets() -> None:
    story = Story()
    story.buy("0.5", **{**SCALP, "stop": i.At(D(59_400))})
    story.fill(story.order("entry"), "0.5", "50000")
    position = story.position()
    assert (position.target, position.even, position.goals) == (None, None, ())


def card(story: Story, **terms: Any) -> dict[str, str]:
    asked = i.OpenBracket(
        id="c", symbol=BTC, side=Side.BUY, **{"size": i.Base(D("0.5")), **SCALP, **terms}
    )
    told = preview(story.ctx, asked)
    assert not told.refusals
    return {line.name: line.after for line in told.lines}


@pytest.mark.parametrize(
    ("profile", "where", "expires"),
    [("kraken-spot", "LOCAL", "VENUE"), ("kraken-futures", "VENUE", "LOCAL")],
)
def test_the_card_says_what_a_bracket_does_by_itself_and_where_it_lives(
    profile: str, where: str, expires: str
) -> None:
    seen = card(
        Story(profile),
        type=LIMIT,
        anchored=i.Anchored(i.Anchor.JOIN),
        post_only=True,
        expires_in=600_000_000_000,
        template="scalp",
    )
    assert seen["template"] == "scalp"
    assert seen["expires"] == f"in 10m, {expires}"
    assert seen["target 1"].startswith("0.25 (50%) at ")
    assert seen["target 1"].endswith(f" = 1.00R, {where}")
    assert seen["target 2"].endswith(f" = 2.00R, {where}")
    assert seen["reward"].endswith(" = 1.50R")
    assert seen["break-even rule"].startswith("stop → 60,")
    assert seen["break-even rule"].endswith(" = 1.00R, LOCAL")
    assert seen["trail"].startswith("0.4% after 61,") or seen["trail"].startswith("0.4% after 62,")
    assert seen["trail"].endswith(", LOCAL")


def test_the_cards_risk_is_one_r_after_a_fill_at_that_price() -> None:
    story = Story()
    risk = card(story)["risk (1R)"]
    story.buy("0.5", **SCALP)
    story.fill(story.order("entry"), "0.5", "60000.1", fee="120.0002")
    unit = figures.one_r(story.ctx, story.position())
    assert unit is not None
    assert risk.startswith(f"{unit:,.2f} USD at ")


def test_parts_shrink_with_a_partial_fill_and_one_too_small_joins_the_last() -> None:
    story = Story("kraken-futures")
    halves = {**SCALP, "trail": None, "break_even": None}
    story.buy("0.5", type=LIMIT, price=D(60_000), **halves)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.0001", "60000")
    (one,) = story.orders("target")
    assert (one.size, one.price) == (D("0.0001"), story.position().target), "half of it is no order"
    story.accept(one)
    story.fill(entry, "0.0999", "60000")
    for order in story.orders("target"):
        if order.venue_order_id is None:
            story.accept(order)
        elif order.amend_pending:
            story.amended(order)
    sizes = {order.price: order.size for order in map(story.now_of, story.orders("target"))}
    goal = story.position().goals[0].price
    assert sizes == {goal: D("0.05"), story.position().target: D("0.05")}
    story.holds()


def test_a_part_that_is_watched_here_and_too_small_waits_for_the_last() -> None:
    story = Story()
    halves = {**SCALP, "trail": None, "break_even": None}
    story.buy("0.5", type=LIMIT, price=D(60_000), **halves)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.0001", "60000")
    position = story.position()
    story.price(BTC, f"{position.goals[0].price}")
    assert not story.orders("close"), "0.00005 at 61,000 is below the venue's minimum"
    story.price(BTC, f"{position.target}")
    assert story.position().closing == D("0.0001")
