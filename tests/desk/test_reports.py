"""What the venue says: in every order of arrival, twice, late, and where it cannot be so."""

from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.desk.events import OrderAccepted, OrderExpired, OrderRejected
from engine.desk.evolve import IllegalTransitionError, evolve
from engine.desk.reports import is_repeat
from engine.desk.state import encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.order import Order, OrderType, Status
from engine.model.position import Protection
from engine.model.request import Cancel, Query, QueryAccount, Submit
from tests.support.world import SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT


def _entered() -> tuple[Story, Order, list[r.VenueReport]]:
    """An entry that was sent, and all that the venue will say about it: 0.2 of 0.5 twice, then its
    end.
    """
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    name = entry.client_order_id
    fills = [
        story.fill_of(entry, "0.2", "60000", "48"),
        story.fill_of(entry, "0.2", "59990", "47.992"),
    ]
    ends: r.VenueReport = r.Cancelled(name, D("0.4"), "by the venue", story.now)
    return (
        story,
        entry,
        [r.Accepted(name, "V1", story.now), *(r.Filled(fill, story.now) for fill in fills), ends],
    )


def _answer_questions(story: Story, entry: Order, fills: Sequence[Fill]) -> None:
    """Whoever asks about the entry is told what the venue knows."""
    story.wait(1)
    if story.sent(Query):
        theirs = replace(
            story.now_of(entry),
            status=Status.CANCELLED,
            filled=D("0.4"),
            venue_order_id="V1",
            in_doubt=False,
        )
        story.tell(r.Found(theirs, tuple(fills), story.now))


@pytest.mark.hazard("H04")
@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_reports_in_every_order_of_arrival_end_the_same(order: tuple[int, ...]) -> None:
    story, entry, reports = _entered()
    for index in order:
        story.tell(reports[index])
        story.holds()
    _answer_questions(
        story, entry, [report.fill for report in reports if isinstance(report, r.Filled)]
    )
    known = story.now_of(entry)
    assert (known.status, known.filled, known.value) == (Status.CANCELLED, D("0.4"), D("23998.0"))
    position = story.position()
    assert (position.size, position.fee_value) == (D("0.4"), D("95.992"))
    assert story.state.cash == {"USD": D(1_000_000) - D("23998.0") - D("95.992"), "BTC": D("0.4")}
    assert sum((stop.size for stop in story.orders("stop")), D(0)) <= D("0.4")
    story.replays()


@pytest.mark.hazard("H04")
@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=12))
def test_duplicates_change_nothing(order: list[int]) -> None:
    story, entry, reports = _entered()
    for index in [*order, 0, 1, 2, 3]:
        story.tell(reports[index])
        before = encode_state(story.state)
        said = reports[index]
        if is_repeat(story.state, said) and not story.state.doubts:
            story.tell(said)
            assert encode_state(story.state) == before, said
    _answer_questions(
        story, entry, [report.fill for report in reports if isinstance(report, r.Filled)]
    )
    assert story.now_of(entry).filled == D("0.4")
    assert story.position().size == D("0.4")
    story.replays()


def test_what_is_a_repeat() -> None:
    story, entry, (accepted, filled, _, cancelled) = _entered()
    name = entry.client_order_id
    for said in (accepted, filled, cancelled):
        assert not is_repeat(story.state, said)
    story.tell(accepted)
    assert is_repeat(story.state, accepted)
    story.tell(filled)
    assert is_repeat(story.state, filled)
    story.tell(r.Cancelled(name, D("0.2"), "", story.now))
    assert is_repeat(story.state, cancelled)
    assert is_repeat(story.state, r.Expired(name, None, story.now))
    assert not is_repeat(story.state, r.Connected(story.now))


def test_a_fill_after_the_cancel_makes_it_filled() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    late = story.fill_of(entry)
    story.accept(entry)
    story.cancelled(entry)
    assert story.now_of(entry).status is Status.CANCELLED
    story.tell(r.Filled(late, story.now))
    assert story.now_of(entry).status is Status.FILLED
    assert story.position().size == story.order("stop").size == D("0.5")
    story.replays()


@pytest.mark.hazard("H07")
def test_the_table_refuses_and_changes_nothing() -> None:
    story = Story()
    story.opened()
    entry = next(order for order in story.state.ended.values() if order.role.value == "entry")
    before = encode_state(story.state)
    for event in (
        OrderExpired(story.now, entry.client_order_id),
        OrderRejected(story.now, entry.client_order_id, "no"),
    ):
        with pytest.raises(IllegalTransitionError, match="can't become"):
            evolve(story.state, event)
        assert encode_state(story.state) == before
    with pytest.raises(KeyError, match="not known"):
        evolve(story.state, OrderAccepted(story.now, "nobody", "V"))


