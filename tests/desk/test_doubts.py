"""Unknown outcomes: asked about, believed only the second time outside the window, never
doubled.
"""

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from engine.desk.messages import Restarted
from engine.desk.rules import RequestRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Status
from engine.model.request import Amend, Cancel, Query, Submit
from tests.support.world import SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT


def _lost(story: Story, **terms: object) -> Order:
    """An entry of whose submit nothing was heard."""
    story.buy("0.5", **terms)
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    return entry


def _entries(story: Story) -> list[Submit]:
    return [submit for submit in story.sent(Submit) if not submit.order.is_exit]


@pytest.mark.hazard("H02")
def test_an_unknown_submit_is_asked_for_and_never_repeated() -> None:
    story = Story()
    entry = _lost(story)
    assert "UNKNOWN_OUTCOME" in story.standing()
    assert story.order("entry").in_doubt
    story.wait(0.3)
    assert [query.client_order_id for query in story.sent(Query)] == [entry.client_order_id]
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V"), (), story.now))
    assert "UNKNOWN_OUTCOME" not in story.standing()
    assert not story.order("entry").in_doubt
    assert len(_entries(story)) == 1


@pytest.mark.hazard("H17")
def test_absence_is_believed_the_second_time_outside_the_window() -> None:
    story = Story()
    entry = _lost(story)
    for asked in range(1, 4):
        story.wait(0.5)
        story.tell(r.Absent(entry.client_order_id, story.now))
        assert story.order("entry").client_order_id == entry.client_order_id, asked
    story.wait(6)
    first = len(story.sent(Query))
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert (
        not story.orders("entry")
        or story.order("entry").client_order_id != entry.client_order_id
        or len(story.sent(Query)) >= first
    )
    story.wait(1)
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).status is Status.REJECTED
    again = story.order("entry")
    assert again.client_order_id != entry.client_order_id
    assert (again.size, again.price, again.position) == (entry.size, entry.price, entry.position)
    assert len(_entries(story)) == 2
    assert "UNKNOWN_OUTCOME" not in story.standing()
    story.replays()


def test_the_first_absence_outside_the_window_is_not_enough() -> None:
    story = Story()
    entry = _lost(story)
    story.wait(10)
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).status is Status.PENDING
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V"), (), story.now))
    assert story.order("entry").status is Status.OPEN


def _absent(story: Story, order: Order) -> None:
    """The venue proves that it never heard of an order."""
    story.wait(7)
    story.tell(r.Absent(order.client_order_id, story.now))
    story.wait(1)
    story.tell(r.Absent(order.client_order_id, story.now))


def test_an_entry_that_is_old_or_blocked_is_not_sent_again() -> None:
    story = Story(rules=Rules(requests=RequestRules(resend=5)))
    entry = _lost(story)
    _absent(story, entry)
    assert not story.state.orders
    assert not story.state.positions
    assert "ORDER_REJECTED" in story.standing()
    story = Story()
    entry = _lost(story)
    story.ask(i.Pause(id="p"))
    _absent(story, entry)
    assert not story.state.positions
    assert len(_entries(story)) == 1


def test_a_stop_that_never_arrived_is_placed_again_under_the_next_id() -> None:
    story = Story()
    story.buy()
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "submit", "no answer", story.now))
    assert story.position().protection.value == "guarded"
    _absent(story, stop)
    again = story.order("stop")
    assert again.client_order_id != stop.client_order_id
    assert again.size == D("0.5")


@pytest.mark.hazard("H17")
def test_a_question_that_fails_changes_nothing_and_is_asked_again_later() -> None:
    story = Story()
    entry = _lost(story)
    asked = []
    for _ in range(7):
        before = len(story.sent(Query))
        began = story.now
        while len(story.sent(Query)) == before:
            story.wait(0.25)
        asked.append((story.now - began) / SECOND)
        story.tell(r.Unanswered(entry.client_order_id, "time-out", story.now))
        assert story.now_of(entry).status is Status.PENDING
    assert asked == sorted(asked)
    assert asked[-1] == 10, "up to ask_max"
    story.tell(r.Unanswered("nobody", "time-out", story.now))


@pytest.mark.hazard("H17")
@pytest.mark.parametrize(("took", "longest"), [(0.0, 5.0), (2.0, 5.0), (9.0, 9.25)])
def test_an_exit_is_asked_about_again_soon_after_a_question_that_took_its_time_to_fail(
    took: float, longest: float
) -> None:
    story = Story()
    story.opened()
    stop = story.order("stop")
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.tell(r.Unknown(stop.client_order_id, "cancel", "no answer", story.now))
    asked = []
    for _ in range(9):
        before = len(story.sent(Query))
        while len(story.sent(Query)) == before:
            story.wait(0.25)
        asked.append(story.now)
        story.now += int(took * SECOND)
        story.tell(r.Unanswered(stop.client_order_id, "time-out", story.now))
    pauses = [(later - earlier) / SECOND for earlier, later in pairwise(asked)]
    assert max(pauses) == longest
    assert min(pauses) >= took + 0.25
    assert not story.orders("close"), "the stop may have sold it"


def test_a_question_without_any_answer_is_asked_again() -> None:
    story = Story()
    _lost(story)
    story.wait(0.5)
    assert len(story.sent(Query)) == 1
    story.wait(11)
    assert len(story.sent(Query)) == 2


@pytest.mark.hazard("H02")
def test_a_fill_proves_that_it_arrived() -> None:
    story = Story()
    entry = _lost(story)
    story.fill(entry, "0.2")
    assert not story.order("entry").in_doubt
    assert "UNKNOWN_OUTCOME" not in story.standing()


