"""What an entry may not exceed, to the last step of each bound, and what counts for it: figures
worked out by hand.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk.rules import RiskRules, Rules
from engine.desk.totals import AtStops, at_stops, committed
from engine.model import intent as i
from engine.model import report as r
from engine.model.instrument import Instrument
from engine.model.order import OrderType, Role, Trail
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.side import Side
from engine.model.view import Answer
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, SECOND, Story, codes

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
FUTURES, SPOT = "kraken-futures", "kraken-spot"
MILLION = "the equity of 1000000.00 USD"


def bounded(
    profile: str | Profile = FUTURES,
    *,
    cash: str = "1000000",
    listed: tuple[Instrument, ...] | None = None,
    **bounds: Any,
) -> Story:
    """A million, and a market without a spread: whatever is bought at 60000 is worth that."""
    story = Story(profile, Rules(risk=RiskRules(**bounds)), cash=cash, listed=listed)
    for symbol, price in ((BTC, "60000"), (ETH, "3000")):
        story.price(symbol, price, price)
    return story


def said(answer: Answer) -> dict[str, tuple[str, str]]:
    """From a refusal's code to what was offered and what is allowed."""
    return {refusal.code: (refusal.value, refusal.bound) for refusal in answer.refusals}


def in_symbols(story: Story) -> list[tuple[str, Decimal]]:
    """By symbol, the notional of what is held and wanted."""
    found = [(symbol, committed(story.ctx, symbol)) for symbol in story.state.instruments]
    assert committed(story.ctx) == sum(notional for _, notional in found)
    return [(symbol, notional) for symbol, notional in found if notional]


# What counts


def test_of_a_half_filled_entry_the_rest_counts_once() -> None:
    story = bounded(max_exposure=D("0.06"))
    assert story.buy("1", type=LIMIT, price=D(60_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    for filled in ("0", "0.4", "0.5"):
        if D(filled):
            story.fill(entry, filled)
        assert in_symbols(story) == [(BTC, D(60_000))], filled
        answer = story.buy("1", symbol=ETH, stop=None)
        assert said(answer) == {"MAX_EXPOSURE": ("63000.00 USD", f"0.06 times {MILLION}")}
    story.cancelled(story.now_of(entry))
    assert in_symbols(story) == [(BTC, D(54_000))], "what was cancelled is not wanted any more"
    assert story.buy("2", symbol=ETH, stop=None).ok


def test_what_waits_counts_at_the_market_and_exits_not_at_all() -> None:
    story = bounded()
    story.opened("0.5", target=i.Away(D("0.02")))
    assert story.buy("2", symbol=ETH, type=LIMIT, price=D(2_900)).ok
    assert in_symbols(story) == [(BTC, D(30_000)), (ETH, D(6_000))]


def test_what_was_closed_too_much_counts_by_its_size() -> None:
    story = bounded()
    story.opened("0.5")
    story.fill(story.order("stop"), "0.7", price="60000")
    assert in_symbols(story) == [(BTC, D(12_000))]


def test_without_a_price_the_entry_counts_and_without_a_rate_the_bare_number() -> None:
    profile = load_profile(FUTURES)
    euro = instrument_for(profile, "ETH/EUR", D("0.01"))
    story = bounded(
        profile, listed=(instrument_for(profile, BTC, D("0.1")), euro), max_exposure=D("0.06")
    )
    story.price("ETH/EUR", "2999", "3001")
    story.now += 20 * SECOND
    story.picture(net={"ETH/EUR": D(10)})
    assert story.ask(i.Resolve(id="a", subject="ETH/EUR", action=i.Settlement.ADOPT)).ok
    assert in_symbols(story) == [("ETH/EUR", D(29_990))]
    answer = story.buy("0.6", stop=None)
    assert said(answer)["MAX_EXPOSURE"][0] == "65990.00 USD"
    story.board._symbols["ETH/EUR"].quote = None
    story.board.moved.add("ETH/EUR")
    assert in_symbols(story) == [("ETH/EUR", D(30_010))], "bought at the ask"
    assert at_stops(story.ctx) == AtStops(None, D(30_010)), (
        "euro have no rate: they count at their own number"
    )
    position = story.position()
    story.price("ETH/EUR", "2999", "3001")
    assert story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(2_901)))).ok
    story.accept(story.order("stop"))
    assert at_stops(story.ctx).counted == 1_000 + D("14.505"), (
        "euro have no rate: they count at their own number"
    )


