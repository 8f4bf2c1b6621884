"""Bracket entries: market, limit and stop, sized by base, notional or risk, with places as prices
or percentages.
"""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk.rules import RiskRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType, Status, TimeInForce
from engine.model.position import Protection
from engine.model.request import Cancel, Lane, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP


def test_a_market_entry_is_bounded_and_immediate() -> None:
    story = Story()
    assert story.buy("0.5").ok
    submit = story.sent(Submit)[-1]
    entry = submit.order
    assert submit.lane is Lane.ENTRY
    assert (entry.type, entry.time_in_force, entry.size) == (
        OrderType.MARKET,
        TimeInForce.IOC,
        D("0.5"),
    )
    assert entry.price == D("60300.1"), "half a per cent above the ask, rounded down to the tick"
    assert entry.deadline == story.now + 5 * SECOND


def test_a_market_sell_is_bounded_below() -> None:
    story = Story()
    assert story.buy("0.5", side=Side.SELL).ok
    assert story.order("entry").price == D("59700.0")


def test_a_limit_entry_rests_at_its_price() -> None:
    story = Story()
    assert story.buy("0.5", type=LIMIT, price=D("59000.07"), post_only=True, label="dip").ok
    entry = story.order("entry")
    assert (entry.type, entry.price, entry.time_in_force) == (LIMIT, D("59000.0"), TimeInForce.GTC)
    assert entry.post_only
    assert entry.label == "dip"


@pytest.mark.parametrize(
    ("side", "trigger", "worst"), [(Side.BUY, "61000", "61305.0"), (Side.SELL, "59000", "58705.0")]
)
def test_a_stop_entry_is_bounded_once_it_triggers(side: Side, trigger: str, worst: str) -> None:
    story = Story()
    assert story.buy("0.5", type=STOP, side=side, trigger=D(trigger)).ok
    entry = story.order("entry")
    assert (entry.type, entry.trigger, entry.price) == (OrderType.STOP_LIMIT, D(trigger), D(worst))


@pytest.mark.hazard("H20")
def test_sizes_are_typed() -> None:
    sizes: list[tuple[i.Size, str]] = [
        (i.Base(D("0.123456789")), "0.12345678"),
        (i.Notional(D("6000.01")), "0.10000016"),
        # 1000 / (600 + 0.25 % of 60000, which rests, and 0.4 % of 59400)
        (i.Risk(D("1000")), "1.01255569"),
    ]
    for size, expected in sizes:
        story = Story()
        assert story.buy(size=size, type=LIMIT, price=D(60_000)).ok
        assert story.order("entry").size == D(expected)


def test_a_short_sized_by_risk_loses_that_at_its_stop() -> None:
    story = Story("kraken-futures")
    assert story.buy(
        side=Side.SELL, size=i.Risk(D(600)), type=LIMIT, price=D(60_000), stop=i.At(D(60_600))
    ).ok
    size = story.order("entry").size
    fees = size * (60_000 * D("0.0005") + 60_600 * D("0.0005"))
    assert size * 600 + fees <= 600 < (size + D("0.0001")) * 600 + fees + 1


@pytest.mark.parametrize(
    ("stop", "target", "at"),
    [
        (i.At(D(59_000)), i.At(D(62_000)), (D(59_000), D(62_000))),
        (i.Away(D("0.01")), i.Away(D("0.02")), (D(59_400), D(61_200))),
    ],
)
def test_stop_and_target_are_prices_or_distances_from_the_fill(
    stop: i.Place, target: i.Place, at: tuple[Decimal, Decimal]
) -> None:
    story = Story()
    position = story.opened(stop=stop, target=target)
    assert (position.stop, position.target) == at
    assert position.initial_stop == at[0]


@pytest.mark.hazard("H22")
def test_a_distance_is_measured_from_the_average_fill() -> None:
    story = Story()
    story.buy("0.5", stop=i.Away(D("0.01")))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.25", "60000")
    assert story.position().stop == D(59_400)
    story.fill(entry, "0.25", "60200")
    assert story.position().stop == D("59499.0"), "1 % below 60100"


def test_a_trail_from_the_entry_sets_the_first_stop() -> None:
    from engine.model.order import Trail

    story = Story()
    position = story.opened(stop=None, trail=Trail(amount=D(300)))
    assert position.trailing
    assert position.stop == D(59_700)
    assert story.order("stop").trigger == D(59_700)
    assert position.protection is Protection.VENUE


@pytest.mark.hazard("H05")
def test_the_stop_covers_what_is_filled_and_no_more() -> None:
    story = Story("kraken-futures")
    story.buy("0.5", type=LIMIT, price=D(60_000), target=i.Away(D("0.02")))
    entry = story.order("entry")
    story.accept(entry)
    assert not story.orders("stop")
    story.fill(entry, "0.2")
    stop, target = story.order("stop"), story.order("target")
    assert (stop.size, target.size) == (D("0.2"), D("0.2"))
    story.accept(stop)
    story.accept(target)
    story.fill(entry, "0.3")
    story.amended(stop)
    story.amended(target)
    assert (story.order("stop").size, story.order("target").size) == (D("0.5"), D("0.5"))
    story.holds()
    story.replays()


