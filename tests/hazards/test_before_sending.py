"""Before sending: on the venue's grid and above its minimums, bounded in price, and every price in
its own field.
"""

from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk import events as e
from engine.exchange import Delay, Exchange
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Trail
from engine.model.request import Amend, Lane, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story, World, play

D = Decimal
LIMIT = OrderType.LIMIT
PROFILES = ("kraken-spot", "kraken-futures", "binance-spot")

GRID = {
    "EGeneral:Invalid arguments:volume",
    "EGeneral:Invalid arguments:price",
    "EOrder:Tick size check failed",
    "EOrder:Order minimum not met",
    "EOrder:Cost minimum not met",
}
"""What the venue says where somebody did not look at the instrument before."""


def _venue(story: Story) -> Exchange:
    """The real matching engine, with the desk's prices and more than enough of everything."""
    exchange = Exchange(
        story.profile,
        tuple(story.state.instruments.values()),
        {"USD": D(10**9), "BTC": D(10**4)},
        "USD",
    )
    for quote in story.board.quotes():
        exchange.on_tick(quote)
    return exchange


def _said(exchange: Exchange, order: Order, now: int) -> str:
    """The words with which the venue refuses an order; empty where it takes it."""
    report = exchange.submit(order, now)
    return report.text if isinstance(report, r.Rejected) else ""


# H21: grid and minimums

Kind = type[i.Base] | type[i.Notional] | type[i.Risk]

numbers = st.decimals(
    min_value="0.000000001", max_value="20", places=9, allow_nan=False, allow_infinity=False
)
prices = st.decimals(min_value=50_000, max_value=70_000, places=4)
distances = st.decimals(min_value="0.00001", max_value="0.2", places=7)


@pytest.mark.hazard("H21")
@settings(max_examples=300)
@given(
    profile=st.sampled_from(PROFILES),
    side=st.sampled_from(Side),
    kind=st.sampled_from((i.Base, i.Notional, i.Risk)),
    amount=numbers,
    type_=st.sampled_from((OrderType.MARKET, OrderType.LIMIT, OrderType.STOP)),
    price=prices,
    distance=distances,
)
def test_whatever_is_asked_goes_out_on_the_grid_or_not_at_all(
    profile: str,
    side: Side,
    kind: Kind,
    amount: Decimal,
    type_: OrderType,
    price: Decimal,
    distance: Decimal,
) -> None:
    story = Story(profile, cash="100000000")
    asked = amount if kind is i.Base else amount * 60_000
    terms = (
        {"price": price}
        if type_ is OrderType.LIMIT
        else {"trigger": price}
        if type_ is OrderType.STOP
        else {}
    )
    answer = story.buy(side=side, size=kind(asked), type=type_, stop=i.Away(distance), **terms)
    if not answer.ok:
        assert story.sent(Submit) == [], "what is refused spends nothing"
        return
    (entry,) = story.orders("entry")
    exchange = _venue(story)
    assert _said(exchange, entry, story.now) not in GRID
    best = D("60000.1") if side is Side.BUY else D(60_000)
    nearer = min(price, best) if side is Side.BUY else max(price, best)
    expected = {OrderType.MARKET: best, LIMIT: nearer, OrderType.STOP: price}[type_]
    if kind is i.Base:
        assert entry.size <= asked
    elif kind is i.Notional:
        assert entry.size * expected <= asked
    story.accept(entry)
    story.fill(entry, price=f"{story.state.instruments[BTC].round_price(expected):f}")
    for stop in story.orders("stop"):
        filled = story.position().entry_price(story.state.instruments[BTC])
        assert stop.trigger is not None
        away = (filled - stop.trigger) * side.sign
        wanted = filled * distance
        tick = story.state.instruments[BTC].tick
        assert wanted - tick < away <= wanted, (
            "never further from the entry than asked, and nearer by less than a tick"
        )
        assert stop.size <= entry.size
        assert _said(exchange, stop, story.now) not in GRID


