"""Closing: all of it or a part, while a stop fires, over-closed, reversed, down to dust; never more
than is held.
"""

from decimal import Decimal

import pytest

from engine.desk import events as e
from engine.desk.rules import ProtectionRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.order import OrderType, Status
from engine.model.position import Protection
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, ETH, START, Story

D = Decimal


@pytest.mark.hazard("H33")
def test_a_close_on_spot_waits_for_the_stop_to_let_go() -> None:
    story = Story()
    position = story.opened(label="swing")
    assert story.ask(i.ClosePosition(id="c", position="swing")).ok, "by its label"
    stop = story.order("stop")
    assert stop.cancel_pending
    assert not story.orders("close")
    story.fill(stop, "0.2", "59400")
    story.cancelled(stop)
    close = story.order("close")
    assert close.size == D("0.3")
    story.fill(close)
    assert story.closed().id == position.id
    assert story.closed().exit_size == D("0.5")
    story.replays()


@pytest.mark.hazard("H33")
def test_a_close_while_the_stop_fires_sells_once() -> None:
    story = Story()
    story.opened()
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    stop = story.order("stop")
    story.fill(stop, price="59400")
    assert not story.orders("close")
    assert (story.closed().size, story.closed().close_reason) == (D(0), "stop")
    story.tell(r.CancelRejected(stop.client_order_id, "EOrder:Unknown order", story.now, gone=True))
    assert not story.state.doubts


@pytest.mark.hazard("H34")
def test_where_exits_reduce_only_a_close_goes_at_once() -> None:
    story = Story("kraken-futures")
    story.opened(target=i.Away(D("0.02")))
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    close = story.order("close")
    assert (close.reduce_only, close.size, close.time_in_force.value) == (True, D("0.5"), "ioc")
    story.fill(close)
    for order in story.orders("stop") + story.orders("target"):
        assert order.cancel_pending
        story.cancelled(order)
    assert story.closed().close_reason == "operator"


def test_a_part_is_closed_and_the_stop_shrinks() -> None:
    story = Story()
    position = story.opened()
    assert story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.4"))).ok
    assert story.sent(Amend)[-1].size == D("0.3")
    assert not story.orders("close"), "the coins are still reserved"
    story.amended(story.order("stop"))
    close = story.order("close")
    assert close.size == D("0.2")
    story.fill(close)
    assert story.position().size == story.order("stop").remaining == D("0.3")
    assert story.position().protection is Protection.VENUE
    assert story.ask(i.ClosePosition(id="d", position=position.id, part=D("0.5"))).ok
    story.replays()


def _bounds(story: Story, falls: str) -> list[Decimal | None]:
    """The bounds of five closes in a row that end unfilled, while the price stands at `falls`."""
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    bounds = []
    for _ in range(5):
        close = story.order("close")
        bounds.append(close.price)
        story.accept(close)
        story.price(BTC, falls)
        story.cancelled(close, "IOC")
        story.price(BTC, "60000")
        story.wait(6)
    return bounds


@pytest.mark.hazard("H23")
@pytest.mark.hazard("H82")
def test_a_close_widens_its_bound_where_the_market_went_beyond_it() -> None:
    assert _bounds(Story("kraken-futures"), "20000") == [
        D("59400.0"),
        D("58200.0"),
        D("54600.0"),
        D("43800.0"),
        D("30000.0"),
    ]


@pytest.mark.hazard("H82")
def test_a_close_keeps_its_bound_where_the_price_was_not_the_reason() -> None:
    story = Story("kraken-futures")
    assert _bounds(story, "60000") == [D("59400.0")] * 5
    assert "CLOSE_UNFILLED" in story.standing()


@pytest.mark.hazard("H82")
def test_only_a_setting_drops_the_bound() -> None:
    story = Story("kraken-futures", Rules(protection=ProtectionRules(any_price=True)))
    assert _bounds(story, "20000") == [D("59400.0"), D("58200.0"), D("54600.0"), None, None]


