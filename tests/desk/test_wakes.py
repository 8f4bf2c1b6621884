"""When the desk wants to be woken, and for what: each time to the nanosecond; and what leaves it as
a request.
"""

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.desk import Desk
from engine.desk.evolve import evolve
from engine.desk.messages import Crossed, Pulse, RateLimited, Slept, Wake
from engine.desk.rules import ProtectionRules, RequestRules, Rules
from engine.desk.state import decode_state, encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount, Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
FUTURES = "kraken-futures"
DAY = 86_400 * SECOND


def resting(story: Story, **terms: object) -> Order:
    assert story.buy("0.5", type=LIMIT, price=D(59_000), **terms).ok
    story.accept(story.order("entry"))
    return story.order("entry")


def woken(story: Story) -> None:
    """Its next time has come."""
    at = story.desk.next_wake()
    assert at is not None
    assert at > story.now
    story.now = at - 1
    seq = story.state.seq
    story.tell(Wake())
    assert story.state.seq == seq, "a moment before, nothing happens"
    story.now = at
    story.tell(Wake())


# Wakes


def test_nothing_that_waits_for_nothing_is_woken() -> None:
    story = Story()
    assert story.desk.next_wake() is None
    resting(story)
    assert story.desk.next_wake() is None
    story.opened("1", symbol=ETH, price="3000")
    assert story.desk.next_wake() is None


def test_an_entry_is_cancelled_when_it_expires() -> None:
    story = Story()
    entry = resting(story, expires_in=30 * SECOND)
    assert story.desk.next_wake() == START + 30 * SECOND
    woken(story)
    assert [(cancel.client_order_id, cancel.lane) for cancel in story.sent(Cancel)] == [
        (entry.client_order_id, Lane.CANCEL)
    ]
    assert story.now_of(entry).reason == "expired"
    assert story.desk.next_wake() is None


def test_what_is_being_cancelled_or_doubted_need_not_expire() -> None:
    story = Story()
    entry = resting(story, expires_in=30 * SECOND)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    assert story.desk._next(entry.position, story.ctx) is None
    story = Story()
    entry = resting(story, expires_in=30 * SECOND)
    story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    assert story.desk._next(entry.position, story.ctx) == START + SECOND // 4, "the question"


def test_a_refused_exit_is_tried_again_at_its_time() -> None:
    story = Story()
    story.buy("0.5")
    story.fill(story.order("entry"))
    story.rejected(story.order("stop"))
    assert story.desk.next_wake() == START + SECOND
    woken(story)
    assert story.order("stop").status is Status.PENDING
    assert story.desk.next_wake() is None


def test_a_stop_that_does_not_fire_is_taken_over_when_its_grace_ends() -> None:
    story = Story(FUTURES)
    story.opened()
    story.price(BTC, "59300")
    assert story.desk.next_wake() == START + 2 * SECOND, "it is asked about by its id first"
    woken(story)
    assert len(story.sent(Query)) == 1
    assert story.desk.next_wake() == START + 3 * SECOND, "whatever becomes of the question"
    woken(story)
    assert story.position().close_reason == "stop (guard took over)"


def test_a_close_that_takes_long_is_told_again_and_again() -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    for times in (1, 2, 3):
        assert story.desk.next_wake() == START + 20 * times * SECOND
        woken(story)
        (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "CLOSE_STUCK"]
        assert (alert.subject, alert.detail, alert.count) == (BTC, "0.5 left after 1 attempts", 1)
    story.fill(story.order("close"), "0.2")
    story.now += 20 * SECOND
    story.tell(Wake())
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "CLOSE_STUCK"]
    assert (alert.detail, alert.count) == ("0.3 left after 1 attempts", 2)