def test_what_has_neither_a_size_nor_a_price_is_no_exposure() -> None:
    story = bounded()
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert in_symbols(story) == []


# Notionals


def _loaded(**bounds: Any) -> Story:
    """0.5 bitcoin and 10 ether are held: 30000 each."""
    story = bounded(**bounds)
    story.opened("0.5", stop=None)
    story.opened("10", symbol=ETH, price="3000", stop=None)
    return story


def test_an_order_a_symbol_and_everything_have_bounds_of_their_own() -> None:
    story = _loaded(max_order=D("0.03"), max_position=D("0.06"), max_exposure=D("0.09"))
    assert said(story.buy("0.5001", stop=None)) == {
        "MAX_ORDER_NOTIONAL": ("30006.00 USD", f"0.03 times {MILLION}"),
        "MAX_POSITION_NOTIONAL": ("60006.00 USD", f"0.06 times {MILLION}"),
        "MAX_EXPOSURE": ("90006.00 USD", f"0.09 times {MILLION}"),
    }
    assert story.buy("0.5", stop=None).ok, "what is just at all three is admitted"


def test_an_order_has_a_bound_in_money_too() -> None:
    story = bounded(max_order_notional=D(30_000))
    assert said(story.buy("0.5001", stop=None)) == {
        "MAX_ORDER_NOTIONAL": ("30006.00 USD", "30000 USD")
    }
    assert story.buy("0.5", stop=None).ok


def test_a_notional_is_converted_into_the_accounts_currency() -> None:
    profile = load_profile(FUTURES)
    listed = (
        instrument_for(profile, BTC, D("0.1")),
        instrument_for(profile, "ETH/BTC", D("0.0001")),
    )
    story = bounded(profile, listed=listed, max_order_notional=D(6_000))
    story.price("ETH/BTC", "0.05", "0.05")
    assert said(story.buy("2.0001", symbol="ETH/BTC", stop=None)) == {
        "MAX_ORDER_NOTIONAL": ("6000.30 USD", "6000 USD")
    }
    assert story.buy("2", symbol="ETH/BTC", stop=None).ok


def test_without_equity_nothing_is_affordable() -> None:
    answer = bounded(cash="0").buy("0.5", stop=None)
    assert said(answer)["INSUFFICIENT_FUNDS"] == ("30000.0 USD", "0 USD")
    profile = load_profile(FUTURES)
    listed = (
        instrument_for(profile, BTC, D("0.1")),
        instrument_for(profile, "ETH/BTC", D("0.0001")),
    )
    story = bounded(profile, cash="0", listed=listed)
    story.price("ETH/BTC", "0.05", "0.05")
    refusal = story.buy("2", symbol="ETH/BTC", stop=None).refusals[0]
    assert (refusal.code, D(refusal.value.removesuffix(" USD"))) == ("INSUFFICIENT_FUNDS", D(6_000))


# Risk


def test_a_trade_has_a_bound_for_what_it_may_lose() -> None:
    # half a bitcoin: 300, and 0.05 % of 30000 and of 29700
    story = bounded(max_trade_risk=D("0.00032985"))
    assert said(story.buy("0.5", stop=i.At(D("59399.9")))) == {
        "MAX_TRADE_RISK": ("329.90", "0.032985% of 1000000.00")
    }
    assert story.buy("0.5", stop=i.At(D(59_400))).ok


def test_what_all_stops_would_lose_has_a_bound() -> None:
    story = bounded(max_open_risk=D("0.00095955"))
    story.opened("0.5")  # 300 and 14.85: its entry was free
    story.opened("10", symbol=ETH, price="3000")  # the same
    assert said(story.buy("0.5", stop=i.At(D("59399.9")))) == {
        "MAX_OPEN_RISK": ("959.60", "0.095955% of 1000000.00")
    }
    assert story.buy("0.5", stop=i.At(D(59_400))).ok


def test_a_short_loses_above_its_entry() -> None:
    story = bounded(max_trade_risk=D("0.00033015"))
    assert (
        said(story.buy("0.5", side=Side.SELL, stop=i.At(D("60600.1"))))["MAX_TRADE_RISK"][0]
        == "330.20"
    )
    assert story.buy("0.5", side=Side.SELL, stop=i.At(D(60_600))).ok