@pytest.mark.hazard("H07")
def test_a_rejection_of_a_working_order_is_alerted_and_asked_about() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.rejected(entry, "no")
    assert "ILLEGAL_REPORT" in story.standing()
    story.wait(0.3)
    assert story.sent(Query)[-1].client_order_id == entry.client_order_id
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V"), (), story.now))
    assert story.order("entry").status is Status.OPEN
    assert not story.state.doubts


def test_a_rejection_after_the_end_is_nothing() -> None:
    story = Story()
    position = story.opened()
    entry = next(order for order in story.state.ended.values())
    before = encode_state(story.state)
    story.rejected(entry)
    story.tell(r.Triggered(entry.client_order_id, story.now))
    story.tell(r.AmendRejected(entry.client_order_id, "no", story.now))
    story.tell(r.Amended(entry.client_order_id, D(1), None, None, story.now))
    story.tell(r.Unknown(entry.client_order_id, "submit", "?", story.now))
    story.tell(r.CancelRejected(entry.client_order_id, "no", story.now))
    story.cancelled(entry)
    assert encode_state(story.state) == before
    assert story.position().id == position.id


def test_reports_on_strangers() -> None:
    story = Story()
    story.now += 60 * SECOND
    mine = story.buy("0.5", type=LIMIT, price=D(60_000))
    assert not mine.ok, "stale"
    story.price("BTC/USD", "60000")
    story.buy("0.5", type=LIMIT, price=D(60_000))
    prefix = story.order("entry").client_order_id[:5]
    ghost = f"{prefix}AAAAAAAAAAAAA"
    fill = replace(story.fill_of(story.order("entry")), client_order_id=ghost)
    asked = len(story.sent(QueryAccount))
    for report in (
        r.Accepted(ghost, "V", story.now),
        r.Rejected(ghost, "no", story.now),
        r.Filled(fill, story.now),
        r.Amended(ghost, D(1), None, None, story.now),
        r.Cancelled(ghost, None, "", story.now),
    ):
        story.tell(report)
    alert = next(alert for alert in story.state.alerts.values() if alert.code == "UNKNOWN_ORDER")
    assert alert.count == 1, "said once"
    assert len(story.sent(QueryAccount)) == asked + 1, "the picture may tell what it is"
    story.now += 20 * SECOND
    story.tell(r.Cancelled("somebody-else", None, "", story.now))
    assert len(story.sent(QueryAccount)) == asked + 2, "not ours: only the picture is asked for"
    theirs = replace(story.order("entry"), client_order_id=ghost, status=Status.OPEN)
    story.tell(r.Found(theirs, (), story.now))
    for quiet in (
        r.Triggered(ghost, 0),
        r.AmendRejected(ghost, "", 0),
        r.CancelRejected(ghost, "", 0),
        r.Unknown(ghost, "submit", "", 0),
    ):
        before = encode_state(story.state)
        story.tell(quiet)
        assert encode_state(story.state) == before


def test_an_order_that_was_given_up_and_arrived_is_cancelled() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.rejected(entry)
    story.accept(entry)
    assert "ILLEGAL_REPORT" in story.standing()
    assert story.sent(Cancel)[-1].client_order_id == entry.client_order_id


def test_too_large_a_fill_happened_and_is_told() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.6")
    assert "ILLEGAL_REPORT" in story.standing()
    assert story.position().size == D("0.6")
    assert story.order("stop").size == D("0.6")
    assert story.now_of(entry).size == D("0.6")


def test_an_older_amend_does_not_undo_a_newer() -> None:
    story = Story()
    position = story.opened()
    stop = story.order("stop")
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_500))))
    story.amended(stop)
    assert story.order("stop").trigger == D(59_500)
    story.tell(r.Amended(stop.client_order_id, D("0.5"), None, D(59_400), story.now - SECOND))
    assert story.order("stop").trigger == D(59_500)


def test_a_withdrawn_amend_is_no_refusal() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_500))))
    stop = story.order("stop")
    assert stop.amend_pending
    story.tell(r.AmendRejected(stop.client_order_id, "superseded", story.now, withdrawn=True))
    assert "AMEND_REFUSED" not in story.told()
    assert story.position().stop_refusals == 0


