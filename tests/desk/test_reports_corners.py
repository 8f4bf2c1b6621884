"""What a report changes, to the word; and what it does not: reports that are late, early, odd, or
about something else.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.reports import is_repeat
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, Query, QueryAccount
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"


def resting(story: Story, size: str = "0.5", symbol: str = BTC, price: int = 60_000) -> Order:
    assert story.buy(size, symbol=symbol, type=LIMIT, price=D(price)).ok
    entry = story.orders("entry")[-1]
    story.accept(entry)
    return entry


def pending(story: Story) -> Order:
    assert story.buy("0.5", type=LIMIT, price=D(60_000)).ok
    return story.order("entry")


def alerts(story: Story, code: str) -> list[tuple[str, str, str]]:
    every = (*story.state.alerts.values(), *story.state.ended_alerts)
    return [(alert.subject, alert.detail, alert.target) for alert in every if alert.code == code]


def standing(story: Story, code: str) -> set[str]:
    """What the alerts that stand are about."""
    return {alert.target for alert in story.state.alerts.values() if alert.code == code}


NAME = "entry buy 0.5 BTC/USD"

# Accepted and rejected


def test_an_acceptance_counts_once() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    for name in ("V1", "V2"):
        story.tell(r.Accepted(entry.client_order_id, name, story.now))
    assert story.seen(e.OrderAccepted) == [e.OrderAccepted(START, entry.client_order_id, "V1")]


def test_an_acceptance_ends_the_doubt_about_a_submit_and_no_other() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    story.accept(entry)
    assert (story.state.doubts, story.now_of(entry).in_doubt) == ({}, False)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    story.tell(r.Accepted(entry.client_order_id, "V9", story.now))
    assert list(story.state.doubts) == [entry.client_order_id]
    assert story.now_of(entry).venue_order_id == f"V{entry.client_order_id}"


def test_what_has_ended_is_not_accepted_any_more() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.cancelled(entry)
    seq = story.state.seq
    story.tell(r.Accepted(entry.client_order_id, "V9", story.now))
    assert (story.state.seq, story.sent(Cancel)) == (seq, [])


def test_what_was_given_up_and_arrived_is_told_and_cancelled() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    story.rejected(entry)
    story.accept(entry)
    assert alerts(story, "ILLEGAL_REPORT") == [
        (NAME, "accepted after it was given up", entry.client_order_id)
    ]
    assert story.seen(e.CancelAsked) == [
        e.CancelAsked(START, entry.client_order_id, Lane.CANCEL, "given up")
    ]


def test_a_rejection_is_told_with_its_words() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    story.rejected(entry, "EOrder:no")
    assert alerts(story, "ORDER_REJECTED") == [(NAME, "EOrder:no", entry.client_order_id)]
    assert story.seen(e.OrderRejected) == [
        e.OrderRejected(START, entry.client_order_id, "EOrder:no")
    ]


def test_a_rejection_of_what_works_is_told_and_asked_about() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.rejected(entry, "EOrder:no")
    assert alerts(story, "ILLEGAL_REPORT") == [
        (NAME, "rejected while open: EOrder:no", entry.client_order_id)
    ]
    assert story.state.doubts[entry.client_order_id].request == "submit"
    assert story.now_of(entry).status is Status.OPEN


def test_a_refused_entry_of_a_reversal_that_waits_ends_the_reversal() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    then = i.OpenBracket(id="then", symbol=BTC, side=Side.SELL, size=i.Base(D(1)))
    story.state.reverses[entry.position] = then
    story.cancelled(entry)
    assert story.seen(e.ReverseWanted) == [e.ReverseWanted(START, entry.position, None)]
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2")
    story.state.reverses[entry.position] = then
    story.cancelled(entry)
    assert story.seen(e.ReverseWanted) == [], "something is held: that is reversed"


# Fills


@pytest.mark.parametrize(
    ("price", "told"),
    [("63000.0525", False), ("63000.06", True), ("57000.0475", False), ("57000.04", True)],
)
def test_a_fill_more_than_a_twentieth_from_the_market_is_suspicious(price: str, told: bool) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, price=price)  # the middle is 60000.05
    expected = (
        [(NAME, f"{price} while the market is at 60000.05", entry.client_order_id)] if told else []
    )
    assert alerts(story, "SUSPICIOUS_FILL") == expected


def test_without_a_price_no_fill_is_suspicious() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    story.fill(entry, price="1")
    assert alerts(story, "SUSPICIOUS_FILL") == []
    assert story.position().size == D("0.5")


@pytest.mark.parametrize(("size", "told"), [("0.3", False), ("0.3001", True)])
def test_a_fill_of_more_than_was_left_is_told(size: str, told: bool) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2")
    story.fill(entry, size)
    assert alerts(story, "ILLEGAL_REPORT") == (
        [(NAME, "a fill of 0.3001 too many", entry.client_order_id)] if told else []
    )
    assert story.now_of(entry).status is Status.FILLED


def test_a_fill_within_an_amend_that_is_on_its_way_is_not_too_large() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2")
    stop = story.order("stop")
    story.accept(stop)
    story.fill(entry, "0.2")
    assert story.order("stop").asked_size == D("0.4")
    story.fill(story.order("stop"), "0.4", price="59400")
    assert alerts(story, "ILLEGAL_REPORT") == []


def test_a_fill_of_what_was_rejected_is_told_and_booked() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    late = story.fill_of(entry)
    story.rejected(entry)
    story.tell(r.Filled(late, story.now))
    assert alerts(story, "ILLEGAL_REPORT") == [
        (NAME, "a fill of 0.5 too many", entry.client_order_id)
    ]
    assert story.position().size == D("0.5")


def test_a_fee_is_valued_in_what_the_profit_is_paid_in() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.1", fee="3")
    story.fill(entry, "0.1", fee="0.0001", currency="BTC")
    story.fill(entry, "0.1", fee="0.001", currency="ETH")
    assert [event.fee_value for event in story.seen(e.OrderFilled)] == [D(3), D(6), D("3.00005")]
    assert alerts(story, "UNPRICED_FEE") == []
    story.fill(entry, "0.1", fee="7", currency="KFEE")
    assert story.seen(e.OrderFilled)[-1].fee_value == 0
    assert alerts(story, "UNPRICED_FEE") == [("KFEE", "", "")]


def test_a_fill_belongs_to_its_orders_position_whatever_it_says() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.tell(r.Filled(replace(story.fill_of(entry), position="somebody"), story.now))
    assert story.seen(e.OrderFilled)[0].fill.position == entry.position
    assert story.position().size == D("0.5")


@pytest.mark.parametrize("change", [{"side": Side.SELL}, {"symbol": ETH}])
def test_a_fill_that_contradicts_its_order_is_asked_about(change: dict[str, object]) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    fill = replace(story.fill_of(entry), **change)
    story.tell(r.Filled(fill, story.now))
    assert alerts(story, "ILLEGAL_REPORT") == [
        (NAME, f"a fill says {fill.side.value} {fill.symbol}", entry.client_order_id)
    ]
    assert [query.client_order_id for query in story.sent(Query)] == [entry.client_order_id]
    assert story.seen(e.OrderFilled) == []


# Terms


def test_terms_are_taken_where_they_are_newer() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    for at, price, stands in (
        (START + 5, 59_900, 59_900),
        (START + 5, 59_800, 59_900),
        (START + 4, 59_700, 59_900),
        (START + 6, 59_600, 59_600),
    ):
        story.tell(r.Amended(entry.client_order_id, D("0.5"), D(price), None, at))
        assert story.now_of(entry).price == stands
    story.cancelled(story.now_of(entry))
    story.tell(r.Amended(entry.client_order_id, D("0.5"), D(1), None, START + 9))
    assert story.now_of(entry).price == 59_600


@pytest.mark.parametrize("end", ["refused", "asked", "amended", "more"])
def test_an_order_that_a_change_may_make_larger_is_complete_once_nothing_can(end: str) -> None:
    """The venue may fill the larger size before it tells of the change, or after a crash that it
    never told of it (soak, seed 6200).
    """
    story = Story()
    entry = resting(story)
    story.fill(entry, "0.2")
    stop = story.order("stop")
    story.accept(stop)
    story.fill(entry, "0.2")
    assert story.now_of(stop).asked_size == D("0.4")
    if end == "asked":
        story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    story.fill(stop, "0.2", price="59400")
    assert (story.now_of(stop).status, story.now_of(stop).filled) == (
        Status.PARTIALLY_FILLED,
        D("0.2"),
    )
    match end:
        case "refused":
            story.tell(r.AmendRejected(stop.client_order_id, "EOrder:closed", story.now))
        case "asked":
            told = replace(stop, status=Status.FILLED, filled=D("0.2"), venue_order_id="V1")
            story.tell(r.Found(told, (), story.now))
        case "amended":
            story.tell(r.Amended(stop.client_order_id, D("0.2"), None, D(59_400), story.now))
        case _:
            story.fill(stop, "0.2", price="59400")
    size = D("0.4") if end == "more" else D("0.2")
    assert (story.now_of(stop).status, story.now_of(stop).size) == (Status.FILLED, size)
    assert not story.now_of(stop).in_doubt
    assert stop.client_order_id not in story.state.doubts
    assert alerts(story, "ILLEGAL_REPORT") == []
    story.replays()


def refused(story: Story) -> tuple[Order, Order]:
    """Two entries whose change was refused, each for a reason of its own."""
    entry, other = resting(story), resting(story, symbol=ETH, price=2_900)
    for order, text in ((entry, "EOrder:no"), (other, "EOrder:never")):
        assert order.price is not None
        story.ask(i.AmendOrder(id=story.name(), order=order.client_order_id, price=order.price - 1))
        story.tell(r.AmendRejected(order.client_order_id, text, story.now))
        story.tell(r.Found(story.now_of(order), (), story.now))
    return entry, other


@pytest.mark.parametrize("how", ["filled", "cancelled", "amended", "found amended"])
def test_a_refused_amend_is_told_until_its_order_ends_or_another_one_is_taken(how: str) -> None:
    story = Story(FUTURES)
    entry, other = refused(story)
    assert standing(story, "AMEND_REFUSED") == {
        entry.client_order_id,
        other.client_order_id,
    }
    match how:
        case "filled":
            story.fill(entry)
        case "cancelled":
            story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
            story.cancelled(entry)
        case _:
            name = entry.client_order_id
            story.ask(i.AmendOrder(id="a", order=name, price=D(59_700)))
            assert len(standing(story, "AMEND_REFUSED")) == 2, "it has not been taken"
            if how == "amended":
                story.amended(entry)
            else:
                story.tell(r.Unknown(name, "amend", "no answer", story.now))
                story.now += 1
                story.tell(r.Found(replace(story.now_of(entry), price=D(59_700)), (), story.now))
    assert standing(story, "AMEND_REFUSED") == {other.client_order_id}
    story.replays()


def test_a_refused_cancel_is_told_until_its_order_ends() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    for ends in (False, True):
        story.ask(i.CancelOrder(id=story.name(), order=entry.client_order_id))
        if ends:
            story.cancelled(entry)
        else:
            story.tell(r.CancelRejected(entry.client_order_id, "EOrder:busy", story.now))
            story.tell(r.Found(story.now_of(entry), (), story.now))
        assert bool(standing(story, "CANCEL_REFUSED")) is not ends


def test_an_amend_below_what_has_filled_is_the_end() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2")
    for size, status in ((D("0.3"), Status.PARTIALLY_FILLED), (D("0.2"), Status.FILLED)):
        story.now += 1
        story.tell(r.Amended(entry.client_order_id, size, D(60_000), None, story.now))
        assert (story.now_of(entry).status, story.now_of(entry).size) == (status, size)


def test_a_refused_amend_of_an_entry_is_told_and_asked_about() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.tell(r.AmendRejected(entry.client_order_id, "EOrder:no", story.now))
    assert story.seen(e.AmendRefused) == [], "nothing was asked for"
    story.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(59_900)))
    story.tell(r.AmendRejected(entry.client_order_id, "EOrder:no", story.now))
    assert alerts(story, "AMEND_REFUSED") == [(NAME, "EOrder:no", entry.client_order_id)]
    assert story.state.doubts[entry.client_order_id].request == "amend"
    assert not story.seen(e.StopRetrySet)
    assert not story.now_of(entry).amend_pending


# Ends


def test_a_cancellation_waits_for_the_fills_that_it_tells_of() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2")
    for filled, over in (("0.3", False), ("0.2", True)):
        story.tell(r.Cancelled(entry.client_order_id, D(filled), "by the venue", story.now))
        assert (story.now_of(entry).status is Status.CANCELLED) is over
    assert [(event.request, event.text) for event in story.seen(e.OutcomeUnknown)] == [
        ("cancel", "fills are missing")
    ]
    assert story.now_of(entry).reason == "by the venue"


def test_a_cancellation_that_does_not_tell_what_filled_is_believed() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.tell(r.Cancelled(entry.client_order_id, None, "by the venue", story.now))
    assert story.now_of(entry).status is Status.CANCELLED


def test_what_ran_out_of_time_has_expired_whoever_says_so() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.tell(r.Expired(entry.client_order_id, None, story.now))
    assert (story.now_of(entry).status, story.now_of(entry).reason) == (Status.EXPIRED, "expired")
    assert story.buy("0.5", type=LIMIT, price=D(60_000), expires_in=SECOND).ok
    entry = story.order("entry")
    story.accept(entry)
    story.wait(1)
    story.cancelled(story.now_of(entry), "user requested")
    assert story.now_of(entry).status is Status.EXPIRED


def test_an_exit_that_the_venue_took_away_is_a_refusal_and_one_that_we_did_is_not() -> None:
    story = Story(FUTURES)
    position = story.opened(target=i.Away(D("0.02")))
    story.cancelled(story.order("stop"))
    assert story.seen(e.StopRetrySet) == [e.StopRetrySet(START, position.id, 1, START + SECOND)]
    assert alerts(story, "STOP_REFUSED") == [(BTC, "cancelled by the venue", position.id)]
    story = Story(FUTURES)
    position = story.opened(target=i.Away(D("0.02")))
    story.cancelled(story.order("target"), "self trade")
    assert story.position().stop_refusals == 1
    assert alerts(story, "STOP_REFUSED") == []
    story = Story(FUTURES)
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=None, reason="hedged"))
    story.cancelled(story.order("stop"))
    assert story.seen(e.StopRetrySet) == []
    story.ask(i.ClosePosition(id="c", position=position.id))
    story.cancelled(story.order("close"), "IOC")
    assert story.seen(e.StopRetrySet) == [], "a close that found nobody is no refusal"
    assert story.seen(e.CloseEnded)[0].missed is False


def test_an_exit_that_the_venue_took_away_when_nothing_was_held_is_no_refusal() -> None:
    story = Story(FUTURES)
    story.opened(target=i.Away(D("0.02")))
    target = story.order("target")
    story.tell(r.Unknown(target.client_order_id, "amend", "no answer", story.now))
    story.fill(story.order("stop"), price="59400")
    assert not story.now_of(target).cancel_pending, "it is in doubt"
    story.cancelled(target, "self trade")
    assert story.seen(e.StopRetrySet) == []
    assert story.closed().close_reason == "stop"


def test_a_forgotten_exit_of_what_has_ended_may_end() -> None:
    story = Story(FUTURES)
    position = story.opened()
    story.fill(story.order("stop"), price="59400")
    story.now += 20 * SECOND
    name = client_order_id("test", position.id, "stop", 2)
    forgotten = Order(
        name,
        "",
        BTC,
        Side.SELL,
        OrderType.STOP,
        Role.STOP,
        D("0.5"),
        trigger=D(59_000),
        status=Status.OPEN,
        venue_order_id="OLD",
    )
    story.picture(orders=(forgotten,))
    story.tell(r.Cancelled(name, D(0), "by the venue", story.now))
    assert story.now_of(forgotten).status is Status.CANCELLED
    assert story.seen(e.StopRetrySet) == []


def test_a_cancel_that_was_refused_is_told_and_asked_about() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.tell(r.CancelRejected(entry.client_order_id, "EOrder:no", story.now))
    assert not story.state.doubts, "nobody asked for it"
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.CancelRejected(entry.client_order_id, "EOrder:busy", story.now))
    assert alerts(story, "CANCEL_REFUSED") == [(NAME, "EOrder:busy", entry.client_order_id)]
    known = story.now_of(entry)
    assert (known.cancel_pending, known.reason, known.in_doubt) == (False, "", True)
    assert story.state.doubts[entry.client_order_id].request == "cancel"


def test_a_cancel_of_what_is_gone_is_only_asked_about() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(
        r.CancelRejected(entry.client_order_id, "EOrder:Unknown order", story.now, gone=True)
    )
    assert alerts(story, "CANCEL_REFUSED") == []
    assert (
        story.now_of(entry).cancel_pending,
        story.state.doubts[entry.client_order_id].request,
    ) == (True, "cancel")


def test_a_trigger_is_told_once() -> None:
    story = Story(FUTURES)
    story.opened()
    name = story.order("stop").client_order_id
    for _ in range(2):
        story.tell(r.Triggered(name, story.now))
    assert story.seen(e.OrderTriggered) == [e.OrderTriggered(START, name)]


# Found


def found(story: Story, order: Order, **changes: object) -> None:
    """The venue answers: it has the order, like this."""
    story.tell(r.Found(replace(story.now_of(order), in_doubt=False, **changes), (), story.now + 1))


def test_what_is_found_working_is_accepted_and_no_longer_doubted() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    found(story, entry, status=Status.OPEN, venue_order_id="V7")
    known = story.now_of(entry)
    assert (known.status, known.venue_order_id, known.in_doubt, story.state.doubts) == (
        Status.OPEN,
        "V7",
        False,
        {},
    )
    assert story.seen(e.OrderAmended) == [], "its terms are ours"


@pytest.mark.parametrize(
    ("changes", "size", "price"),
    [
        ({"size": D("0.4")}, D("0.4"), D(60_000)),
        ({"price": D(59_000)}, D("0.5"), D(59_000)),
        ({}, D("0.5"), D(60_000)),
    ],
)
def test_what_is_found_with_other_terms_has_those(
    changes: dict[str, object], size: Decimal, price: Decimal
) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    found(story, entry, **changes)
    known = story.now_of(entry)
    assert (known.size, known.price) == (size, price)
    assert len(story.seen(e.OrderAmended)) == (1 if changes else 0)
    if changes:
        assert known.terms_at == story.now + 1


def test_a_wish_to_cancel_outlives_the_request_that_was_lost() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    found(story, entry)
    assert [(event.order, event.lane, event.reason) for event in story.seen(e.CancelAsked)] == [
        (entry.client_order_id, Lane.CANCEL, "operator"),
        (entry.client_order_id, Lane.CANCEL, "operator"),
    ]
    assert story.now_of(entry).cancel_pending


def test_a_lost_cancel_of_an_exit_is_decided_anew() -> None:
    story = Story(FUTURES)
    position = story.opened()
    stop = story.order("stop")
    story.ask(i.MoveStop(id="a", position=position.id, stop=None, reason="hedged"))
    story.tell(r.Unknown(stop.client_order_id, "cancel", "no answer", story.now))
    assert story.ask(i.MoveStop(id="b", position=position.id, stop=i.At(D(59_400)))).ok
    found(story, stop)
    assert not story.now_of(stop).cancel_pending, "it is wanted again"
    assert len(story.sent(Cancel)) == 1


def test_a_doubt_that_is_no_doubt_of_the_cancel_leaves_no_wish_to() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    found(story, entry)
    assert (story.state.doubts, story.sent(Cancel)) == ({}, [])


@pytest.mark.parametrize("status", [Status.CANCELLED, Status.EXPIRED, Status.FILLED])
def test_what_is_found_ended_waits_for_its_fills(status: Status) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.1")
    found(story, entry, status=status, filled=D("0.3"), reason="why")
    assert story.now_of(entry).is_open
    assert (
        story.state.doubts[entry.client_order_id].request,
        story.state.doubts[entry.client_order_id].text,
    ) == ("cancel", "fills are missing")
    story.tell(
        r.Found(
            replace(story.now_of(entry), status=status, filled=D("0.3"), reason="why"),
            (story.fill_of(entry, "0.2"),),
            story.now,
        )
    )
    ended = story.now_of(entry)
    assert (ended.status, ended.filled) == (
        Status.EXPIRED if status is Status.EXPIRED else Status.CANCELLED,
        D("0.3"),
    )
    assert ended.reason == ("expired" if status is Status.EXPIRED else "why")
    assert not story.state.doubts


def test_what_is_found_rejected_was_rejected_unless_it_works() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    found(story, entry, status=Status.REJECTED, reason="EOrder:no")
    assert (story.now_of(entry).status, story.now_of(entry).reason) == (
        Status.REJECTED,
        "EOrder:no",
    )
    assert story.seen(e.OrderAccepted) == []


def test_what_worked_and_is_found_rejected_is_gone() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    found(story, entry, status=Status.REJECTED, reason="EOrder:no")
    assert (story.now_of(entry).status, story.now_of(entry).reason) == (
        Status.CANCELLED,
        "EOrder:no",
    )
    assert (alerts(story, "ILLEGAL_REPORT"), story.state.doubts) == ([], {})


def test_what_was_given_up_and_is_found_working_is_cancelled() -> None:
    story = Story(FUTURES)
    entry = pending(story)
    story.rejected(entry)
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V7"), (), story.now))
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [entry.client_order_id]
    story = Story(FUTURES)
    entry = pending(story)
    story.rejected(entry)
    story.tell(r.Found(replace(entry, status=Status.CANCELLED), (), story.now))
    assert story.sent(Cancel) == []


def test_what_is_found_and_not_known_is_a_stranger() -> None:
    story = Story(FUTURES)
    stranger = replace(
        resting(story), client_order_id=f"{story.order('entry').client_order_id[:5]}GHOST"
    )
    asked = len(story.sent(QueryAccount))
    story.tell(r.Found(stranger, (), story.now))
    assert alerts(story, "UNKNOWN_ORDER") == [
        (stranger.client_order_id, "", stranger.client_order_id)
    ]
    assert len(story.sent(QueryAccount)) == asked + 1


# Repeats


def test_which_reports_say_nothing_new() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    name = entry.client_order_id
    fill = story.fill(entry, "0.2")
    assert is_repeat(story.state, r.Accepted(name, "V", START))
    assert not is_repeat(story.state, r.Accepted("nobody", "V", START))
    assert is_repeat(story.state, r.Filled(fill, START))
    assert not is_repeat(story.state, r.Filled(replace(fill, execution_id="new"), START))
    assert not is_repeat(story.state, r.Cancelled(name, None, "", START))
    story.tell(r.Unknown(name, "amend", "no answer", START))
    assert not is_repeat(story.state, r.Accepted(name, "V", START)), "it ends a doubt"
    found(story, entry)
    story.cancelled(story.now_of(entry))
    assert is_repeat(story.state, r.Cancelled(name, None, "", START))
    assert is_repeat(story.state, r.Expired(name, None, START))
    assert not is_repeat(story.state, r.Accepted(name, "V", START))
    other = pending(story)
    story.rejected(other)
    assert not is_repeat(story.state, r.Cancelled(other.client_order_id, None, "", START)), (
        "it arrived after all"
    )
    assert not is_repeat(story.state, r.Triggered(name, START))


# Liquidations


def liquidated(
    story: Story, size: str, side: Side = Side.SELL, name: str = "L", fee: str = "8"
) -> None:
    fill = Fill(
        name, "venue", BTC, side, D(50_000), D(size), D(fee), "USD", Liquidity.TAKER, story.now
    )
    story.tell(r.Liquidated(BTC, fill, story.now))


def test_a_liquidation_that_a_stream_tells_again_closes_nothing_that_was_opened_since() -> None:
    story = Story(FUTURES)
    story.now += 20 * SECOND
    position = story.opened("0.5")
    fill = Fill(
        "OLD",
        "venue",
        BTC,
        Side.SELL,
        D(50_000),
        D("0.5"),
        D(1),
        "USD",
        Liquidity.TAKER,
        START - 86_400 * SECOND,
    )
    story.board.restarted_at = START
    story.tell(r.Liquidated(BTC, fill, story.now))
    assert "LIQUIDATED" not in story.told()
    assert story.state.positions[position.id].size == D("0.5")
    story.tell(r.Liquidated(BTC, replace(fill, execution_id="LATER", at=START + SECOND), story.now))
    assert "LIQUIDATED" in story.told(), (
        "it happened while we looked, to something that is not in our books"
    )
    assert story.state.positions[position.id].size == D("0.5")


def test_a_liquidation_takes_the_oldest_first_and_shares_its_fee() -> None:
    story = Story(FUTURES)
    assert story.buy("0.1", type=LIMIT, price=D(59_000), stop=None).ok
    story.accept(story.order("entry"))
    first, second, third = (story.opened(size, stop=None) for size in ("0.2", "0.3", "0.5"))
    liquidated(story, "0.4")
    shares = [
        (event.fill.execution_id, event.fill.position, event.fill.size, event.fee_value)
        for event in story.seen(e.PositionLiquidated)
    ]
    assert shares == [("L", first.id, D("0.2"), D(4)), ("L/1", second.id, D("0.2"), D(4))]
    assert (story.state.positions[second.id].size, story.state.positions[third.id].size) == (
        D("0.1"),
        D("0.5"),
    )
    liquidated(story, "0.4")
    assert len(story.seen(e.PositionLiquidated)) == 2, "told twice, booked once"
    assert story.closed().close_reason == "liquidated"


def test_a_liquidation_closes_the_side_that_it_trades_against() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", side=Side.SELL, stop=None)
    liquidated(story, "0.2")
    assert story.position().size == D("0.5"), "a sale closes no short"
    liquidated(story, "0.2", Side.BUY, "M")
    assert story.state.positions[position.id].size == D("0.3")
    assert alerts(story, "LIQUIDATED") == [(BTC, "", "")]