def test_a_risk_is_converted_into_the_accounts_currency() -> None:
    profile = load_profile(FUTURES)
    listed = (
        instrument_for(profile, BTC, D("0.1")),
        instrument_for(profile, "ETH/BTC", D("0.0001")),
    )
    story = bounded(profile, listed=listed, max_trade_risk=D("0.000126"))
    story.price("ETH/BTC", "0.05", "0.05")
    answer = story.buy("2.1", symbol="ETH/BTC", stop=i.At(D("0.049")))
    # 0.0021 and 0.0001039 BTC
    assert said(answer)["MAX_TRADE_RISK"] == ("132.24", "0.0126% of 1000000.00")
    assert story.buy("2", symbol="ETH/BTC", stop=i.At(D("0.049"))).ok


@pytest.mark.hazard("H95")
def test_without_a_stop_the_whole_notional_is_at_risk() -> None:
    assert said(bounded(max_trade_risk=D("0.0299")).buy("0.5", stop=None)) == {
        "MAX_TRADE_RISK": ("30000.00", "2.99% of 1000000.00")
    }
    assert said(bounded(max_open_risk=D("0.0299")).buy("0.5", stop=None)) == {
        "MAX_OPEN_RISK": ("30000.00", "2.99% of 1000000.00")
    }
    assert bounded(max_trade_risk=D("0.03"), max_open_risk=D("0.03")).buy("0.5", stop=None).ok
    story = bounded(max_trade_risk=D("0.001"), max_open_risk=D("0.001"))
    assert story.buy("0.5", stop=None, trail=Trail(amount=D(600))).ok, (
        "a trail that follows at once is a stop"
    )
    assert story.buy("0.5", stop=None, trail=Trail(amount=D(600), after=D("0.01"))).refusals, (
        "one that waits is none yet"
    )


def test_what_all_stops_would_lose_is_the_sum_of_nets_and_of_entries_that_wait() -> None:
    story = bounded()
    first = story.opened("0.5")  # 300, and 14.85 for leaving
    second = story.opened("10", symbol=ETH, price="3000")
    assert at_stops(story.ctx) == AtStops(D("-629.7"), D("629.7"))
    assert story.ask(i.MoveStop(id="a", position=first.id, stop=i.At(D(59_000)), reason="room")).ok
    assert at_stops(story.ctx).shown == D("-629.7"), "until the venue has moved it"
    story.amended(next(order for order in story.orders("stop") if order.symbol == BTC))
    assert at_stops(story.ctx).shown == D("-829.6")  # 500 and 14.75
    story.price(ETH, "3100", "3100")
    assert story.ask(i.MoveStop(id="b", position=second.id, stop=i.At(D(3_050)))).ok
    story.amended(next(order for order in story.orders("stop") if order.symbol == ETH))
    assert at_stops(story.ctx).shown == D("-514.75"), "what gains at its stop takes nothing off"
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    waiting = D(295) + D("5.9") + D("14.6025")  # one per cent, 0.02 % of 29500 and 0.05 % of 29205
    assert at_stops(story.ctx) == AtStops(-(D("514.75") + waiting), D("514.75") + waiting)
    view = story.views.account(story.ctx)
    assert (view.at_stops, view.unbounded, view.open_risk) == (
        -(D("514.75") + waiting),
        False,
        D("514.75") + waiting,
    )


@pytest.mark.hazard("H95")
def test_a_position_without_a_stop_is_unbounded_and_counts_with_its_notional() -> None:
    story = bounded()
    position = story.opened("0.5")
    story.opened("10", symbol=ETH, price="3000", stop=None)
    assert at_stops(story.ctx) == AtStops(None, D(30_000) + D("314.85"))
    assert story.ask(i.MoveStop(id="a", position=position.id, stop=None, reason="none")).ok
    assert at_stops(story.ctx) == AtStops(None, D(60_000)), (
        "also while the venue still has the stop"
    )
    story = bounded()
    assert story.buy("0.5", type=LIMIT, price=D(59_000), stop=None).ok
    assert at_stops(story.ctx) == AtStops(None, D(29_500)), (
        "an entry that would fill without one is unbounded, too"
    )