def test_an_unknown_cancel_and_an_unknown_amend_are_asked_about() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    story.wait(0.3)
    asked = len(story.sent(Query))
    story.tell(
        r.Found(replace(story.order("stop"), in_doubt=False, amend_pending=False), (), story.now)
    )
    assert asked == 1
    assert story.sent(Amend)[-1].trigger == D(59_700), "it had not arrived: it is asked for again"
    assert len(story.sent(Amend)) == 2
    story.amended(stop)
    story.buy("0.1", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.accept(entry)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    story.wait(0.3)
    story.tell(
        r.Found(
            replace(entry, status=Status.CANCELLED, venue_order_id="V", reason="cancelled"),
            (),
            story.now,
        )
    )
    assert story.now_of(entry).status is Status.CANCELLED


def test_an_amend_that_arrived_is_taken_over() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    story.wait(0.3)
    story.tell(r.Found(replace(stop, trigger=D(59_700), amend_pending=False), (), story.now))
    assert story.order("stop").trigger == D(59_700)
    assert not story.state.doubts
    assert len(story.sent(Amend)) == 1


def test_a_cancel_that_finds_nothing_asks_what_became_of_the_order() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(
        r.CancelRejected(entry.client_order_id, "EOrder:Unknown order", story.now, gone=True)
    )
    assert "CANCEL_REFUSED" not in story.told()
    story.wait(0.3)
    fill = story.fill_of(entry)
    story.tell(
        r.Found(
            replace(entry, status=Status.FILLED, filled=D("0.5"), venue_order_id="V"),
            (fill,),
            story.now,
        )
    )
    assert story.now_of(entry).status is Status.FILLED
    assert len(story.sent(Cancel)) == 1


def test_a_working_order_that_the_venue_no_longer_knows_is_ended_and_told() -> None:
    story = Story()
    story.opened()
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    _absent(story, stop)
    assert story.now_of(stop).status is Status.CANCELLED
    assert "DIFFERENCE" in story.standing()
    assert story.order("stop").client_order_id != stop.client_order_id


def test_a_cancelled_report_that_lacks_fills_is_asked_about_until_they_come() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    story.cancelled(entry, filled="0.3")
    assert story.order("entry").in_doubt
    story.wait(0.3)
    asked = len(story.sent(Query))
    fill = story.fill_of(entry, "0.3")
    story.tell(r.Filled(fill, story.now))
    story.wait(0.1)
    assert len(story.sent(Query)) == asked + 1, "a fill that was missing is a reason to ask at once"
    story.tell(
        r.Found(
            replace(entry, status=Status.CANCELLED, filled=D("0.3"), venue_order_id="V"),
            (),
            story.now,
        )
    )
    assert story.now_of(entry).status is Status.CANCELLED


def test_answers_about_what_nobody_asked_are_nothing() -> None:
    story = Story()
    story.opened()
    before = story.state.seq
    story.tell(r.Absent("nobody", story.now))
    story.tell(r.Absent(story.order("stop").client_order_id, story.now))
    assert story.state.seq == before


@pytest.mark.hazard("H03")
def test_after_a_restart_everything_on_its_way_is_in_doubt() -> None:
    story = Story()
    position = story.opened()
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    story.buy("0.1", type=LIMIT, price=D(59_000))
    pending = story.order("entry")
    story.buy("0.1", type=LIMIT, price=D(58_900))
    doubted, cancelling = story.orders("entry")[1], pending
    story.accept(cancelling)
    story.ask(i.CancelOrder(id="c", order=cancelling.client_order_id))
    story.tell(Restarted())
    assert {name: doubt.request for name, doubt in story.state.doubts.items()} == {
        story.order("stop").client_order_id: "amend",
        cancelling.client_order_id: "cancel",
        doubted.client_order_id: "submit",
    }
    assert "STARTING" in story.state.blocks
    assert not story.buy("0.1", type=LIMIT, price=D(59_000)).ok
    story.wait(0.1)
    assert len(story.sent(Query)) == 3
    story.tell(Restarted())
    story.wait(0.1)
    assert len(story.sent(Query)) == 6, "a question that was on its way may be lost as well"
    story.picture()
    assert "STARTING" in story.state.blocks, "doubts first"
    for order in list(story.state.orders.values()):
        told = replace(order, status=Status.OPEN, venue_order_id="V", in_doubt=False)
        story.tell(r.Found(told, (), story.now))
    story.picture()
    assert "STARTING" not in story.state.blocks


def test_for_a_venue_without_deadlines_the_window_begins_with_the_order() -> None:
    story = Story(replace(Story().profile, deadline=False))
    entry = _lost(story)
    for _ in range(3):
        story.wait(1)
        story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).status is Status.PENDING
    story.wait(3)
    story.tell(r.Absent(entry.client_order_id, story.now))
    story.wait(1)
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).status is Status.REJECTED


def test_a_late_fill_of_an_entry_that_was_given_up_takes_its_bracket_up_again() -> None:
    story = Story(rules=Rules(requests=RequestRules(resend=0)))
    entry = _lost(story, label="late")
    _absent(story, entry)
    assert not story.state.positions
    story.fill(entry)
    assert "ILLEGAL_REPORT" in story.standing()
    position = story.position()
    assert (position.size, position.stop, position.label) == (D("0.5"), D(59_400), "late")
    assert story.order("stop").size == D("0.5")
    assert story.now_of(entry).status is Status.FILLED
    story.replays()
