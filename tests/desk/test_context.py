"""The figures that every rule reads: ages, extremes, equity, and where the venue would liquidate;
and how an alert is raised again.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import totals
from engine.desk.context import Context, alert, cure, name_of, nanoseconds
from engine.desk.events import AlertCured, AlertRaised
from engine.desk.margin import liquidation
from engine.model import intent as i
from engine.model.instrument import Instrument
from engine.model.order import OrderType
from engine.model.position import Position
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"


def perpetual(**changes: Decimal) -> tuple[Profile, Instrument]:
    profile = load_profile(FUTURES)
    return profile, replace(instrument_for(profile, BTC, D("0.1")), **changes)


# Where the venue would liquidate: the equity there is the maintenance there


@pytest.mark.parametrize(
    ("profile", "side", "at"),
    [
        # equity 31000: 31000 - (60000 - p) = 0.01 p, so p = 29000 / 0.99 = 29292.929...
        (FUTURES, Side.BUY, "29292.9"),
        # equity 30999.9, for the ask is 60000.1: 30999.9 - (p - 60000.1) = 0.01 p, so p = 91000 /
        # 1.01 = 90099.0099...
        (FUTURES, Side.SELL, "90099.0"),
        # cash 91000 and one bitcoin owed, which keeps a tenth: 91000.05 - p = 0.1 p, so p =
        # 82727.318...
        ("kraken-spot", Side.SELL, "82727.3"),
    ],
)
def test_where_what_is_borrowed_is_liquidated(profile: str, side: Side, at: str) -> None:
    story = Story(profile, cash="31000")
    position = story.opened("1", side=side)
    assert liquidation(story.ctx, position) == D(at)
    assert story.views.positions(story.ctx)[0].liquidation == D(at)


def test_what_was_paid_in_full_is_never_liquidated() -> None:
    story = Story(cash="31000")
    assert liquidation(story.ctx, story.opened("0.5")) is None


def test_contracts_are_counted_in_their_base() -> None:
    profile, ten = perpetual(contract_size=D(10))
    story = Story(profile, cash="31000", listed=(ten,))
    story.price(BTC, "60000")
    position = story.opened("0.1")
    assert liquidation(story.ctx, position) == D("29292.9"), "0.1 contracts of ten are one bitcoin"


def test_the_equity_is_converted_into_the_quote_currency() -> None:
    profile = load_profile(FUTURES)
    story = Story(
        profile,
        cash="60000",
        listed=(
            instrument_for(profile, BTC, D("0.1")),
            instrument_for(profile, "ETH/BTC", D("0.0001")),
        ),
    )
    story.price(BTC, "59999.5", "60000.5")
    story.price("ETH/BTC", "0.05", "0.05")
    position = story.opened("40", symbol="ETH/BTC", price="0.05")
    # the equity is one bitcoin: 40 * 0.05 - 1 = 1 over 40 * 0.99
    assert liquidation(story.ctx, position) == D("0.0253")


def test_an_equity_that_covers_everything_can_not_be_liquidated() -> None:
    story = Story(FUTURES, cash="60000")
    position = story.opened("1")
    assert liquidation(story.ctx, position) is None, (
        "at a price of nothing, nothing is lost beyond the equity"
    )
    story = Story(FUTURES, cash="59994.1")
    position = story.opened("1")
    assert liquidation(story.ctx, position) == D("6.0"), "5.9 / 0.99"


def test_a_liquidation_that_can_not_be_told_is_not_told() -> None:
    profile, kept = perpetual(maintenance_margin=D(0))
    story = Story(profile, cash="31000", listed=(kept,))
    story.price(BTC, "60000")
    assert liquidation(story.ctx, story.opened("1")) is None, "nothing is asked to be kept"
    story = Story(FUTURES, cash="31000")
    position = story.opened("1")
    story.state.cash["KFEE"] = D(5)
    assert liquidation(story.ctx, position) == D("29292.9"), "H93: of what has a price"
    story = Story(FUTURES, cash="31000")
    position = story.opened("1")
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert liquidation(story.ctx, position) is None, "there is no price"
    story = Story(FUTURES, cash="31000")
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    assert liquidation(story.ctx, story.position()) is None, "nothing is held"
    story = Story(profile, cash="31000", listed=(instrument_for(profile, "ETH/EUR", D("0.01")),))
    story.price("ETH/EUR", "3000", "3000")
    story.now += 20 * SECOND
    story.picture(net={"ETH/EUR": D(20)})
    assert story.ask(i.Resolve(id="a", subject="ETH/EUR", action=i.Settlement.ADOPT)).ok
    assert totals.equity(story.ctx) == (D(31_000), frozenset()), "no profit needs no rate"
    assert liquidation(story.ctx, story.position()) is None, "the equity has no rate into euro"


@pytest.mark.parametrize("side", list(Side))
def test_of_inverse_contracts_a_liquidation_is_not_told(side: Side) -> None:
    profile = load_profile(FUTURES)
    story = Story(profile, cash="31000", listed=(instrument_for(profile, "PI_XBTUSD", D("0.5")),))
    story.price("PI_XBTUSD", "60000", "60000.5")
    assert liquidation(story.ctx, story.opened("60000", symbol="PI_XBTUSD", side=side)) is None


def test_a_stop_short_of_the_liquidation_is_taken_and_one_on_it_is_not() -> None:
    story = Story(FUTURES, cash="31000")
    position = story.opened("1")
    beyond = story.ask(
        i.MoveStop(id="a", position=position.id, stop=i.At(D("29292.9")), reason="room")
    )
    assert [(refusal.code, refusal.value, refusal.bound) for refusal in beyond.refusals] == [
        ("STOP_BEYOND_LIQUIDATION", "29292.9", "29292.9")
    ]
    assert story.ask(
        i.MoveStop(id="b", position=position.id, stop=i.At(D("29293.0")), reason="room")
    ).ok


# Ages


@pytest.mark.parametrize(
    ("pace", "seconds", "stale_after"),
    [
        (0, 60.0, 60 * SECOND),
        (0, 0.5, SECOND // 2),
        (20 * SECOND, 60.0, 60 * SECOND),
        (21 * SECOND, 60.0, 63 * SECOND),
        (60 * SECOND, 30.0, 180 * SECOND),
    ],
)
def test_a_price_is_stale_after_its_bound_or_three_of_its_sources_steps(
    pace: int, seconds: float, stale_after: int
) -> None:
    story = Story()
    story.board.set_pace(BTC, pace)
    assert story.ctx.stale_at(BTC, seconds) == START + stale_after + 1
    story.now = START + stale_after
    assert not story.ctx.is_stale(BTC, seconds)
    story.now += 1
    assert story.ctx.is_stale(BTC, seconds)


def test_a_price_that_never_came_is_stale() -> None:
    story = Story()
    assert story.ctx.stale_at("XRP/BTC", 60.0) == 0
    assert story.ctx.is_stale("XRP/BTC", 60.0)


def test_durations_are_nanoseconds() -> None:
    assert [nanoseconds(seconds) for seconds in (0.0, 0.25, 1.0, 60.0)] == [
        0,
        250_000_000,
        SECOND,
        60 * SECOND,
    ]


def test_the_age_of_a_price_is_never_less_than_nothing() -> None:
    story = Story()
    assert story.board.age("XRP/BTC", story.now) is None
    assert [story.board.age(BTC, START + passed) for passed in (-5, 0, 1, SECOND)] == [
        0,
        0,
        1,
        SECOND,
    ]
    assert (story.board.pace(BTC), story.board.pace("NO/SUCH")) == (0, 0)
    story.board.set_pace("NO/SUCH", 7)
    assert story.board.pace("NO/SUCH") == 7


# Extremes


def test_extremes_are_what_was_seen_and_what_was_journaled() -> None:
    story = Story(FUTURES)
    position = story.opened()
    assert story.ctx.extremes(position) == (D(60_000), D(60_000))
    story.price(BTC, "59500")
    story.price(BTC, "60700")
    assert story.ctx.extremes(story.position()) == (D(59_500), D(60_700))
    earlier = replace(story.position(), lowest=D(59_400), highest=D(60_600))
    assert story.ctx.extremes(earlier) == (D(59_400), D(60_700))
    earlier = replace(story.position(), lowest=D(59_600), highest=D(60_800))
    assert story.ctx.extremes(earlier) == (D(59_500), D(60_800))
    for unknown in ({"lowest": None}, {"highest": None}, {"lowest": None, "highest": None}):
        assert story.ctx.extremes(replace(story.position(), **unknown)) == (D(59_500), D(60_700))


def test_of_what_this_process_has_not_watched_the_journal_tells() -> None:
    story = Story(FUTURES)
    elsewhere = Position("P", BTC, Side.BUY, START, "USD", lowest=D(1), highest=D(2))
    assert story.ctx.extremes(elsewhere) == (D(1), D(2))
    assert story.ctx.extremes(replace(elsewhere, highest=None)) == (D(1), None)
    assert story.ctx.extremes(replace(elsewhere, lowest=None)) == (None, D(2))


# Money


def test_nothing_needs_no_rate() -> None:
    story = Story()
    assert story.ctx.to_account(D(0), "KFEE") == 0
    assert story.ctx.to_account(D(1), "KFEE") is None
    assert story.ctx.to_account(D(2), "BTC") == D("120000.1")
    assert story.ctx.to_account(D(2), "USD") == 2


def test_the_profit_of_all_that_is_held_and_what_is_left_out_of_it() -> None:
    story = Story(FUTURES)
    assert totals.unrealised(story.ctx) == (D(0), frozenset())
    assert story.buy("0.1", symbol=BTC, type=LIMIT, price=D(59_000)).ok
    story.opened("1")
    story.opened("10", symbol=ETH, price="3000")
    assert story.buy("0.1", symbol=BTC, type=LIMIT, price=D(59_000)).ok
    story.price(BTC, "60500")
    story.price(ETH, "3010")
    assert totals.unrealised(story.ctx) == (D(600), frozenset())
    assert totals.equity(story.ctx) == (D(1_000_600), frozenset())
    story.board._symbols[ETH].quote = None
    story.board.moved.add(ETH)
    assert totals.unrealised(story.ctx) == (D(500), frozenset({ETH}))
    assert totals.equity(story.ctx) == (D(1_000_500), frozenset({ETH}))


def test_what_only_waits_for_its_entry_needs_no_price() -> None:
    story = Story(FUTURES)
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert totals.unrealised(story.ctx) == (D(0), frozenset())
    assert totals.equity(story.ctx) == (D(1_000_000), frozenset())


def test_spot_holdings_are_counted_once_as_cash() -> None:
    story = Story()
    story.opened("0.5")
    story.price(BTC, "62000", "62001")
    assert totals.equity(story.ctx) == (D(970_000) + D(31_000), frozenset())
    assert totals.unrealised(story.ctx) == (D(1000), frozenset())


def test_the_equity_of_one_moment_follows_what_is_booked_in_it() -> None:
    story = Story()
    ctx = story.ctx
    assert totals.equity(ctx)[0] == 1_000_000
    story.picture({"USD": D(5)})
    story.ask(i.Resolve(id="s", subject="USD", action=i.Settlement.FORGET))
    assert totals.equity(ctx)[0] == 5


def test_a_long_is_marked_at_the_bid_and_a_short_at_the_ask() -> None:
    story = Story()
    long = Position("P", BTC, Side.BUY, START, "USD")
    assert (story.ctx.mark(long), story.ctx.mark(replace(long, side=Side.SELL))) == (
        D(60_000),
        D("60000.1"),
    )
    assert story.ctx.mark(replace(long, symbol="XRP/BTC")) is None


# Names and alerts


def test_a_position_is_called_by_its_label_and_its_symbol() -> None:
    position = Position("P", BTC, Side.BUY, START, "USD")
    assert (name_of(position), name_of(replace(position, label="swing"))) == (BTC, "swing BTC/USD")


def _raised(ctx: Context, detail: str) -> list[AlertRaised | AlertCured]:
    return [
        event
        for event in alert(ctx, "NAKED", "it", detail, "P")
        if isinstance(event, AlertRaised | AlertCured)
    ]


def test_an_alert_is_raised_again_only_with_new_words() -> None:
    story = Story()
    story.opened(stop=None)
    (standing,) = story.state.alerts.values()
    story.ask(i.Acknowledge(id="a", alert=standing.key))
    story.now += SECOND
    story.state.alerts["NAKED:P"] = replace(
        story.state.alerts[standing.key], subject="it", target="P", detail="one", count=3
    )
    assert _raised(story.ctx, "one") == []
    (event,) = _raised(story.ctx, "two")
    assert isinstance(event, AlertRaised)
    again = event.alert
    assert (again.at, again.last_at, again.count, again.acknowledged_at) == (
        START,
        START + SECOND,
        4,
        START,
    )
    assert (again.subject, again.detail, again.target) == ("it", "two", "P")


def test_an_alert_is_raised_for_the_first_time() -> None:
    story = Story()
    (event,) = _raised(story.ctx, "one")
    assert isinstance(event, AlertRaised)
    first = event.alert
    assert (first.code, first.subject, first.detail, first.target) == ("NAKED", "it", "one", "P")
    assert (first.at, first.last_at, first.count, first.acknowledged_at, first.cured_at) == (
        START,
        START,
        1,
        None,
        None,
    )


def test_only_what_stands_is_cured() -> None:
    story = Story()
    position = story.opened(stop=None)
    assert list(cure(story.ctx, "NAKED", "nobody")) == []
    assert list(cure(story.ctx, "NAKED", position.id)) == [
        AlertCured(START, f"NAKED:{position.id}")
    ]


# Rates


@pytest.mark.parametrize(
    ("base", "quote", "rate"),
    [
        ("BTC", "USD", D("60000.05")),
        ("USD", "BTC", 1 / D("60000.05")),
        ("USD", "USD", D(1)),
        ("KFEE", "KFEE", D(1)),
        ("ETH", "BTC", D("3000.05") * (1 / D("60000.05"))),
        ("XRP", "USD", D("0.00002") * D("60000.05")),
        ("USD", "XRP", (1 / D("60000.05")) * (1 / D("0.00002"))),
        ("XRP", "ETH", None),
        ("KFEE", "USD", None),
        ("USD", "KFEE", None),
    ],
)
def test_a_rate_is_direct_inverse_or_through_one_other_currency(
    base: str, quote: str, rate: Decimal | None
) -> None:
    story = Story()
    story.board.on_quote(Quote("XRP/BTC", story.now, D("0.00001"), D(1), D("0.00003"), D(1)))
    assert story.board.rate(base, quote) == rate


def test_without_a_price_a_pair_is_no_rate() -> None:
    story = Story()
    assert (
        story.board.rate("XRP", "BTC"),
        story.board.rate("BTC", "XRP"),
        story.board.rate("XRP", "USD"),
    ) == (None, None, None)


def test_a_spot_market_is_believed_before_a_derivative_and_the_first_of_those() -> None:
    profile = load_profile(FUTURES)
    one, two = (
        instrument_for(profile, "PF_XBTUSD", D("0.5")),
        instrument_for(profile, "PI_XBTUSD", D("0.5")),
    )
    spot = instrument_for(load_profile("kraken-spot"), BTC, D("0.1"))
    assert {(listed.base, listed.quote) for listed in (one, two, spot)} == {("BTC", "USD")}
    story = Story(profile, listed=(one, two))
    story.price("PF_XBTUSD", "100", "100")
    story.price("PI_XBTUSD", "200", "200")
    assert story.board.rate("BTC", "USD") == 100
    story.board.list(spot)
    story.price(BTC, "300", "300")
    assert story.board.rate("BTC", "USD") == 300
    story.board.list(one)
    assert story.board.rate("BTC", "USD") == 300