def test_a_part_that_has_been_closed_is_not_waited_for() -> None:
    story = Story(FUTURES)
    position = story.opened()
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.5")))
    story.fill(story.order("close"))
    story.amended(story.order("stop"))
    assert (story.position().closing, story.position().closing_since) == (D(0), START)
    assert story.desk._next(position.id, story.ctx) is None
    story.now = START + 30 * SECOND
    story.cancelled(story.order("stop"), "by the venue")
    story.now += SECOND
    story.tell(Wake())
    assert story.orders("stop"), "it was looked at"
    assert "CLOSE_STUCK" not in story.told()


def test_what_is_looked_at_early_is_neither_stuck_nor_taken_over() -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.rejected(story.order("close"))
    woken(story)
    assert story.order("close").status is Status.PENDING, "tried again after a second"
    assert "CLOSE_STUCK" not in story.told()
    story = Story(FUTURES)
    assert story.buy("0.5", target=i.Away(D("0.02"))).ok
    story.fill(story.order("entry"))
    story.accept(story.order("stop"))
    story.rejected(story.order("target"))
    story.price(BTC, "59400")
    woken(story)
    assert story.order("target").status is Status.PENDING, "tried again after a second"
    assert (story.position().through_since, story.position().closing) == (START, D(0))


def test_a_close_that_may_not_take_long_at_all_is_looked_at_every_second() -> None:
    story = Story(FUTURES, Rules(protection=ProtectionRules(stuck=0.0)))
    story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert story.desk.next_wake() == START + SECOND


def test_a_close_that_somebody_elses_order_holds_up_says_so() -> None:
    story = Story()
    story.opened()
    theirs = Order(
        "x",
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.3"),
        price=D(70_000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
    )
    story.picture(
        orders=(
            story.order("stop"),
            theirs,
            replace(theirs, venue_order_id="Y", side=Side.BUY),
            replace(theirs, venue_order_id="Z", symbol=ETH),
        )
    )
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.now += 20 * SECOND
    story.tell(Wake())
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "CLOSE_STUCK"]
    assert (
        alert.detail
        == "0.5 left after 0 attempts; 0.3 rests in orders that are not ours: cancel those (all"
        " orders of the account), or there"
    )


