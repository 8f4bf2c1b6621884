"""From what was typed to what is sent: usable numbers, reference prices, places on the tick, sizes
in lots, and every term of an order.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk.ordering import tradable
from engine.desk.rules import ProtectionRules, RiskRules, Rules
from engine.desk.sizing import base_size, reference_price, stop_price, target_price, usable
from engine.model import intent as i
from engine.model import report as r
from engine.model.figures import ExpectedEntry, FeeRates, break_even
from engine.model.ids import client_order_id
from engine.model.instrument import FeeCurrency, Instrument
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.request import Lane, Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT, STOP, MARKET = OrderType.LIMIT, OrderType.STOP, OrderType.MARKET
FUTURES, SPOT = "kraken-futures", "kraken-spot"
PERPETUAL = instrument_for(load_profile(FUTURES), BTC, D("0.1"))
INVERSE = instrument_for(load_profile(FUTURES), "PI_XBTUSD", D("0.5"))


def entry(
    instrument: Instrument,
    side: Side,
    price: str,
    taker: Decimal | None = None,
    *,
    maker: bool = False,
) -> ExpectedEntry:
    tier = instrument.fee_tiers[0]
    return ExpectedEntry(
        instrument,
        side,
        D(price),
        maker,
        None,
        FeeRates(tier.maker, tier.taker if taker is None else taker, "", ""),
    )


# Numbers


@pytest.mark.parametrize(
    ("number", "fine"),
    [
        ("1", True),
        ("0", False),
        ("-1", False),
        ("NaN", False),
        ("Infinity", False),
        ("1E+18", True),
        ("1E+19", False),
        ("1E-18", True),
        ("9E-19", False),
    ],
)
def test_a_number_can_be_calculated_with_or_not(number: str, fine: bool) -> None:
    assert usable(D(number)) is fine


# Prices


@pytest.mark.parametrize(
    ("side", "terms", "expected"),
    [
        (Side.BUY, {}, "60010"),
        (Side.SELL, {}, "60000"),
        (Side.BUY, {"type": LIMIT, "price": D(59_000)}, "59000"),
        (Side.BUY, {"type": LIMIT, "price": D(61_000)}, "60010"),
        (Side.SELL, {"type": LIMIT, "price": D(59_000)}, "60000"),
        (Side.SELL, {"type": LIMIT, "price": D(61_000)}, "61000"),
        (Side.BUY, {"type": STOP, "trigger": D(61_000)}, "61000"),
        (Side.SELL, {"type": STOP, "trigger": D(59_000)}, "59000"),
        (Side.BUY, {"type": MARKET, "price": D(1), "trigger": D(2)}, "60010"),
        (Side.BUY, {"type": STOP, "price": D(1), "trigger": D(61_000)}, "61000"),
        (Side.BUY, {"type": LIMIT, "price": D(59_000), "trigger": D(2)}, "59000"),
    ],
)
def test_where_an_entry_is_expected_to_fill(
    side: Side, terms: dict[str, object], expected: str
) -> None:
    quote = Quote(BTC, START, D(60_000), D(1), D(60_010), D(1))
    intent = i.OpenBracket(id="i", symbol=BTC, side=side, size=i.Base(D(1)), **terms)  # type: ignore[arg-type] # by name
    assert reference_price(intent, quote) == D(expected)


@pytest.mark.parametrize(
    ("side", "place", "stop", "target"),
    [
        (Side.BUY, i.At(D("59400.01")), "59400.1", "59400.1"),
        (Side.SELL, i.At(D("60600.09")), "60600.0", "60600.0"),
        (Side.BUY, i.Away(D("0.010001")), "59400.0", "60600.1"),  # 59399.94 and 60600.06, both up
        # 60600.06 and 59399.94, both down
        (Side.SELL, i.Away(D("0.010001")), "60600.0", "59399.9"),
    ],
)
def test_a_place_on_the_tick_is_never_further_as_a_stop_nor_nearer_as_a_target(
    side: Side, place: i.Place, stop: str, target: str
) -> None:
    assert stop_price(place, D(60_000), side, PERPETUAL) == D(stop)
    assert target_price(place, D(60_000), side, PERPETUAL) == D(target)


@pytest.mark.parametrize(
    ("side", "taker", "expected"),
    [
        (Side.BUY, "0.004", "60482.0"),
        (Side.SELL, "0.004", "59521.9"),
        (Side.BUY, "0", "60000"),
        (Side.SELL, "0.0005", "59940.0"),
    ],
)
def test_break_even_pays_both_fees_and_is_rounded_to_our_favour(
    side: Side, taker: str, expected: str
) -> None:
    """60000 * 1.004 / 0.996 = 60481.93 is rounded up, 60000 * 0.996 / 1.004 = 59521.91 down, each
    away from the entry.
    """
    position, money = entry(PERPETUAL, side, "60000", D(taker)).filled(D(3))
    assert break_even(position, money, PERPETUAL, D(taker)) == D(expected)


# Sizes


def test_a_unit_loses_its_distance_and_both_fees() -> None:
    # 600 and 0.05 % of 60000 and of 59400; of 60600 for a short
    assert entry(PERPETUAL, Side.BUY, "60000").risk(D(1), D(59_400)) == D("659.7")
    assert entry(PERPETUAL, Side.SELL, "60000").risk(D(1), D(60_600)) == D("660.3")
    assert entry(PERPETUAL, Side.BUY, "60000", maker=True).risk(D(1), D(59_400)) == D("641.7"), (
        "0.02 % where it rests"
    )
    # a contract of one dollar: bought at 1/50000, sold at 1/40000
    assert entry(INVERSE, Side.BUY, "50000").risk(D(1), D(40_000)) == D("0.000005") + D(
        "0.000045"
    ) * D("0.0005")


def test_a_fee_in_coins_leaves_less_to_lose() -> None:
    coins = instrument_for(load_profile("binance-spot"), BTC, D("0.1"))
    assert coins.fee_currency is FeeCurrency.RECEIVED
    rate = coins.fee_tiers[0].taker
    held = 1 - rate
    expected = held * 600 + rate * 60_000 + held * 59_400 * rate
    assert entry(coins, Side.BUY, "60000").risk(D(1), D(59_400)) == expected


@pytest.mark.parametrize(
    ("size", "lots"),
    [
        (i.Base(D("0.12349")), D("0.1234")),
        (i.Notional(D(6_005)), D("0.1")),  # 0.10008
        (i.Risk(D("65.97")), D("0.1")),
        (i.Risk(D("65.96")), D("0.0999")),
    ],
)
def test_a_size_is_in_lots_and_never_more_than_asked(size: i.Size, lots: Decimal) -> None:
    story = Story(FUTURES)
    assert base_size(story.ctx, entry(PERPETUAL, Side.BUY, "60000"), size, D(59_400)) == lots


def test_a_risk_is_in_the_accounts_currency() -> None:
    profile = load_profile(FUTURES)
    ether = instrument_for(profile, "ETH/BTC", D("0.0001"))
    story = Story(profile, listed=(PERPETUAL, ether))
    story.price(BTC, "60000", "60000")
    # a unit loses 0.001 and 0.05 % of 0.05 and of 0.049: 0.0010495 BTC, which is 62.97 USD
    assert (
        base_size(story.ctx, entry(ether, Side.BUY, "0.05"), i.Risk(D("629.7")), D("0.049")) == 10
    )
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert base_size(
        story.ctx, entry(ether, Side.BUY, "0.05"), i.Risk(D(1)), D("0.049")
    ) == Refusal("NO_RATE", "BTC", "USD")


def test_a_risk_needs_a_stop_that_loses() -> None:
    story = Story(FUTURES)
    assert base_size(story.ctx, entry(PERPETUAL, Side.BUY, "60000"), i.Risk(D(1)), None) == Refusal(
        "PRICE_MISSING", "risk", "a stop: the risk is what is lost there"
    )
    free = replace(PERPETUAL, fee_tiers=(replace(PERPETUAL.fee_tiers[0], taker=D(0)),))
    for stop in (D(60_000), D(61_000)):
        assert base_size(story.ctx, entry(free, Side.BUY, "60000"), i.Risk(D(1)), stop) == Refusal(
            "STOP_WRONG_SIDE", f"{stop}", "the entry at 60000"
        )
    assert base_size(story.ctx, entry(free, Side.BUY, "60000"), i.Base(D(0)), None) == Refusal(
        "NOT_A_NUMBER", "0", "a size above zero"
    )


@pytest.mark.parametrize(
    ("size", "price", "trades"),
    [
        ("0.0001", None, True),
        ("0.00009", None, False),
        ("0", None, False),
        ("-1", None, False),
        ("0.0001", "50000", True),
        ("0.0001", "49999", False),
    ],
)
def test_what_the_venue_takes(size: str, price: str | None, trades: bool) -> None:
    instrument = replace(PERPETUAL, min_cost=D(5))
    assert tradable(instrument, D(size), None if price is None else D(price)) is trades
    if size in ("0", "-1"):
        assert not tradable(replace(instrument, min_size=D(size)), D(size), None)


# Every term of an order


def test_every_term_of_an_entry() -> None:
    story = Story(SPOT)
    story.now += SECOND
    answer = story.buy(
        "0.5",
        type=LIMIT,
        price=D(59_000),
        expires_in=30 * SECOND,
        post_only=True,
        leverage=D(2),
        label="swing",
        id="mine",
    )
    (submit,) = story.sent(Submit)
    now = START + SECOND
    assert submit == Submit(
        Order(
            client_order_id("test", "mine", "entry", 1),
            answer.created,
            BTC,
            Side.BUY,
            LIMIT,
            Role.ENTRY,
            D("0.5"),
            price=D(59_000),
            time_in_force=TimeInForce.GTC,
            post_only=True,
            leverage=D(2),
            expires_at=now + 30 * SECOND,
            deadline=now + 5 * SECOND,
            created_at=now,
            touched_at=now,
            label="swing",
        ),
        Lane.ENTRY,
    )


def test_every_term_of_an_entry_that_goes_out_again() -> None:
    story = Story(SPOT)
    story.buy(
        "0.5",
        type=LIMIT,
        price=D(59_000),
        expires_in=60 * SECOND,
        post_only=True,
        leverage=D(2),
        label="swing",
        id="mine",
    )
    first = story.order("entry")
    story.tell(r.Unknown(first.client_order_id, "submit", "no answer", story.now))
    story.now += 7 * SECOND
    for _ in range(2):
        story.tell(r.Absent(first.client_order_id, story.now))
    submit = story.sent(Submit)[-1]
    assert submit.lane is Lane.ENTRY
    assert submit.order == replace(
        first,
        client_order_id=client_order_id("test", "mine", "entry", 2),
        in_doubt=False,
        deadline=story.now + 5 * SECOND,
        created_at=story.now,
        touched_at=story.now,
    )


def test_every_term_of_the_exits() -> None:
    story = Story(FUTURES)
    story.opened("0.5", target=i.Away(D("0.02")), label="swing", leverage=D(3))
    name = story.position().id

    def exit_order(version: int, kind: OrderType, role: Role, **terms: object) -> Order:
        order = Order(
            client_order_id("test", name, role.value, version),
            name,
            BTC,
            Side.SELL,
            kind,
            role,
            D("0.5"),
            reduce_only=True,
            leverage=D(3),
            deadline=START + 4 * SECOND,
            created_at=START,
            touched_at=START,
            label="swing",
        )
        return replace(order, **terms)

    assert story.ask(i.ClosePosition(id="c", position=name)).ok
    assert story.sent(Submit)[1:] == [
        Submit(exit_order(1, STOP, Role.STOP, trigger=D("59400.0")), Lane.PROTECT),
        Submit(exit_order(1, LIMIT, Role.TARGET, price=D("61200.0")), Lane.PROTECT),
        Submit(
            exit_order(3, MARKET, Role.CLOSE, price=D("59400.0"), time_in_force=TimeInForce.IOC),
            Lane.PROTECT,
        ),
    ]


@pytest.mark.parametrize(
    ("slippage", "bounds"),
    [("0.01", ["59400", "58200", "54600", "43800"]), ("0.2", ["48000", "30000", "30000", "30000"])],
)
def test_each_close_that_missed_its_price_may_take_a_worse_one(
    slippage: str, bounds: list[str]
) -> None:
    story = Story(FUTURES, Rules(protection=ProtectionRules(exit_slippage=D(slippage))))
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    for bound in bounds:
        close = story.order("close")
        assert close.price == D(bound)
        story.accept(close)
        story.price(BTC, "20000")
        story.cancelled(close, "IOC")
        story.price(BTC, "60000")
        story.wait(6)


def test_a_short_is_closed_up_to_a_bound_above_the_ask() -> None:
    story = Story(FUTURES)
    story.opened(side=Side.SELL, stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    close = story.order("close")
    assert (close.side, close.price) == (Side.BUY, D("60600.1"))  # 60600.101, down to the tick


@pytest.mark.parametrize(("age", "bounded"), [(60 * SECOND, "59400"), (60 * SECOND + 1, "30000")])
def test_a_bound_is_as_wide_as_may_be_without_a_fresh_price(age: int, bounded: str) -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    story.now += age
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert story.order("close").price == D(bounded)


@pytest.mark.parametrize(("cost", "bounded"), [("29700", "59400"), ("29700.01", "59400.1")])
def test_a_bound_that_would_make_a_close_too_small_is_nearer(cost: str, bounded: str) -> None:
    profile = load_profile(FUTURES)
    story = Story(profile, listed=(replace(PERPETUAL, min_cost=D(cost)),))
    story.price(BTC, "60000")
    story.opened("0.5", stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert story.order("close").price == D(bounded), "half a bitcoin at 59400 is 29700"


def test_exits_of_several_reduce_only_as_long_as_each_holds_something() -> None:
    story = Story(FUTURES, Rules(risk=RiskRules(losing_streak=0)))
    first = story.opened("0.2")
    story.opened("0.3")
    assert all(order.reduce_only for order in story.orders("stop"))
    stop = next(order for order in story.state.orders_for(first.id) if order.role is Role.STOP)
    story.fill(stop, "0.25", price="59400")
    story.witness()
    repair = story.order("close")
    assert (repair.size, repair.reduce_only) == (
        D("0.05"),
        False,
    ), "reduce-only would look at what both hold"
    story = Story(FUTURES)
    story.opened("0.2")
    story.fill(story.order("stop"), "0.25", price="59400")
    story.witness()
    assert story.order("close").reduce_only


@pytest.mark.parametrize("profile", [FUTURES, SPOT])
def test_a_venue_without_deadlines_gets_none(profile: str) -> None:
    story = Story(replace(load_profile(profile), deadline=False))
    story.opened("0.5")
    assert [submit.order.deadline for submit in story.sent(Submit)] == [None, None]


def test_while_everything_is_closed_exits_and_cancels_wait_for_nobody() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(60_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    story.accept(story.order("stop"))
    story.ask(i.Flatten(id="f"))
    assert story.sent(Submit)[-1].lane is Lane.EMERGENCY
    assert story.sent(Submit)[-1].order.role is Role.CLOSE
    assert story.now_of(entry).cancel_pending
    story.fill(story.order("close"))
    story.cancelled(story.now_of(entry))
    story.cancelled(story.order("stop"))
    story.now += SECOND
    story.picture()
    assert story.now_of(entry).status is Status.CANCELLED
    story.opened("1", symbol=ETH, price="3000")
    assert story.sent(Submit)[-1].lane is Lane.PROTECT, "and once it is over, in their turn"