@pytest.mark.hazard("H95")
@pytest.mark.parametrize("side", list(Side))
def test_what_is_lent_without_a_stop_counts_up_to_its_liquidation(side: Side) -> None:
    story = bounded(
        cash="20000", max_order=D(9), max_position=D(9), max_exposure=D(9), max_open_risk=D(9)
    )
    story.opened("1", side=side, stop=None)
    view, (row,) = story.views.account(story.ctx), story.views.positions(story.ctx)
    assert row.liquidation is not None
    assert view.unbounded
    lost = abs(row.liquidation - (row.mark or D(0)))
    assert lost <= view.open_risk < D("1.05") * lost, (
        "the venue takes it a little before all is gone"
    )
    assert view.open_risk == view.equity
    story.opened("2", symbol=ETH, side=side, price="3000", stop=None)
    assert story.views.account(story.ctx).open_risk == story.views.account(story.ctx).equity, (
        "both together lose no more than there is"
    )


@pytest.mark.hazard("H93")
def test_while_nobody_knows_what_there_is_the_whole_notional_counts() -> None:
    story = bounded(
        cash="20000", max_order=D(9), max_position=D(9), max_exposure=D(9), max_open_risk=D(9)
    )
    story.opened("1", stop=None)
    story.now += SECOND
    story.picture({**story.money(), "KFEE": D(5)})
    assert story.ask(i.Resolve(id="k", subject="KFEE", action=i.Settlement.FORGET)).ok
    assert story.views.account(story.ctx).open_risk == D(60_000)


# The other bounds, at their last step


def test_positions_and_entries_in_flight_take_a_slot_and_dust_takes_none() -> None:
    story = bounded(SPOT, max_positions=2)
    story.cheapened()
    story.opened("0.1", stop=None)
    assert story.buy("0.1", stop=None).ok
    assert said(story.buy("0.1", stop=None)) == {"MAX_POSITIONS": ("2", "2")}


@pytest.mark.parametrize(("bound", "admitted"), [("0.005", True), ("0.0049", False)])
@pytest.mark.parametrize("side", list(Side))
def test_half_the_spread_is_slippage_that_is_known_before(
    bound: str, admitted: bool, side: Side
) -> None:
    story = bounded(max_slippage=D(bound))
    story.price(BTC, "59700", "60300")
    expected = {} if admitted else {"SLIPPAGE": ("0.500%", "0.49%")}
    assert said(story.buy("0.5", side=side, stop=None)) == expected
    assert story.buy("0.5", side=side, type=LIMIT, price=D(60_000), stop=None).ok, (
        "what rests crosses no spread"
    )


@pytest.mark.parametrize(
    ("side", "size", "offered"),
    [
        (Side.BUY, "1.5", None),
        (Side.BUY, "1.5001", "the 3 displayed"),
        (Side.SELL, "2", None),
        (Side.SELL, "2.0001", "the 4 displayed"),
    ],
)
def test_an_entry_takes_no_more_than_its_share_of_what_is_displayed(
    side: Side, size: str, offered: str | None
) -> None:
    story = bounded(max_book_share=D("0.5"))
    story.board.on_quote(Quote(BTC, story.now, D(60_000), D(4), D(60_000), D(3)))
    expected = {} if offered is None else {"BOOK_SHARE": (size, f"0.5 times {offered}")}
    assert said(story.buy(size, side=side, stop=None)) == expected


@pytest.mark.parametrize(
    ("terms", "asked"),
    [
        ({"type": LIMIT, "price": D(45_000)}, None),
        ({"type": LIMIT, "price": D("44999.9")}, "44999.9"),
        ({"type": STOP, "trigger": D(75_000)}, None),
        ({"type": STOP, "trigger": D("75000.1")}, "75000.1"),
        ({"type": LIMIT, "price": D(75_000), "side": Side.SELL}, None),
        ({"type": LIMIT, "price": D("75000.1"), "side": Side.SELL}, "75000.1"),
    ],
)
def test_a_limit_or_trigger_is_at_most_a_quarter_away(
    terms: dict[str, Any], asked: str | None
) -> None:
    answer = bounded().buy("0.1", stop=None, **terms)
    assert said(answer) == ({} if asked is None else {"LIMIT_TOO_FAR": (asked, "25% of 60000")})


def test_a_market_entry_is_not_judged_by_its_distance() -> None:
    assert (
        bounded(max_limit_distance=D("0.000001"), max_slippage=D("0.01")).buy("0.5", stop=None).ok
    )


