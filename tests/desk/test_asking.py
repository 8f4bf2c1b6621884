"""When the venue is asked about what is not known, how long is waited between, what is believed,
and what follows: to the nanosecond.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import doubts
from engine.desk import events as e
from engine.desk.desk import Desk
from engine.desk.messages import Reconcile, Restarted, Wake
from engine.desk.rules import RequestRules, Rules
from engine.desk.state import Doubt, decode_state, encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Status
from engine.model.request import Lane, Query, QueryAccount, Submit
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
QUARTER = SECOND // 4
FUTURES = "kraken-futures"


def lost(story: Story, text: str = "no answer") -> Order:
    """An entry of whose submit nothing was heard."""
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", text, story.now))
    return entry


def resting(story: Story) -> Order:
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    return story.order("entry")


def doubt_of(story: Story, order: Order) -> Doubt:
    return story.state.doubts[order.client_order_id]


# Beginning


def test_an_unknown_outcome_is_doubted_once_and_asked_about_after_a_quarter_of_a_second() -> None:
    story = Story()
    entry = lost(story)
    assert story.seen(e.OutcomeUnknown) == [
        e.OutcomeUnknown(START, entry.client_order_id, "submit", "no answer", START + QUARTER)
    ]
    (alert,) = story.state.alerts.values()
    assert (alert.code, alert.subject, alert.detail, alert.target) == (
        "UNKNOWN_OUTCOME",
        "submit of entry buy 0.5 BTC/USD",
        "no answer",
        entry.client_order_id,
    )
    story.now += 1
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer again", story.now))
    assert len(story.seen(e.OutcomeUnknown)) == 1
    assert story.desk.next_wake() == START + QUARTER


def test_what_was_only_asked_about_may_come_into_doubt() -> None:
    story = Story()
    entry = resting(story)
    story.now += 11 * SECOND
    story.picture(orders=())
    assert doubt_of(story, entry).request == "check"
    assert not story.order("entry").in_doubt
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    assert doubt_of(story, entry) == Doubt("cancel", "no answer", story.now, story.now + QUARTER)
    assert story.order("entry").in_doubt


def test_what_is_over_is_not_doubted() -> None:
    story = Story()
    entry = resting(story)
    story.cancelled(entry)
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    story.tell(r.Rejected(entry.client_order_id, "in use", story.now, duplicate=True))
    assert not story.state.doubts


def test_what_ended_within_the_same_message_or_was_never_known_is_not_doubted() -> None:
    story = Story()
    entry = resting(story)
    story.cancelled(entry)
    for order in (entry, replace(entry, client_order_id="nobody")):
        assert list(doubts.begin(story.ctx, order, "cancel", "no answer")) == []


def test_a_failed_question_that_nobody_asked_changes_nothing() -> None:
    story = Story()
    entry = resting(story)
    seq = story.state.seq
    story.tell(r.Unanswered(entry.client_order_id, "time-out", story.now))
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.state.seq == seq


def test_an_answer_that_lacks_fills_is_asked_for_again_after_a_pause() -> None:
    story = Story()
    entry = lost(story)
    story.now += QUARTER
    story.tell(Reconcile())
    story.tell(
        r.Found(
            replace(entry, status=Status.CANCELLED, filled=D("0.3"), venue_order_id="V"),
            (),
            story.now,
        )
    )
    assert doubt_of(story, entry).ask_at == story.now + SECOND // 4, (
        "the doubt is a new one: whether the fills are all there"
    )
    story.now += QUARTER
    story.tell(Reconcile())
    story.tell(
        r.Found(
            replace(entry, status=Status.CANCELLED, filled=D("0.3"), venue_order_id="V"),
            (),
            story.now,
        )
    )
    assert doubt_of(story, entry).ask_at == story.now + SECOND // 2


def test_an_order_that_the_stream_has_shown_is_not_doubted_for_a_lost_answer() -> None:
    story = Story()
    entry = resting(story)
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    assert not story.state.doubts
    story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    assert doubt_of(story, entry).request == "amend"


# Pauses


def test_pauses_double_up_to_the_longest() -> None:
    story = Story()
    entry = lost(story)
    pauses = []
    for _ in range(7):
        at = doubt_of(story, entry).ask_at
        assert at is not None
        story.now = at
        story.tell(r.Accepted("nobody", "V", story.now))
        assert doubt_of(story, entry).ask_at == story.now + 10 * SECOND, "if no answer comes at all"
        story.tell(r.Unanswered(entry.client_order_id, "time-out", story.now))
        again = doubt_of(story, entry).ask_at
        assert again is not None
        pauses.append((again - story.now) / SECOND)
    assert pauses == [0.5, 1, 2, 4, 8, 10, 10]
    assert [query.client_order_id for query in story.sent(Query)] == [entry.client_order_id] * 7


def test_the_doubling_itself_has_an_end() -> None:
    story = Story(rules=Rules(requests=RequestRules(ask_max=1e9)))
    entry = lost(story)
    for asked, pause in ((15, 8_192), (16, 16_384), (17, 16_384), (60, 16_384)):
        story.state.doubts[entry.client_order_id] = replace(doubt_of(story, entry), asked=asked)
        story.tell(r.Unanswered(entry.client_order_id, "time-out", story.now))
        assert doubt_of(story, entry).ask_at == story.now + pause * SECOND, asked


def test_a_question_is_due_at_its_time_and_not_before() -> None:
    story = Story()
    entry = lost(story)
    story.now = START + QUARTER - 1
    story.tell(Reconcile())
    assert not story.sent(Query)
    story.now += 1
    story.tell(Reconcile())
    assert story.seen(e.QuestionAsked) == [
        e.QuestionAsked(START + QUARTER, entry.client_order_id, START + QUARTER + 10 * SECOND)
    ]
    assert doubt_of(story, entry).asked == 1


def test_who_is_asked_about_what_goes_in_which_lane() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.opened("1", symbol=ETH, price="3000")
    stop = story.order("stop")
    for order in (entry, stop):
        story.tell(r.Unknown(order.client_order_id, "amend", "no answer", story.now))
    story.wait(0.5)
    assert {query.client_order_id: (query.symbol, query.lane) for query in story.sent(Query)} == {
        entry.client_order_id: (BTC, Lane.QUERY),
        stop.client_order_id: (ETH, Lane.PROTECT),
    }
    story.ask(i.Flatten(id="f"))
    story.wait(12)
    assert {query.client_order_id: query.lane for query in story.sent(Query)} == {
        entry.client_order_id: Lane.PROTECT,
        stop.client_order_id: Lane.PROTECT,
    }


# What a fill proves


def test_a_fill_ends_the_doubt_about_a_submit_only() -> None:
    story = Story()
    entry = lost(story)
    story.fill(entry, "0.1", price="59000")
    assert not story.state.doubts
    story.accept(entry)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.tell(r.Unknown(entry.client_order_id, "cancel", "no answer", story.now))
    story.fill(entry, "0.1", price="59000")
    assert doubt_of(story, entry).ask_at == story.now, "whether that was all is asked at once"
    story = Story()
    entry = resting(story)
    story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    story.fill(entry, "0.1", price="59000")
    assert doubt_of(story, entry).ask_at == story.now + QUARTER, "of its terms a fill says nothing"


def test_a_fill_of_what_nobody_doubts_proves_nothing() -> None:
    story = Story()
    entry = resting(story)
    story.fill(entry, "0.1", price="59000")
    assert not story.state.doubts
    assert not story.seen(e.DoubtEnded)
    assert not story.seen(e.QuestionFailed)


# Absence


def test_an_absence_before_the_deadline_is_asked_about_after_it() -> None:
    story = Story()
    entry = lost(story)  # deadline 5 s, and one to settle
    story.tell(r.Absent(entry.client_order_id, START + 6 * SECOND - 1))
    assert story.seen(e.AbsenceTold) == [
        e.AbsenceTold(START, entry.client_order_id, START + 6 * SECOND)
    ]


def test_a_long_pause_is_kept_even_beyond_the_deadline() -> None:
    story = Story()
    entry = lost(story)
    story.state.doubts[entry.client_order_id] = replace(doubt_of(story, entry), asked=5)
    story.tell(r.Absent(entry.client_order_id, START))
    assert doubt_of(story, entry).ask_at == START + 8 * SECOND


def test_an_absence_at_the_deadline_counts_and_is_asked_about_once_more() -> None:
    story = Story()
    entry = lost(story)
    story.now = START + 6 * SECOND
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.seen(e.AbsenceTold)[-1].again_at == story.now + QUARTER
    assert doubt_of(story, entry).absences == 1
    assert story.now_of(entry).status is Status.PENDING
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.seen(e.OrderRejected)[-1] == e.OrderRejected(
        story.now, entry.client_order_id, "never reached the venue", lost=True
    )


def test_without_deadlines_an_order_has_five_times_as_long_to_settle() -> None:
    story = Story(
        replace(Story().profile, deadline=False), Rules(requests=RequestRules(settle=2.0))
    )
    entry = lost(story)
    story.now = START + 5 * SECOND
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert doubt_of(story, entry).ask_at == START + 10 * SECOND
    story.now = START + 10 * SECOND - 1
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).status is Status.PENDING
    story.now += 1
    story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).status is Status.REJECTED


def test_a_lost_entry_goes_out_again_under_the_next_id_and_the_one_after() -> None:
    story = Story(rules=Rules(requests=RequestRules(resend=60)))
    answer = story.buy("0.5", type=LIMIT, price=D(59_000), id="mine")
    for attempt in range(1, 5):
        entry = story.order("entry")
        assert entry.client_order_id == client_order_id("test", "mine", "entry", attempt)
        assert story.state.plans[answer.created].attempts == attempt
        story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
        story.now += 7 * SECOND
        for _ in range(2):
            story.tell(r.Absent(entry.client_order_id, story.now))
    assert "ORDER_REJECTED" not in story.told()


@pytest.mark.parametrize(("late", "again"), [(-1, True), (0, False)])
def test_an_entry_goes_out_again_only_while_it_is_young(late: int, again: bool) -> None:
    story = Story()
    entry = lost(story)
    story.now = START + 15 * SECOND + late
    for _ in range(2):
        story.tell(r.Absent(entry.client_order_id, story.now))
    assert [order.client_order_id for order in story.orders("entry")] == (
        [client_order_id("test", "i1", "entry", 2)] if again else []
    )
    if not again:
        (alert,) = (
            alert for alert in story.state.alerts.values() if alert.code == "ORDER_REJECTED"
        )
        assert (alert.subject, alert.detail, alert.target) == (
            "entry buy 0.5 BTC/USD",
            "it never reached the venue",
            entry.client_order_id,
        )


@pytest.mark.parametrize(
    ("mode", "again"), [("STARTING", True), ("PAUSED", False), ("HALTED", False), ("both", False)]
)
def test_an_entry_goes_out_again_only_where_entries_may(mode: str, again: bool) -> None:
    story = Story()
    entry = lost(story)
    if mode in ("STARTING", "both"):
        story.tell(Restarted())
    if mode in ("PAUSED", "both"):
        story.ask(i.Pause(id="p"))
    if mode == "HALTED":
        story.ask(i.Halt(id="h"))
    story.now += 7 * SECOND
    for _ in range(2):
        story.tell(r.Absent(entry.client_order_id, story.now))
    assert bool(story.orders("entry")) is again


def test_an_exit_that_never_arrived_is_left_to_custody() -> None:
    story = Story()
    assert story.buy("0.5").ok
    story.fill(story.order("entry"))
    stop = story.order("stop")
    story.tell(r.Unknown(stop.client_order_id, "submit", "no answer", story.now))
    story.now += 7 * SECOND
    for _ in range(2):
        story.tell(r.Absent(stop.client_order_id, story.now))
    assert [submit.order.role.value for submit in story.sent(Submit)] == ["entry", "stop", "stop"]
    assert story.order("stop").client_order_id == client_order_id("test", stop.position, "stop", 2)
    assert "ORDER_REJECTED" not in story.told()


def test_a_working_order_that_is_absent_twice_is_gone() -> None:
    story = Story()
    entry = resting(story)
    story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    story.now += 7 * SECOND
    for _ in range(2):
        story.tell(r.Absent(entry.client_order_id, story.now))
    known = story.now_of(entry)
    assert (known.status, known.reason) == (Status.CANCELLED, "the venue no longer knows it")
    (alert,) = story.state.alerts.values()
    assert (alert.code, alert.subject, alert.detail) == (
        "DIFFERENCE",
        entry.client_order_id,
        "the venue no longer knows a working order",
    )
    assert not story.orders("entry"), "it is not sent again"


# The account


def test_a_picture_is_asked_for_again_once_the_last_question_is_lost() -> None:
    story = Story()
    story.tell(Reconcile())
    story.now = START + 15 * SECOND
    story.tell(Reconcile())
    assert len(story.sent(QueryAccount)) == 2, "one of them at the start"
    story.now += 1
    story.tell(Reconcile())
    assert len(story.sent(QueryAccount)) == 3


def test_executions_are_asked_for_from_a_minute_before_the_last_that_is_known() -> None:
    story = Story()
    story.now += 500 * SECOND
    pictured = story.state.reconciled_at
    story.tell(Reconcile())
    assert (
        story.sent(QueryAccount)[-1].since == pictured - 60 * SECOND < story.now - 500 * SECOND
    ), "there is none: from the last picture on"
    story.picture()
    story.price(BTC, "60000")
    story.opened()
    last = story.now
    story.now += 100 * SECOND
    story.tell(Reconcile())
    assert story.sent(QueryAccount)[-1] == QueryAccount(
        last - 60 * SECOND, Lane.QUERY, on_margin=True
    )
    story.picture()
    story.state.last_fill_at = 60 * SECOND - 1
    story.tell(Reconcile())
    assert story.sent(QueryAccount)[-1].since == 0, "there is nothing before 1970"


def test_an_execution_that_the_stream_tells_hides_none_that_happened_while_nobody_listened() -> (
    None
):
    """A stop fills right after the start, before the first picture has come; then the process dies
    again.
    """
    story = Story()
    story.opened()
    story.picture()
    compared = story.state.reconciled_at
    story.now += 3_600 * SECOND
    story.tell(Restarted())
    story.price(BTC, "60000")
    story.fill(story.order("stop"))
    assert story.state.last_fill_at == story.now
    story.tell(Restarted())
    assert story.sent(QueryAccount)[-1].since == compared - 60 * SECOND


def test_a_restart_asks_for_executions_from_before_the_last_that_is_known() -> None:
    story = Story()
    assert story.sent(QueryAccount) == [QueryAccount(START - 86_460 * SECOND, Lane.QUERY)], (
        "a new journal looks back a day"
    )
    story.opened()
    story.now += 100 * SECOND
    story.tell(Restarted())
    assert story.sent(QueryAccount)[-1].since == START - 60 * SECOND
    assert story.board.restarted_at == story.now
    story.state.last_fill_at = 60 * SECOND - 1
    story.tell(Restarted())
    assert story.sent(QueryAccount)[-1].since == 0
    assert len([event for event in story.seen(e.EntriesBlocked) if event.code == "STARTING"]) == 2


def test_a_restart_doubts_what_was_on_its_way_and_nothing_else() -> None:
    story = Story(FUTURES)
    working = resting(story)
    story.opened("1", symbol=ETH, price="3000")
    stop = story.order("stop")
    story.ask(i.MoveStop(id="m", position=stop.position, stop=i.At(D(2_990))))
    reborn = Desk(decode_state(encode_state(story.state)), story.rules, story.profile, story.board)
    story.now += 1
    decision = reborn.handle(Restarted(), story.now)
    assert [event for event in decision.events if isinstance(event, e.OutcomeUnknown)] == [
        e.OutcomeUnknown(
            story.now, stop.client_order_id, "amend", "the engine was restarted", story.now
        )
    ]
    assert working.client_order_id not in reborn.state.doubts
    assert not [event for event in decision.events if isinstance(event, e.QuestionFailed)], (
        "it is asked about now as it is"
    )
    assert decision.requests[-1] == QueryAccount(
        story.state.last_fill_at - 60 * SECOND, Lane.QUERY, on_margin=True
    )


def test_a_restart_asks_at_once_about_what_was_doubted_before() -> None:
    story = Story()
    entry = resting(story)
    story.now += 11 * SECOND
    story.picture(orders=())
    assert doubt_of(story, entry).ask_at == story.now + 10 * SECOND
    story.tell(Restarted())
    assert doubt_of(story, entry) == Doubt(
        "check", "not in the venue's picture", story.now, story.now, asked=1
    )
    assert story.seen(e.QuestionFailed) == [
        e.QuestionFailed(story.now, entry.client_order_id, story.now)
    ]
    story.tell(Restarted())
    story.tell(Reconcile())
    assert len(story.sent(Query)) == 3, (
        "and after each start anew: the question may have been lost with the process"
    )


# The picture


@pytest.mark.parametrize(("age", "asked"), [(10 * SECOND - 1, 0), (10 * SECOND, 1)])
def test_an_order_that_a_picture_lacks_is_asked_about_ten_seconds_after_it_changed(
    age: int, asked: int
) -> None:
    story = Story()
    resting(story)
    story.now += 20 * SECOND
    story.picture(orders=(), as_of=START + age)
    assert len(story.sent(Query)) == asked


@pytest.mark.parametrize(("as_of", "taken"), [(-1, False), (0, True), (1, True)])
def test_terms_of_a_picture_are_taken_where_it_is_not_older_than_ours(
    as_of: int, taken: bool
) -> None:
    story = Story()
    entry = resting(story)
    changed = story.order("entry").touched_at
    story.now += 20 * SECOND
    story.picture(orders=(replace(entry, price=D(58_900)),), as_of=changed + as_of)
    assert story.order("entry").price == (D(58_900) if taken else D(59_000))


def test_when_the_line_is_up_again_what_is_in_doubt_is_asked_about_at_once() -> None:
    story = Story()
    story.opened()
    stop = story.order("stop")
    story.ask(i.MoveStop(id="m", position=stop.position, stop=i.At(D(59_500))))
    story.tell(r.Unknown(stop.client_order_id, "amend", "no answer", story.now))
    story.wait(0.3)
    story.tell(r.Disconnected("broken", story.now))
    asked = len(story.sent(Query))
    story.now += SECOND // 10
    story.tell(r.Connected(story.now))
    story.tell(Wake())
    assert len(story.sent(Query)) == asked + 1