def test_an_exit_that_the_venue_cancels_by_itself_is_placed_again_after_a_pause() -> None:
    story = Story()
    story.opened()
    stop = story.order("stop")
    story.cancelled(stop, "by the venue")
    assert not story.orders("stop")
    assert story.position().protection is Protection.GUARDED
    assert story.position().stop_refusals == 1
    story.wait(1.1)
    assert len(story.orders("stop")) == 1
    story.accept(story.order("stop"))
    assert story.position().stop_refusals == 0


def test_a_fill_of_a_closed_position_opens_its_book_again() -> None:
    story = Story("kraken-futures")
    position = story.opened("0.5", target=i.Away(D("0.02")))
    stop, target = story.order("stop"), story.order("target")
    twice = story.fill_of(target, "0.5", "61200")
    story.fill(stop, price="59400")
    story.cancelled(target)
    assert story.closed().id == position.id
    story.tell(r.Filled(twice, story.now))
    assert "OVER_CLOSED" in story.standing()
    story.witness()
    repair = story.order("close")
    assert (repair.side, repair.size) == (position.side, D("0.5"))
    story.fill(repair, price="61200")
    assert story.closed().size == 0
    assert "OVER_CLOSED" not in story.standing()
    assert not story.state.dust
    story.replays()


@pytest.mark.hazard("H51")
def test_every_fee_is_kept_in_its_currency() -> None:
    story = Story()
    story.buy("0.5")
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2", fee="48")
    story.fill(entry, "0.2", fee="0.0001", currency="BTC")
    story.fill(entry, "0.1", fee="1", currency="ETH")
    position = story.position()
    assert position.fees == {"USD": D(48), "BTC": D("0.0001"), "ETH": D(1)}
    assert position.fee_value == D(48) + D("0.0001") * 60_000 + D("3000.05")
    assert position.size == D("0.4999")
    assert story.state.totals.fees == {"USD": D(48), "BTC": D("0.0001"), "ETH": D(1)}


def test_a_fee_without_a_rate_is_left_out_and_told() -> None:
    story = Story()
    story.buy("0.5")
    story.fill(story.order("entry"), fee="3", currency="KFEE")
    assert "UNPRICED_FEE" in story.standing()
    assert story.position().fee_value == 0
    assert story.position().fees == {"KFEE": D(3)}


def test_found_says_everything_at_once() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    fill = story.fill_of(entry)
    story.tell(
        r.Found(
            replace(entry, status=Status.FILLED, filled=D("0.5"), venue_order_id="V9"),
            (fill,),
            story.now,
        )
    )
    known = story.now_of(entry)
    assert (known.status, known.filled, known.in_doubt) == (Status.FILLED, D("0.5"), False)
    assert story.sent(Submit)[-1].order.role.value == "stop"
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V9"), (), story.now))
    assert story.now_of(entry).status is Status.FILLED, "an older answer undoes nothing"


def test_found_rejected_and_found_expired() -> None:
    for status, reason in ((Status.REJECTED, "EOrder:no"), (Status.EXPIRED, "")):
        story = Story()
        story.buy("0.5", type=LIMIT, price=D(60_000))
        entry = story.order("entry")
        story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
        story.tell(r.Found(replace(entry, status=status, reason=reason), (), story.now))
        if status is Status.EXPIRED:  # its executions may be late: tests/desk/test_late.py
            story.wait(60)
            story.tell(r.Found(replace(entry, status=status, reason=reason), (), story.now))
        assert story.now_of(entry).status is status
        assert not story.state.positions
        assert not story.state.doubts


def test_found_with_fills_still_missing_is_asked_again() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    story.wait(0.3)
    asked = len(story.sent(Query))
    story.tell(
        r.Found(
            replace(entry, status=Status.CANCELLED, filled=D("0.3"), venue_order_id="V"),
            (),
            story.now,
        )
    )
    assert story.now_of(entry).is_open
    story.wait(1)
    assert len(story.sent(Query)) == asked + 1


def test_found_with_other_terms_takes_them_over() -> None:
    story = Story()
    story.opened()
    stop = story.order("stop")
    story.tell(r.Found(replace(stop, trigger=D(59_000)), (), story.now))
    assert story.sent(type(story.requests[-1]))[-1] is story.requests[-1]
    assert story.now_of(stop).trigger == D(59_000)
    assert story.now_of(stop).amend_pending, "custody puts it back to where it is wanted"