@pytest.mark.parametrize(
    ("size", "refused"),
    [
        ("0.00005", {}),
        ("0.00004999", {"SIZE_BELOW_MINIMUM": ("0.00004999 BTC/USD", "0.00005")}),
        ("0.000000001", {}),
    ],
)
def test_the_smallest_size_is_admitted_and_the_next_smaller_is_not(
    size: str, refused: dict[str, tuple[str, str]]
) -> None:
    answer = bounded(SPOT).buy(size, stop=None)
    if size == "0.000000001":
        assert codes([answer]) == {"SIZE_BELOW_MINIMUM"}, "rounded down to nothing"
    else:
        assert said(answer) == refused


def test_nothing_is_too_small_even_where_there_is_no_minimum() -> None:
    profile = load_profile(FUTURES)
    story = bounded(
        profile, listed=(replace(instrument_for(profile, BTC, D("0.1")), min_size=D(0)),)
    )
    assert said(story.buy("0.00001", stop=None)).keys() == {"SIZE_BELOW_MINIMUM"}
    assert story.buy("0.0001", stop=None).ok


@pytest.mark.parametrize(("price", "refused"), [("250", False), ("249.99", True)])
def test_the_smallest_cost_is_admitted_and_the_next_smaller_is_not(
    price: str, refused: bool
) -> None:
    story = bounded(SPOT)
    story.price(ETH, price, price)
    answer = story.buy("0.002", symbol=ETH, stop=None)
    assert said(answer) == ({"COST_BELOW_MINIMUM": ("0.49998", "0.5 USD")} if refused else {})


# Sides


@pytest.mark.parametrize(
    ("terms", "refused"),
    [
        ({"stop": i.At(D(60_000))}, {"STOP_WOULD_FIRE": ("60000", "60000")}),
        ({"stop": i.At(D("59999.9"))}, {}),
        ({"stop": i.At(D("60000.1"))}, {"STOP_WRONG_SIDE": ("60000.1", "the entry at 60000.1")}),
        (
            {"side": Side.SELL, "stop": i.At(D("60000.1"))},
            {"STOP_WOULD_FIRE": ("60000.1", "60000.1")},
        ),
        ({"side": Side.SELL, "stop": i.At(D("60000.2"))}, {}),
        (
            {"side": Side.SELL, "stop": i.At(D(60_000))},
            {"STOP_WRONG_SIDE": ("60000", "the entry at 60000")},
        ),
        (
            {"target": i.At(D("60000.1"))},
            {"TARGET_WRONG_SIDE": ("60000.1", "the entry at 60000.1")},
        ),
        ({"target": i.At(D("60000.2"))}, {}),
        (
            {"side": Side.SELL, "target": i.At(D(60_000))},
            {"TARGET_WRONG_SIDE": ("60000", "the entry at 60000")},
        ),
        ({"side": Side.SELL, "target": i.At(D("59999.9"))}, {}),
        ({"type": STOP, "trigger": D("60000.1")}, {"TRIGGER_WRONG_SIDE": ("60000.1", "60000.1")}),
        ({"type": STOP, "trigger": D("60000.2")}, {}),
        (
            {"type": STOP, "side": Side.SELL, "trigger": D(60_000)},
            {"TRIGGER_WRONG_SIDE": ("60000", "60000")},
        ),
        ({"type": STOP, "side": Side.SELL, "trigger": D("59999.9")}, {}),
        ({"type": LIMIT, "price": D(59_000), "stop": i.At(D("58999.9"))}, {}),
    ],
)
def test_stop_entry_target_and_market_stand_in_their_order(
    terms: dict[str, Any], refused: dict[str, tuple[str, str]]
) -> None:
    story = Story(FUTURES)
    assert said(story.buy("0.5", **{"stop": None, **terms})) == refused


def test_a_trigger_that_no_stop_entry_waits_for_is_not_judged() -> None:
    story = bounded()
    assert story.buy("0.5", type=LIMIT, price=D(59_000), trigger=D(59_000), stop=None).ok


def test_a_trigger_is_brought_to_the_nearest_tick() -> None:
    story = bounded()
    assert story.buy("0.5", type=STOP, trigger=D("61000.06"), stop=None).ok
    entry = story.order("entry")
    assert (entry.trigger, entry.price) == (D("61000.1"), D("61305.0")), (
        "and its bound is half a per cent above what was asked, on the tick"
    )


# Shorts, leverage, neighbours