@pytest.mark.hazard("H21")
@settings(max_examples=100)
@given(
    side=st.sampled_from(Side),
    risk=st.decimals(min_value=1, max_value=5000, places=3),
    distance=distances,
)
def test_a_size_by_its_risk_never_risks_more(side: Side, risk: Decimal, distance: Decimal) -> None:
    story = Story("kraken-futures", cash="100000000")
    answer = story.buy(side=side, size=i.Risk(risk), stop=i.Away(distance))
    if not answer.ok:
        return
    entry = story.order("entry")
    price = D("60000.1") if side is Side.BUY else D(60_000)
    stop = story.state.instruments[BTC].round_stop(
        price * (1 - distance * side.sign), side.opposite
    )
    fee = story.state.instruments[BTC].fee_tiers[0].taker
    assert entry.size * ((price - stop) * side.sign + (price + stop) * fee) <= risk


@pytest.mark.hazard("H21")
@pytest.mark.parametrize(
    ("size", "code"),
    [
        (i.Base(D("0.0000499999")), "SIZE_BELOW_MINIMUM"),
        (i.Base(D("0.000000001")), "SIZE_BELOW_MINIMUM"),
        (i.Notional(D("2.99")), "SIZE_BELOW_MINIMUM"),
    ],
)
def test_what_is_too_small_after_rounding_spends_no_token(
    size: i.Size, code: str, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        before, sent = world.engine.gateway.levels(), world.engine.gateway.statistics.submit
        answer = await world.buy(size=size)
        assert [refusal.code for refusal in answer.refusals] == [code]
        await world.wait(1)
        assert world.engine.gateway.statistics.submit == sent
        assert [level.name for level in world.engine.gateway.levels()] == [
            level.name for level in before
        ], "no counter was touched"
        assert not world.state.orders
        assert not world.resting

    play(tale, tmp_path)


@pytest.mark.hazard("H21")
def test_a_cost_under_the_minimum_is_refused_after_rounding() -> None:
    story = Story("binance-spot")
    asked = story.buy(size=i.Notional(D("5.39")))  # 8.98 lots of 0.60 USD: 8 lots cost 4.80
    assert [refusal.code for refusal in asked.refusals] == ["COST_BELOW_MINIMUM"]
    assert asked.refusals[0].value.startswith("4.8")
    assert story.sent(Submit) == []
    assert story.buy(size=i.Notional(D("5.41"))).ok


@pytest.mark.hazard("H21")
def test_a_moved_stop_is_on_the_tick_or_refused() -> None:
    story = Story()
    position = story.opened("0.5")
    answer = story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D("59700.05"))))
    assert [(refusal.code, refusal.bound) for refusal in answer.refusals] == [
        ("STOP_OFF_TICK", "59700.1")
    ]
    assert story.sent(Amend) == []


# H23: how far a market order may slip


@pytest.mark.hazard("H23")
@pytest.mark.parametrize("side", Side)
def test_a_market_entry_carries_its_worst_price_and_never_gets_a_worse_one(
    side: Side, tmp_path: Path
) -> None:
    async def tale(world: World) -> None:
        world.price(BTC, "60000", "60000.1", size="0.01")
        # 0.5 % off the best price, inwards on the tick
        bound = D("60300.1") if side is Side.BUY else D("59700.0")
        await world.buy("2", side=side, stop=None)
        (entry,) = world.orders("entry")
        assert entry.price == bound
        # it runs away before the order arrives
        world.price(BTC, "66000" if side is Side.BUY else "54000", size="10")
        await world.wait(2)
        assert not world.state.orders
        assert world.held == 0, "nothing beyond the bound is worth having"

    play(tale, tmp_path, profile="kraken-futures")