def test_closes_that_end_unfilled_come_farther_and_farther_apart() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    pauses = []
    for _ in range(7):
        close = story.order("close")
        story.accept(close)
        story.cancelled(close, "no liquidity")
        began = story.now
        assert not story.orders("close"), "a close that found nobody is not sent again at once"
        while not story.orders("close"):
            story.wait(0.05)
        pauses.append(round((story.now - began) / 1_000_000_000, 2))
    assert pauses == [0.25, 0.5, 1, 2, 4, 5, 5]
    story.fill(story.order("close"), "0.1")
    assert story.position().unfilled == 7
    story.cancelled(story.order("close"), "no liquidity")
    assert story.position().unfilled == 0, "it met somebody"


def test_a_refused_close_is_tried_again_and_is_stuck_in_the_end() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.rejected(story.order("close"), "EService:Busy")
    assert not story.orders("close")
    story.wait(1.1)
    assert len(story.orders("close")) == 1
    story.wait(30)
    assert "CLOSE_STUCK" in story.standing()
    story.fill(story.order("close"))
    assert "CLOSE_STUCK" not in story.standing()


def test_a_close_without_a_fresh_price_has_the_widest_bound() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.now += 61 * 1_000_000_000
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert story.order("close").price == D(30_000)


@pytest.mark.hazard("H34")
def test_closing_ends_what_is_left_of_the_entry() -> None:
    story = Story()
    story.buy("0.5", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    story.accept(story.order("stop"))
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert {request.client_order_id for request in story.sent(Cancel)} == {
        entry.client_order_id,
        story.order("stop").client_order_id,
    }
    story.cancelled(entry)
    story.cancelled(story.order("stop"))
    story.fill(story.order("close"))
    assert not story.state.orders
    assert story.closed().size == 0


@pytest.mark.parametrize("told", [False, True])
def test_an_entry_that_fills_after_its_position_was_closed_is_never_naked_in_silence(
    told: bool,
) -> None:
    """Until the venue has told its end it leaves with the rest; afterwards it is a new one."""
    story = Story("kraken-futures")
    story.buy("0.5", type=OrderType.LIMIT, price=D(60_000), stop=None)
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.fill(story.order("close"))
    if told:
        story.cancelled(entry)
    story.fill(entry, "0.3")
    story.holds()
    assert story.position().size == D("0.3")
    assert story.position().closing == (0 if told else D("0.3"))
    assert ("NAKED" in story.standing()) is told


@pytest.mark.hazard("H32")
@pytest.mark.parametrize("side", list(Side))
def test_an_over_close_is_undone_at_once(side: Side) -> None:
    story = Story("kraken-futures")
    story.opened(side=side, target=i.Away(D("0.02")))
    stop, target = story.order("stop"), story.order("target")
    story.fill(stop, price="59400" if side is Side.BUY else "60600")
    assert target.client_order_id in {request.client_order_id for request in story.sent(Cancel)}
    story.fill(target, price="61200" if side is Side.BUY else "58800")
    assert "OVER_CLOSED" in story.standing()
    assert not story.orders("close"), "the venue has not said so yet"
    story.witness()
    repair, submit = story.order("close"), story.sent(Submit)[-1]
    assert (submit.lane, repair.side, repair.size, repair.reduce_only) == (
        Lane.EMERGENCY,
        side,
        D("0.5"),
        True,
    )
    story.rejected(repair)
    assert not story.orders("close")
    story.wait(1.1)
    assert not story.orders("close"), "the venue has not said since that it is owed"
    story.witness()
    story.fill(story.order("close"))
    assert not story.state.positions
    assert "OVER_CLOSED" not in story.standing()
    story.replays()


def test_an_excess_too_small_to_undo_ends_as_dust() -> None:
    story = Story()
    story.opened("0.001")
    story.fill(story.order("stop"), "0.00101", "59400")
    assert "OVER_CLOSED" in story.told()
    assert not story.state.positions
    assert not story.state.dust, "coins are cash"


@pytest.mark.hazard("H29")
def test_dust_is_said_once_and_left() -> None:
    story = Story()
    story.buy("0.001", type=OrderType.LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.00001")
    assert not story.orders("stop"), "it may grow yet"
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.cancelled(entry)
    assert "DUST" in story.standing()
    assert story.closed().size == D("0.00001")
    assert not story.state.positions
    sent = len(story.sent(Submit))
    story.wait(5)
    assert len(story.sent(Submit)) == sent
    assert story.views.account(story.ctx).naked == 0
    assert story.buy("0.1", symbol=ETH).ok
    story.replays()


@pytest.mark.hazard("H29")
def test_what_an_exit_leaves_below_the_minimum_ends_the_position() -> None:
    story = Story()
    story.opened("0.001")
    stop = story.order("stop")
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.cancelled(stop)
    close = story.order("close")
    story.fill(close, "0.00098")
    story.cancelled(close, "IOC")
    assert not story.state.positions
    assert not story.state.dust, "coins are cash"
    story.picture()
    assert "DIFFERENCE" not in story.standing()


@pytest.mark.hazard("H52")
def test_a_fee_in_base_makes_the_position_smaller_and_the_exit_fits() -> None:
    story = Story("binance-spot")
    story.buy("0.5")
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, fee="0.0005", currency="BTC")
    assert (
        story.position().size == story.order("stop").size == story.state.cash["BTC"] == D("0.4995")
    )


def test_reverse_opens_the_other_side_once_flat() -> None:
    story = Story("kraken-futures")
    position = story.opened(target=i.Away(D("0.02")), label="swing", tags=("a",))
    assert story.ask(i.Reverse(id="r", position=position.id)).ok
    story.fill(story.order("close"))
    assert not story.orders("entry"), "first all orders of the old one end"
    for order in (*story.orders("stop"), *story.orders("target")):
        story.cancelled(order)
    entry = story.order("entry")
    assert (entry.side, entry.size, entry.label) == (Side.SELL, D("0.5"), "swing")
    story.accept(entry)
    story.fill(entry)
    held = story.position()
    assert (held.stop, held.target, held.tags) == (D("60600.0"), D("58800.0"), ("a",))
    story.replays()


def test_a_reversal_ends_where_its_entry_is_refused() -> None:
    story = Story("kraken-futures")
    position = story.opened(stop=None)
    story.ask(i.Reverse(id="r", position=position.id))
    story.ask(i.Pause(id="p"))
    story.fill(story.order("close"))
    assert not story.state.reverses
    assert not story.state.positions
    assert any(line.startswith("refused: entries are blocked") for line in story.spoken)


def test_a_short_that_is_reversed_becomes_long() -> None:
    story = Story()
    position = story.opened(side=Side.SELL, stop=None)
    assert story.ask(i.Reverse(id="r", position=position.id)).ok
    story.fill(story.order("close"))
    assert story.order("entry").side is Side.BUY


def test_cancelling_an_exit_by_hand_is_a_wish_about_the_position() -> None:
    story = Story("kraken-futures")
    story.opened(target=i.Away(D("0.02")))
    target, stop = story.order("target"), story.order("stop")
    assert story.ask(i.CancelOrder(id="c", order=target.client_order_id)).ok
    assert story.position().target is None
    story.cancelled(target)
    assert story.ask(i.CancelOrder(id="d", order=stop.client_order_id)).ok
    story.cancelled(stop)
    assert not story.state.orders
    assert story.position().protection is Protection.NAKED


def test_amending_orders_by_hand() -> None:
    story = Story("kraken-futures")
    story.opened(target=i.Away(D("0.02")))
    target, stop = story.order("target"), story.order("stop")
    assert story.ask(i.AmendOrder(id="a", order=target.client_order_id, price=D(61_000))).ok
    assert story.position().target == D(61_000)
    assert story.ask(i.AmendOrder(id="b", order=stop.client_order_id, price=D(59_500))).ok
    assert story.position().stop == D(59_500)
    story.buy("0.1", symbol=ETH, type=OrderType.STOP, trigger=D(3100), stop=None)
    entry = story.order("entry")
    story.accept(entry)
    assert story.ask(i.AmendOrder(id="c", order=entry.client_order_id, price=D(3200))).ok
    amend = story.sent(Amend)[-1]
    assert (amend.trigger, amend.price, amend.lane) == (D(3200), D(3216), Lane.ENTRY)
    story.amended(entry)
    story.tell(r.Triggered(entry.client_order_id, story.now))
    assert story.ask(i.AmendOrder(id="d", order=entry.client_order_id, price=D(3220))).ok
    assert (story.sent(Amend)[-1].trigger, story.sent(Amend)[-1].price) == (None, D(3220))


def test_cancelling_entries_by_symbol_and_all_leaves_exits() -> None:
    story = Story()
    story.opened()
    for symbol, price in ((BTC, 59_000), (ETH, 2_900)):
        assert story.buy("0.1", symbol=symbol, type=OrderType.LIMIT, price=D(price)).ok
    assert story.ask(i.CancelSymbol(id="a", symbol=ETH)).ok
    assert [request.symbol for request in story.sent(Cancel)] == [ETH]
    assert story.ask(i.CancelAll(id="b")).ok
    assert [request.symbol for request in story.sent(Cancel)] == [ETH, BTC]
    assert not story.order("stop").cancel_pending


@pytest.mark.hazard("H11")
def test_every_intent_asked_twice_is_done_once() -> None:
    story = Story("kraken-futures")
    opening = i.OpenBracket(
        id="open",
        symbol=BTC,
        side=Side.BUY,
        size=i.Base(D("0.5")),
        stop=i.Away(D("0.01")),
        target=i.Away(D("0.02")),
    )
    name = story.ask(opening).created
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    for order in (*story.orders("stop"), *story.orders("target")):
        story.accept(order)
    story.buy("0.1", symbol=ETH, type=OrderType.LIMIT, price=D(2900))
    resting = story.order("entry")
    story.accept(resting)
    asked: list[i.AnyIntent] = [
        opening,
        i.MoveStop(id="stop", position=name, stop=i.At(D(59_500))),
        i.MoveTarget(id="target", position=name, target=i.At(D(61_500))),
        i.SetTrail(id="trail", position=name, trail=None),
        i.BreakEven(id="even", position=name),
        i.Annotate(id="note", position=name, note="n", tags=("t",)),
        i.AmendOrder(id="amend", order=resting.client_order_id, price=D(2950)),
        i.CancelOrder(id="cancel", order=resting.client_order_id),
        i.CancelSymbol(id="symbol", symbol=ETH),
        i.CancelAll(id="all"),
        i.Pause(id="pause"),
        i.Resume(id="resume"),
        i.GoLive(id="live", account="paper"),
        i.Halt(id="halt"),
        i.SetPriceAlert(id="price", symbol=BTC, price=D(70_000)),
        i.CancelPriceAlert(id="none", alert="price"),
        i.LeaveAt(id="leave", position=name, part=D("0.2"), price=D(62_000)),
        i.Acknowledge(id="ack", alert="none"),
        i.Reconcile(id="reconcile"),
        i.Resolve(id="resolve", subject="none", action=i.Settlement.ADOPT),
        i.ClosePosition(id="close", position=name),
        i.Reverse(id="reverse", position=name),
        i.Flatten(id="flatten"),
        i.Withdraw(id="withdraw", asked="never asked"),
    ]
    assert {type(intent) for intent in asked} == set(i.AnyIntent.__args__)
    for intent in asked:
        first = story.state.answers["open"] if intent is opening else story.ask(intent)
        before = story.state.seq
        again = story.tell(intent)
        assert again.answer is not None
        assert again.answer.repeated
        assert (again.answer.refusals, again.answer.created, again.answer.text) == (
            first.refusals,
            first.created,
            first.text,
        )
        assert (again.events, again.requests, story.state.seq) == ((), (), before)


def test_notes_and_tags_are_kept_on_open_and_closed() -> None:
    story = Story("kraken-futures")
    position = story.opened(stop=None, note="why")
    story.ask(i.Annotate(id="a", position=position.id, note="because", tags=("x",)))
    assert (story.position().note, story.position().tags) == ("because", ("x",))
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"))
    story.ask(i.Annotate(id="b", position=position.id, note="lesson"))
    assert story.closed().note == story.views.closed(story.ctx)[0].note == "lesson"


@pytest.mark.hazard("H50")
def test_profit_is_counted_once_and_net_of_fees() -> None:
    story = Story("kraken-futures")
    position = story.opened()
    story.ask(i.ClosePosition(id="c", position=position.id))
    fill = story.fill(story.order("close"), price="61000", fee="15.25")
    story.cancelled(story.order("stop"))
    story.tell(r.Filled(fill, story.now))
    assert story.state.totals.realised == {"USD": D("484.75")}
    assert story.views.closed(story.ctx)[0].r == D("484.75") / D("314.85"), (
        "of 300, and a fee of 14.85 at the stop"
    )
    assert story.state.cash["USD"] == D(1_000_000) + D("484.75")


def test_an_inverse_contract_pays_in_its_base() -> None:
    profile = load_profile("kraken-futures")
    story = Story(
        profile,
        listed=(
            instrument_for(profile, "PI_XBTUSD", D("0.5")),
            instrument_for(profile, BTC, D("0.1")),
        ),
    )
    story.price("PI_XBTUSD", "60000", "60000.5")
    story.price(BTC, "60000")
    position = story.opened("6000", symbol="PI_XBTUSD")
    assert position.settle == "BTC"
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.fill(story.order("close"), price="62500")
    story.cancelled(story.order("stop"))
    assert story.state.totals.realised == {"BTC": D("0.004")}


def test_a_liquidation_is_booked_once_and_oldest_first() -> None:
    story = Story("kraken-futures")
    story.opened("0.2")
    story.opened("0.3")
    fill = Fill(
        "L1", "venue", BTC, Side.SELL, D(50_000), D("0.4"), D("4"), "USD", Liquidity.TAKER, START
    )
    for _ in range(2):
        story.tell(r.Liquidated(BTC, fill, story.now))
    assert "LIQUIDATED" in story.standing()
    assert [position.size for position in story.state.positions.values() if position.is_open] == [
        D("0.1")
    ]
    assert len(story.seen(e.PositionLiquidated)) == 2
    for order in list(story.state.orders.values()):
        if order.cancel_pending:
            story.cancelled(order)
    assert next(iter(story.state.closed.values())).close_reason == "liquidated"
    story.replays()


@pytest.mark.hazard("H32")
def test_siblings_on_a_netting_venue_never_rest_more_than_they_hold() -> None:
    story = Story("kraken-futures")
    story.opened("0.2", target=i.Away(D("0.02")))
    assert story.orders("target")
    story.opened("0.3", target=i.Away(D("0.03")))
    for order in story.orders("target"):
        assert order.cancel_pending
        story.cancelled(order)
    assert not story.orders("target"), "two positions share the symbol: targets are watched here"
    assert {order.size for order in story.orders("stop")} == {D("0.2"), D("0.3")}
    first = next(iter(story.state.positions.values()))
    story.fill(
        next(order for order in story.state.orders_for(first.id) if order.role.value == "stop"),
        price="59400",
    )
    assert len(story.orders("target")) == 1, "alone again"


def test_an_order_that_is_filled_cannot_be_cancelled() -> None:
    story = Story()
    story.opened()
    stop = story.order("stop")
    story.fill(stop, price="59400")
    story.cancelled(stop)
    assert story.now_of(stop).status is Status.FILLED