@pytest.mark.parametrize(
    ("profile", "side"), [("kraken-spot", Side.SELL), (FUTURES, Side.BUY), (FUTURES, Side.SELL)]
)
def test_somebody_elses_order_holds_up_only_what_is_sold_from_a_holding(
    profile: str, side: Side
) -> None:
    story = Story(profile)
    story.opened(side=side, stop=None)
    theirs = Order(
        "x",
        "",
        BTC,
        Side.SELL,
        LIMIT,
        Role.ENTRY,
        D("0.3"),
        price=D(70_000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
    )
    story.picture(orders=(theirs,))
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    assert story.order("close").size == D("0.5")
    story.now += 20 * SECOND
    story.tell(Wake())
    (alert,) = [alert for alert in story.state.alerts.values() if alert.code == "CLOSE_STUCK"]
    assert alert.detail == "0.5 left after 1 attempts"


def test_exits_wait_a_while_for_the_venues_word_after_a_start() -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    desk = Desk(decode_state(encode_state(story.state)), story.rules, story.profile, story.board)
    story.board.picture = None
    story.board.restarted_at = START
    story.desk = desk
    story.ask(i.MoveStop(id="m", position=story.position().id, stop=i.At(D(59_400))))
    assert not story.orders("stop")
    assert desk.next_wake() == START + 5 * SECOND
    woken(story)
    assert story.order("stop").trigger == D(59_400)
    assert desk.next_wake() is None


def test_a_picture_from_before_the_start_is_not_waited_with() -> None:
    for as_of, waits in ((START - 1, True), (START, False)):
        story = Story(FUTURES)
        story.opened(stop=None)
        assert story.board.picture is not None
        story.board.picture = replace(story.board.picture, as_of=as_of)
        story.ask(i.MoveStop(id="m", position=story.position().id, stop=i.At(D(59_400))))
        assert bool(story.orders("stop")) is not waits


def test_the_earliest_of_several_is_next_and_what_has_ended_is_not_waited_for() -> None:
    story = Story(FUTURES)
    late = resting(story, expires_in=30 * SECOND)
    assert story.buy("1", symbol=ETH, type=LIMIT, price=D(2_900), expires_in=10 * SECOND).ok
    early = story.orders("entry")[-1]
    story.accept(early)
    assert story.desk.next_wake() == START + 10 * SECOND
    story.cancelled(early)
    assert early.position not in story.state.positions
    assert story.desk.next_wake() == START + 30 * SECOND
    story.cancelled(late)
    assert story.desk.next_wake() is None


@pytest.mark.parametrize(
    ("side", "trigger", "jumped", "untouched", "best"),
    [
        (Side.BUY, "61000", ("61000", "61305.1"), ("61000", "61305"), "61305.1"),
        (Side.SELL, "59000", ("58704.9", "59000"), ("58705", "59000"), "58704.9"),
    ],
)
def test_a_stop_entry_is_looked_at_a_while_after_it_fired(
    side: Side, trigger: str, jumped: tuple[str, str], untouched: tuple[str, str], best: str
) -> None:
    """Its limit is half a per cent beyond its trigger: 61305 or 58705."""
    story = Story(FUTURES)
    assert story.buy("0.5", side=side, type=STOP, trigger=D(trigger), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    assert story.desk.next_wake() is None
    story.price(BTC, *untouched)
    story.tell(r.Triggered(entry.client_order_id, story.now))
    assert story.desk.next_wake() == START + 3 * SECOND
    story.now += 3 * SECOND
    story.tell(Wake())
    assert "STOP_LIMIT_JUMPED" not in story.standing(), "it fills at its limit"
    assert story.desk.next_wake() == START + 6 * SECOND
    story.price(BTC, *jumped)
    story.now += 3 * SECOND
    story.tell(Wake())
    (alert,) = story.state.alerts.values()
    limit = "61305.0" if side is Side.BUY else "58705.0"
    assert (alert.code, alert.subject, alert.target) == (
        "STOP_LIMIT_JUMPED",
        f"entry {side.value} BTC/USD",
        entry.client_order_id,
    )
    assert alert.detail == f"it rests at {limit} while the market is at {best}; amend or cancel it"
    assert story.desk.next_wake() is None, "somebody was told"


def test_without_a_price_nobody_knows_of_a_jump() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=STOP, trigger=D(61_000), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    story.tell(r.Triggered(entry.client_order_id, story.now))
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    story.now += 3 * SECOND
    story.tell(Wake())
    assert "STOP_LIMIT_JUMPED" not in story.standing()
    assert story.desk.next_wake() == START + 6 * SECOND


def test_a_stop_entry_that_is_being_cancelled_is_not_watched_for_a_jump() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=STOP, trigger=D(61_000), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    story.tell(r.Triggered(entry.client_order_id, story.now))
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.price(BTC, "70000")
    story.now += 3 * SECOND
    story.tell(Wake())
    assert "STOP_LIMIT_JUMPED" not in story.standing()


# Pulses


def pulsed(story: Story) -> Story:
    story.tell(Pulse())
    return story


def test_an_idle_desk_is_looked_at_for_its_next_sample_and_its_next_picture() -> None:
    story = Story()
    assert story.desk.next_pulse(story.now) == story.now, "the first sample"
    pulsed(story)
    assert story.desk.next_pulse(story.now) == START + 60 * SECOND
    assert not story.desk.needs_pulse(START + 60 * SECOND - 1)
    assert story.desk.needs_pulse(START + 60 * SECOND)
    story.board.sampled_at = START + 270 * SECOND
    assert story.desk.next_pulse(story.now) == START + 300 * SECOND, (
        "with nothing open, five minutes after the last picture"
    )
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    assert story.desk.next_pulse(story.now) == START + 60 * SECOND, "with anything open, one"


@pytest.mark.parametrize(("after", "asked"), [(300 * SECOND - 1, 0), (300 * SECOND, 1)])
def test_a_picture_is_asked_for_when_it_is_due(after: int, asked: int) -> None:
    story = Story()
    before = len(story.sent(QueryAccount))
    story.now = START + after
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == before + asked


def test_alerts_of_other_kinds_need_no_look_every_second() -> None:
    story = pulsed(Story())
    story.opened(stop=None, label="swing")
    story.tell(RateLimited("slow down"))
    assert {alert.subject for alert in story.state.alerts.values()} == {"swing BTC/USD", "venue"}
    story.board.judged_at = START + DAY
    assert story.desk.next_pulse(story.now) == START + 10 * SECOND, "the next sample"


def test_a_position_without_orders_is_something_open() -> None:
    story = Story()
    story.opened(stop=None)
    story.board.sampled_at = story.board.judged_at = START + 270 * SECOND
    story.board.set_pace(BTC, 100 * SECOND)
    assert not story.state.orders
    assert story.desk.next_pulse(story.now) == START + 60 * SECOND


def test_a_price_that_is_needed_is_looked_at_when_it_goes_stale() -> None:
    story = Story(rules=Rules(requests=RequestRules(reconcile=3600)))
    story.opened()
    story.board.sampled_at = story.board.judged_at = START + DAY
    stale_at = START + 60 * SECOND + 1
    assert story.desk.next_pulse(story.now) == stale_at
    assert not story.desk.needs_pulse(stale_at - 1)
    assert story.desk.next_pulse(stale_at) == stale_at
    story.now = stale_at
    pulsed(story)
    assert "STALE_PRICE" in story.standing()
    story.price(BTC, "60000")
    assert story.desk.next_pulse(story.now) == story.now, (
        "it is fresh again, and that is not said yet"
    )
    pulsed(story)
    assert story.desk.next_pulse(story.now) == story.now + 60 * SECOND + 1


def test_what_is_said_of_a_price_that_nobody_needs_is_taken_back_at_once() -> None:
    story = Story(FUTURES, Rules(requests=RequestRules(reconcile=3600)))
    story.opened()
    story.board.sampled_at = START + DAY
    story.now += 60 * SECOND + 1
    pulsed(story)
    story.fill(story.order("stop"), price="59400")
    assert story.desk.next_pulse(story.now) == story.now
    pulsed(story)
    story.board.sampled_at = START + DAY
    assert story.desk.next_pulse(story.now) == story.now + 5 * SECOND, "what it cost to be lent"
    story.now += 5 * SECOND
    story.picture()
    assert story.desk.next_pulse(story.now) == story.now + 5 * 3600 * SECOND


@pytest.mark.parametrize("blocks", [True, False])
def test_while_entries_are_blocked_or_everything_is_closed_every_second_counts(
    blocks: bool,
) -> None:
    story = pulsed(Story(FUTURES))
    story.opened()
    if blocks:
        story.ask(i.Pause(id="p"))
    else:
        story.ask(i.Flatten(id="f"))
        del story.state.blocks["FLATTEN"]
    assert story.desk.next_pulse(story.now + 7) == story.now + 7


@pytest.mark.parametrize(
    ("code", "doubt", "asked"),
    [
        ("STARTING", False, True),
        ("STARTING", True, False),
        ("SLEPT", True, True),
        ("PAUSED", False, False),
    ],
)
def test_a_pulse_asks_for_the_picture_that_is_waited_for(
    code: str, doubt: bool, asked: bool
) -> None:
    story = Story()
    entry = resting(story)
    if doubt:
        story.tell(r.Unknown(entry.client_order_id, "amend", "no answer", story.now))
    evolve(story.state, e.EntriesBlocked(story.now, code, "it waits", None))
    before = len(story.sent(QueryAccount))
    story.now += SECOND
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == before + asked


def test_questions_about_a_view_that_lags_come_farther_and_farther_apart() -> None:
    story = Story()
    story.now += 100 * SECOND
    began = story.now
    story.tell(Slept("nobody looked for 90 s"))
    asked = [0]
    for second in range(1, 90):
        if asked[-1] == second - 1:
            story.picture(as_of=began - SECOND)
        story.now += SECOND
        story.price(BTC, "60000")
        before = len(story.sent(QueryAccount))
        story.tell(Pulse())
        if len(story.sent(QueryAccount)) > before:
            asked.append(second)
    pauses = [then - first for first, then in pairwise(asked)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1], len(asked)) == (1, 15, 15), asked
    story.picture(as_of=story.now)
    assert "SLEPT" not in story.state.blocks


def test_after_a_sleep_entries_wait_for_a_picture_of_a_later_time() -> None:
    story = Story()
    story.now += 100 * SECOND
    before = len(story.sent(QueryAccount))
    story.tell(Slept("nobody looked for 90 s"))
    assert story.board.restarted_at == story.now
    assert {"SLEPT"} <= set(story.state.blocks)
    assert "SLEPT" in story.standing()
    assert len(story.sent(QueryAccount)) == before + 1
    story.picture(as_of=story.now - 1)
    assert "SLEPT" in story.state.blocks
    story.picture(as_of=story.now)
    assert not story.state.blocks
    assert "SLEPT" not in story.standing()


# What leaves


def test_requests_carry_the_venues_id_and_the_age_of_their_order() -> None:
    story = Story(FUTURES)
    position = story.opened()
    stop = story.order("stop")
    story.now += SECOND
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    assert story.sent(Amend) == [
        Amend(
            stop.client_order_id,
            BTC,
            Lane.PROTECT,
            f"V{stop.client_order_id}",
            trigger=D(59_700),
            touched_at=START,
        ),
    ]
    story.amended(stop)
    story.now += SECOND
    story.ask(i.CancelOrder(id="c", order=stop.client_order_id))
    assert story.sent(Cancel) == [
        Cancel(
            stop.client_order_id, BTC, Lane.CANCEL, f"V{stop.client_order_id}", START + SECOND + 1
        )
    ]


def test_an_orphan_is_cancelled_by_what_the_venue_says_of_it() -> None:
    story = Story(FUTURES)
    theirs = Order(
        "x",
        "",
        ETH,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id="X",
        status=Status.OPEN,
        foreign=True,
        touched_at=5,
    )
    story.picture(orders=(theirs,))
    assert story.ask(i.CancelAll(id="c", foreign=True)).ok
    assert story.sent(Cancel) == [Cancel("x", ETH, Lane.CANCEL, "X", 5)]


def test_each_event_that_asks_something_leaves_once_and_no_other() -> None:
    story = Story(FUTURES)
    story.opened(target=i.Away(D("0.02")))
    leaving = (
        e.OrderSubmitted,
        e.AmendAsked,
        e.CancelAsked,
        e.QuestionAsked,
        e.AccountAsked,
        e.OrphanCancelled,
    )
    assert len(story.requests) == len(
        [event for event in story.events if isinstance(event, leaving)]
    )
    assert [submit.order.role for submit in story.sent(Submit)] == [
        Role.ENTRY,
        Role.STOP,
        Role.TARGET,
    ]


@pytest.mark.parametrize("what", ["stop", "target", "trail", "follow", "activate"])
def test_a_price_that_crosses_what_is_not_held_does_nothing(what: str) -> None:
    story = Story(FUTURES)
    resting(story)
    seq = story.state.seq
    story.tell(Crossed(BTC, (("nobody", what), (story.position().id, what))))
    story.tell(Crossed("NO/SUCH", ((story.position().id, what),)))
    assert story.state.seq == seq


def test_what_is_held_on_credit_is_looked_at_every_five_seconds() -> None:
    story = pulsed(Story(FUTURES))
    story.opened(stop=None)
    story.board.margin_at = story.now
    assert story.desk.next_pulse(story.now) == story.now + SECOND, (
        "losses are judged every second while something is held"
    )
    story.board.judged_at = START + DAY
    assert story.desk.next_pulse(story.now) == story.now + 5 * SECOND