@pytest.mark.hazard("H23")
def test_an_entry_into_a_thin_book_stops_at_its_bound(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        world.price(BTC, "60000", "60000.1", size="0.01")
        await world.buy("2")
        await world.wait(2)
        fills = [event.fill for event in world.seen(e.OrderFilled)]
        assert fills
        assert max(fill.price for fill in fills) <= D("60300.1")
        assert D(0) < world.held < D(2), "what the book offers within the bound, and not more"
        (stop,) = world.resting
        assert stop.size == world.held

    play(tale, tmp_path, values={"risk.max_slippage": "0.005"})


@pytest.mark.hazard("H23")
@pytest.mark.parametrize("side", Side)
def test_an_entry_across_a_wide_spread_is_refused(side: Side) -> None:
    story = Story("kraken-futures")
    story.price(BTC, "60000", "60700")
    answer = story.buy(side=side)
    assert "SLIPPAGE" in {refusal.code for refusal in answer.refusals}
    assert story.sent(Submit) == []
    assert story.buy(side=side, type=LIMIT, price=D(60_300)).ok, (
        "at a price of one's own there is nothing to slip"
    )


@pytest.mark.hazard("H23")
def test_a_stop_entry_is_bounded_behind_its_trigger() -> None:
    story = Story()
    assert story.buy(type=OrderType.STOP, trigger=D(61_000)).ok
    entry = story.order("entry")
    assert (entry.type, entry.trigger, entry.price) == (OrderType.STOP_LIMIT, D(61_000), D(61_305))


@pytest.mark.hazard("H23")
@pytest.mark.hazard("H82")
def test_a_close_widens_its_bound_as_the_market_goes(tmp_path: Path) -> None:
    async def tale(world: World) -> None:
        await world.buy("0.5", stop=None)
        await world.until(lambda: world.held == D("0.5"))
        for turn in range(4):  # each time the market is gone before the order arrives
            best = 60_000 // 2**turn
            world.price(BTC, str(best), size="9")
            if not turn:
                await world.ask(i.Flatten(id="f"))
            while len(_closes(world)) <= turn:
                await world.clock.sleep(SECOND // 1000)
            close = _closes(world)[turn]
            width = [D("0.01"), D("0.03"), D("0.09"), D("0.27")][turn]
            assert close.type is OrderType.MARKET
            assert close.price is not None, "never without a bound"
            assert D(best) * (1 - width) <= close.price < D(best) * (1 - width) + D("0.1")
        await world.until(lambda: "FLATTEN" not in world.state.blocks)
        assert world.held == 0

    play(tale, tmp_path, profile="kraken-futures", delay=Delay(20_000_000, 20_000_000))


def _closes(world: World) -> list[Order]:
    return [event.order for event in world.seen(e.OrderSubmitted) if event.order.role is Role.CLOSE]


# H28: which field is which


@pytest.mark.hazard("H28")
@pytest.mark.parametrize("profile", PROFILES)
def test_each_role_fills_the_fields_of_its_type_and_no_other(profile: str) -> None:
    story = Story(profile)
    position = story.opened("0.5", target=i.Away(D("0.02")))
    story.ask(i.ClosePosition(id="c", position=position.id))
    for order in story.orders("stop"):
        story.cancelled(order)
    story.buy("0.1", symbol=ETH, type=LIMIT, price=D(2900))
    story.buy("0.1", symbol=ETH, type=OrderType.STOP, trigger=D(3100))
    sent = [submit.order for submit in story.sent(Submit)]
    for order in sent:
        has = (order.price is not None, order.trigger is not None)
        wanted = {
            OrderType.MARKET: (True, False),
            LIMIT: (True, False),
            OrderType.STOP: (False, True),
            OrderType.STOP_LIMIT: (True, True),
        }
        assert has == wanted[order.type], order
        assert order.trail is None
    assert {order.type for order in sent if order.role is Role.STOP} == {OrderType.STOP}
    assert {order.type for order in sent if order.role is Role.TARGET} <= {LIMIT}
    assert {order.role for order in sent} >= {Role.ENTRY, Role.STOP, Role.CLOSE}


@pytest.mark.hazard("H28")
@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_moving_exits_changes_the_field_that_is_meant(profile: str) -> None:
    story = Story(profile)
    position = story.opened("0.5", target=i.Away(D("0.02")))
    stop = story.order("stop")
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    (moved,) = story.sent(Amend)
    assert (moved.client_order_id, moved.trigger, moved.price, moved.size) == (
        stop.client_order_id,
        D(59_700),
        None,
        None,
    )
    for target in story.orders("target"):
        story.ask(i.MoveTarget(id="t", position=position.id, target=i.At(D(61_500))))
        asked = story.sent(Amend)[-1]
        assert (asked.client_order_id, asked.price, asked.trigger, asked.size) == (
            target.client_order_id,
            D(61_500),
            None,
            None,
        )


WRONG: dict[str, dict[str, object]] = {
    "a stop with its trigger in the price": {"type": OrderType.STOP, "price": D(59_000)},
    "a stop without any": {"type": OrderType.STOP},
    "a stop-limit without its trigger": {"type": OrderType.STOP_LIMIT, "price": D(59_000)},
    "a stop-limit without its price": {"type": OrderType.STOP_LIMIT, "trigger": D(59_000)},
    "a take-profit with its trigger in the price": {
        "type": OrderType.TAKE_PROFIT,
        "price": D(61_000),
    },
    "a limit with its price in the trigger": {"type": LIMIT, "trigger": D(61_000)},
    "a trailing stop with a trigger and no trail": {
        "type": OrderType.TRAILING_STOP,
        "trigger": D(59_000),
    },
}


@pytest.mark.hazard("H28")
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("wrong", WRONG)
def test_the_venue_refuses_a_price_in_the_wrong_field(profile: str, wrong: str) -> None:
    story = Story(profile)
    exchange = _venue(story)
    plain = Order("C1", "P", BTC, Side.SELL, LIMIT, Role.STOP, D("0.5"), price=D(61_000))
    order = replace(replace(plain, price=None), **WRONG[wrong])
    assert _said(exchange, order, story.now) == "EGeneral:Invalid arguments:price"
    assert not exchange.orders, "and nothing of it rests, or trades at the market"
    assert not exchange.fills


@pytest.mark.hazard("H28")
def test_a_trigger_waits_and_a_price_trades_at_once() -> None:
    story = Story()
    exchange = _venue(story)
    plain = Order("C1", "P", BTC, Side.SELL, OrderType.STOP, Role.STOP, D("0.5"), trigger=D(59_000))
    assert _said(exchange, plain, story.now) == ""
    assert not exchange.fills, "59,000 as a trigger is a stop that rests"
    assert (
        _said(
            exchange,
            replace(plain, client_order_id="C2", type=LIMIT, trigger=None, price=D(59_000)),
            story.now,
        )
        == ""
    )
    assert [(fill.client_order_id, fill.price) for fill in exchange.fills] == [("C2", D(60_000))], (
        "as a price it sells at the bid, now"
    )


@pytest.mark.hazard("H28")
def test_the_venue_refuses_an_amend_of_a_field_that_the_order_lacks() -> None:
    story = Story()
    exchange = _venue(story)
    stop = Order("C1", "P", BTC, Side.SELL, OrderType.STOP, Role.STOP, D("0.5"), trigger=D(59_000))
    limit = Order("C2", "P", BTC, Side.SELL, LIMIT, Role.TARGET, D("0.5"), price=D(61_000))
    for order in (stop, limit):
        assert _said(exchange, order, story.now) == ""
    for wrong in (
        Amend("C1", BTC, Lane.PROTECT, price=D(58_000)),
        Amend("C2", BTC, Lane.PROTECT, trigger=D(58_000)),
    ):
        assert isinstance(exchange.amend(wrong, story.now), r.AmendRejected), wrong
    assert (exchange.orders["C1"].trigger, exchange.orders["C1"].price) == (D(59_000), None)
    assert (exchange.orders["C2"].trigger, exchange.orders["C2"].price) == (None, D(61_000))


@pytest.mark.hazard("H28")
def test_a_trail_is_sent_as_a_stop_that_is_moved() -> None:
    story = Story()
    story.opened("0.5", stop=None, trail=Trail(fraction=D("0.01")))
    stop = story.order("stop")
    assert (stop.type, stop.trigger, stop.price, stop.trail) == (
        OrderType.STOP,
        D(59_400),
        None,
        None,
    )