@pytest.mark.parametrize(
    ("leverage", "refused"), [("5", {}), ("5.1", {"LEVERAGE_TOO_HIGH": ("5.1", "5")})]
)
def test_leverage_is_at_most_the_instruments(
    leverage: str, refused: dict[str, tuple[str, str]]
) -> None:
    assert said(bounded(SPOT).buy("0.5", stop=None, leverage=D(leverage))) == refused


def test_the_other_side_of_a_symbol_is_named_by_its_label() -> None:
    story = bounded()
    unnamed = story.opened("0.5", stop=None)
    assert said(story.buy("0.5", side=Side.SELL, stop=None)) == {
        "OPPOSITE_POSITION": (unnamed.id, "")
    }
    story.opened("1", symbol=ETH, price="3000", stop=None, label="swing", side=Side.SELL)
    assert said(story.buy("1", symbol=ETH, stop=None)) == {"OPPOSITE_POSITION": ("swing", "")}


def test_a_neighbour_that_is_being_closed_is_waited_for_where_exits_reduce_the_whole_symbol() -> (
    None
):
    story = bounded()
    position = story.opened("0.5", label="swing")
    assert story.buy("0.1", stop=None).ok
    assert story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.5"))).ok
    assert said(story.buy("0.1", stop=None)) == {"PENDING": ("swing", "")}
    assert story.buy("1", symbol=ETH, stop=None).ok
    story = bounded(SPOT)
    position = story.opened("0.5")
    assert story.ask(i.ClosePosition(id="c", position=position.id)).ok
    assert story.buy("0.1", stop=None).ok, "spot exits take only what they reserve"


def _bracketed() -> Story:
    """Half a bitcoin with a stop and a target for all of it, neither confirmed yet."""
    story = bounded()
    assert story.buy("0.5", target=i.Away(D("0.02")), label="swing").ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    return story


def test_a_neighbours_exits_that_exceed_it_are_waited_for_until_they_are_settled() -> None:
    story = _bracketed()
    assert said(story.buy("0.1", stop=None)) == {"PENDING": ("swing", "")}
    story.accept(story.order("stop"))
    assert said(story.buy("0.1", stop=None)) == {"PENDING": ("swing", "")}, (
        "one of them is still on its way"
    )
    target = story.order("target")
    story.accept(target)
    story.tell(r.Unknown(target.client_order_id, "amend", "no answer", story.now))
    assert said(story.buy("0.1", stop=None)) == {"PENDING": ("swing", "")}, (
        "one of them is in doubt"
    )


def test_a_neighbours_exits_that_are_settled_or_fit_are_not_waited_for() -> None:
    story = _bracketed()
    for role in ("stop", "target"):
        story.accept(story.order(role))
    assert story.buy("0.1", stop=None).ok
    story = bounded()
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    assert not story.order("stop").is_working
    assert story.buy("0.1", stop=None).ok, "its stop takes what it holds and no more"


# Funds


def test_a_spot_buy_is_paid_in_full_with_its_fee() -> None:
    story = bounded(SPOT, cash="30120")
    assert story.buy("0.5", stop=None).ok, "30000 and 0.4 % of it"
    story = bounded(SPOT, cash="30119.99")
    assert said(story.buy("0.5", stop=None)) == {
        "INSUFFICIENT_FUNDS": ("30120.00 USD", "30119.99 USD")
    }