def test_an_amend_is_waited_for_and_then_covers_what_filled_meanwhile() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    for _ in range(3):
        story.fill(entry, "0.1")
    stop = story.order("stop")
    assert stop.size == D("0.1"), "it has not been accepted yet: nothing else is asked about it"
    story.accept(stop)
    story.amended(stop)
    assert story.order("stop").size == D("0.3")


@pytest.mark.hazard("H06")
def test_what_filled_before_a_cancel_stays_and_is_protected() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    assert story.ask(i.CancelOrder(id="c", order=entry.client_order_id)).ok
    story.cancelled(entry)
    assert story.now_of(entry).status is Status.CANCELLED
    assert story.position().size == story.order("stop").size == D("0.2")


def test_a_cancel_that_loses_the_race_ends_as_filled() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.fill(entry)
    story.tell(
        r.CancelRejected(entry.client_order_id, "EOrder:Unknown order", story.now, gone=True)
    )
    assert story.now_of(entry).status is Status.FILLED
    assert story.position().size == D("0.5")
    assert not story.state.doubts


@pytest.mark.hazard("H08")
def test_an_entry_expires_here_and_keeps_what_filled() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000), expires_in=30 * SECOND)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.1")
    story.accept(story.order("stop"))
    story.wait(29)
    assert not story.sent(Cancel)
    story.wait(2)
    assert story.sent(Cancel)[-1].client_order_id == entry.client_order_id
    story.cancelled(entry)
    assert story.now_of(entry).status is Status.EXPIRED
    assert story.position().size == D("0.1")
    story.replays()


def test_an_expiry_said_by_the_venue_drops_an_empty_bracket() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_000), expires_in=30 * SECOND)
    entry = story.order("entry")
    story.accept(entry)
    story.tell(r.Expired(entry.client_order_id, D(0), story.now))
    assert story.now_of(entry).status is Status.EXPIRED
    assert not story.state.positions
    assert story.spoken[-1] == "entry buy 0.5 BTC/USD expired with 0 filled"


@pytest.mark.hazard("H09")
def test_a_rejected_entry_leaves_its_reason() -> None:
    story = Story()
    story.buy("0.5")
    entry = story.order("entry")
    story.rejected(entry, "EOrder:Insufficient funds")
    known = story.now_of(entry)
    assert (known.status, known.reason) == (Status.REJECTED, "EOrder:Insufficient funds")
    assert "ORDER_REJECTED" in story.standing()
    assert not story.state.positions
    assert any("rejected: EOrder:Insufficient funds" in line for line in story.spoken)
    story.replays()


@pytest.mark.hazard("H24")
def test_two_entries_that_race_each_other_both_count() -> None:
    story = Story(rules=Rules(risk=RiskRules(max_positions=1)))
    assert story.buy("0.1").ok
    second = story.buy("0.1", symbol=ETH)
    assert [refusal.code for refusal in second.refusals] == ["MAX_POSITIONS"]


def test_a_pending_close_frees_no_slot_before_it_fills() -> None:
    story = Story(rules=Rules(risk=RiskRules(max_positions=1)))
    position = story.opened("0.1")
    assert story.ask(i.ClosePosition(id="c", position=position.id)).ok
    assert not story.buy("0.1", symbol=ETH).ok
    story.cancelled(story.order("stop"))
    story.fill(story.order("close"))
    assert story.buy("0.1", symbol=ETH).ok


def test_a_short_with_leverage_needs_no_cash() -> None:
    story = Story(cash="10000")
    assert story.buy("0.2", side=Side.SELL, leverage=D(3)).ok
    assert story.order("entry").leverage == D(3)
    story = Story(cash="10000")
    assert story.buy("0.2", leverage=D(3)).ok
    assert not Story(cash="10000").buy("0.2").ok


def test_cash_reserved_by_an_entry_is_spent_once() -> None:
    story = Story(cash="10000", rules=Rules(risk=RiskRules(max_open_risk=D(5))))
    assert story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    again = story.buy("0.1", type=LIMIT, price=D(59_000))
    assert [refusal.code for refusal in again.refusals] == ["INSUFFICIENT_FUNDS"]


def test_sizes_that_no_money_could_mean_are_refused() -> None:
    story = Story()
    terms: list[dict[str, Any]] = [
        {"price": D("NaN"), "type": LIMIT},
        {"trigger": D("-1"), "type": STOP},
        {"leverage": D(0)},
        {"target": i.Away(D("Infinity"))},
        {"stop": i.Away(D("1.5"))},
        {"side": Side.SELL, "target": i.Away(D("1.5"))},
        {"size": i.Notional(D("1E+40"))},
    ]
    for wanted in terms:
        assert [refusal.code for refusal in story.buy(**wanted).refusals] == ["NOT_A_NUMBER"], (
            wanted
        )
    assert not story.state.positions


def test_a_venue_without_deadlines_gets_none() -> None:
    story = Story(replace(Story().profile, deadline=False))
    story.buy()
    assert story.order("entry").deadline is None
    assert story.state.instruments[BTC].symbol == BTC