def test_what_entries_have_reserved_is_not_free() -> None:
    story = bounded(SPOT, cash="100000")
    story.opened("0.1")
    assert story.buy("1", type=LIMIT, price=D(59_000), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.5", price="59000")
    # 100000, less 6000 and 29500 spent, less 29500 that the rest of the entry may take; the stop
    # takes no money
    assert said(story.buy("0.7", stop=None)) == {
        "INSUFFICIENT_FUNDS": ("42168.00 USD", "35000.00 USD")
    }
    assert story.buy("0.5", stop=None, leverage=D(2)).ok, "borrowed"
    story.cancelled(story.now_of(entry))
    assert said(story.buy("0.7", stop=None)) == {
        "INSUFFICIENT_FUNDS": ("42168.00 USD", "34350.00 USD")
    }, "64500 less the 30150 of the market entry"


def test_sales_and_other_currencies_reserve_nothing() -> None:
    profile = load_profile(SPOT)
    listed = tuple(
        instrument_for(profile, symbol, D("0.00000001")) for symbol in (BTC, ETH, "XRP/BTC")
    )
    story = bounded(profile, cash="50000", listed=listed)
    assert story.buy("5", symbol=ETH, side=Side.SELL, type=LIMIT, price=D(3_000), stop=None).ok
    story.state.cash["BTC"] = D(1)
    story.price("XRP/BTC", "0.00001", "0.00001")
    assert story.buy("10000", symbol="XRP/BTC", type=LIMIT, price=D("0.00001"), stop=None).ok
    assert said(story.buy("0.9", stop=None)) == {
        "INSUFFICIENT_FUNDS": ("54216.00 USD", "50000.00 USD")
    }
    assert story.buy("0.8", stop=None).ok


def test_a_sale_needs_no_funds() -> None:
    assert bounded(SPOT, cash="30000").buy("0.5", side=Side.SELL, stop=None).ok


# Orders


def test_a_bracket_needs_room_for_three_orders_in_its_symbol() -> None:
    profile = replace(load_profile(FUTURES), max_open_orders=4)
    story = bounded(profile)
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    assert said(story.buy("0.1", type=LIMIT, price=D(59_000))) == {
        "TOO_MANY_OPEN_ORDERS": ("2", "4, less three for the bracket")
    }
    assert story.buy("1", symbol=ETH, type=LIMIT, price=D(2_900)).ok, "each symbol has its own"


# Numbers


@pytest.mark.parametrize(
    ("terms", "refused"),
    [
        ({"stop": i.Away(D(1))}, "stop 1"),
        ({"target": i.Away(D(1)), "side": Side.SELL}, "target 1"),
        (
            {
                "stop": i.Away(D("0.99")),
                "type": LIMIT,
                "price": D(59_000),
                "size": i.Base(D("0.001")),
            },
            "",
        ),
        ({"target": i.Away(D(1))}, ""),
        ({"stop": i.Away(D(1)), "side": Side.SELL, "size": i.Base(D("0.1"))}, ""),
        ({"target": i.At(D(120_000))}, ""),
    ],
)
def test_a_distance_downwards_is_less_than_all_of_the_price(
    terms: dict[str, Any], refused: str
) -> None:
    answer = bounded().buy(**{"size": i.Base(D("0.5")), "stop": None, **terms})
    assert said(answer) == ({"NOT_A_NUMBER": (refused, "a fraction below 1")} if refused else {})


@pytest.mark.parametrize(
    ("terms", "refused"),
    [
        ({"type": LIMIT}, {"PRICE_MISSING": ("limit", "a price")}),
        ({"type": STOP}, {"PRICE_MISSING": ("stop", "a trigger")}),
        ({"type": LIMIT, "price": D(0)}, {"NOT_A_NUMBER": ("price 0", "a number above zero")}),
        ({"type": STOP, "trigger": D(-1)}, {"NOT_A_NUMBER": ("trigger -1", "a number above zero")}),
        ({"leverage": D("1E+30")}, {"NOT_A_NUMBER": ("leverage 1E+30", "a number above zero")}),
        ({"stop": i.At(D(-5))}, {"NOT_A_NUMBER": ("stop -5", "a number above zero")}),
        ({"target": i.At(D(0))}, {"NOT_A_NUMBER": ("target 0", "a number above zero")}),
        ({"size": i.Base(D(-1))}, {"NOT_A_NUMBER": ("-1", "a size above zero")}),
        ({"symbol": "NO/SUCH"}, {"UNKNOWN_SYMBOL": ("NO/SUCH", "BTC/USD, ETH/USD, XRP/BTC")}),
        ({"symbol": "XRP/BTC"}, {"NO_PRICE": ("XRP/BTC", "")}),
    ],
)
def test_what_can_not_be_calculated_with_is_named(
    terms: dict[str, Any], refused: dict[str, tuple[str, str]]
) -> None:
    assert said(bounded().buy(**{"stop": None, **terms})) == refused


def test_an_entry_of_another_kind_needs_no_trigger_and_no_price() -> None:
    story = bounded()
    assert story.buy("0.1", stop=None).ok
    assert story.buy("0.1", type=LIMIT, price=D(59_000), stop=None).ok
    assert story.buy("0.1", type=STOP, trigger=D(61_000), stop=None).ok
    assert [(order.price, order.trigger) for order in story.orders("entry")] == [
        (D(60_300), None),
        (D(59_000), None),
        (D(61_305), D(61_000)),
    ]
    assert {order.role for order in story.orders("entry")} == {Role.ENTRY}
