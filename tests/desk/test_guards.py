"""Guards, graces, trails and retries at their exact price and moment; and what is said while they
act.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import protection
from engine.desk.messages import Crossed, Wake
from engine.desk.rules import ProtectionRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import OrderType, Role, Trail
from engine.model.position import Position, Protection
from engine.model.request import Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def protections(story: Story) -> list[Protection]:
    return [event.protection for event in story.seen(e.ProtectionChanged)]


# What protects


def test_a_change_of_protection_is_told_once() -> None:
    story = Story(FUTURES)
    story.opened()
    story.wait(5)
    story.ask(i.Annotate(id="n", position=story.position().id, note="n"))
    assert protections(story) == [Protection.GUARDED, Protection.VENUE]
    assert story.position().protection_since == START


def test_what_was_naked_from_the_first_is_told_as_well() -> None:
    story = Story(FUTURES)
    story.opened(stop=None)
    story.wait(5)
    assert protections(story) == [Protection.NAKED]
    assert story.position().protection_since == START
    assert story.position().naked_until(story.now) == 5 * SECOND


def test_what_is_closed_as_a_whole_is_guarded_though_it_has_no_stop() -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None)
    assert "NAKED" in story.standing()
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.5")))
    assert story.position().protection is Protection.NAKED, "the other half is not"
    story.fill(story.order("close"))
    story.ask(i.ClosePosition(id="d", position=position.id))
    assert story.position().protection is Protection.GUARDED
    assert "NAKED" not in story.standing()


def test_less_than_a_lot_is_protected_by_nothing() -> None:
    story = Story("binance-spot")
    assert story.buy("0.0001", type=LIMIT, price=D(60_000), stop=None).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.00001", fee="0.00000001", currency="BTC")
    held = story.position()
    assert story.ctx.instrument(held).round_size(held.size) == 0
    assert (held.dust, held.protection) == (False, Protection.NAKED)
    story.cancelled(entry)
    assert story.closed().size == D("0.00000999")
    assert "NAKED" not in story.standing()


def test_a_stop_that_is_larger_than_what_is_left_covers_it() -> None:
    story = Story(FUTURES)
    position = story.opened()
    story.ask(i.ClosePosition(id="c", position=position.id, part=D("0.5")))
    story.fill(story.order("close"))
    assert story.order("stop").remaining == D("0.5")
    assert (story.position().size, story.position().protection) == (D("0.25"), Protection.VENUE)
    story.price(BTC, "59400")
    assert (story.position().through_since, story.position().closing) == (START, D(0)), (
        "it has its grace"
    )


def test_a_stop_for_a_part_has_no_grace() -> None:
    story = Story(FUTURES)
    story.opened()
    story.fill(story.state.ended[next(iter(story.state.ended))], "0.1")
    assert story.order("stop").remaining == D("0.5")
    story.price(BTC, "59400")
    assert (story.position().through_since, story.position().closing) == (None, D("0.6"))
    assert story.position().close_reason == "stop (guard)"


# Refusals, while a stop works


def beside() -> Story:
    """A stop works; the target beside it was refused."""
    story = Story(FUTURES)
    assert story.buy("0.5", target=i.Away(D("0.02"))).ok
    story.fill(story.order("entry"))
    story.accept(story.order("stop"))
    story.rejected(story.order("target"))
    return story


def refusals(story: Story) -> tuple[int, int | None]:
    return story.position().stop_refusals, story.position().retry_at


def test_refusals_are_over_once_nothing_waits_or_is_on_its_way() -> None:
    story = beside()
    assert story.position().protection is Protection.VENUE
    assert refusals(story) == (1, START + SECOND)
    story.now += SECOND
    story.tell(Wake())
    assert refusals(story) == (1, None), "another is on its way"
    story.rejected(story.order("target"))
    assert refusals(story) == (2, story.now + 2 * SECOND), "twice as long"
    story.now += 2 * SECOND
    story.tell(Wake())
    story.accept(story.order("target"))
    assert refusals(story) == (0, None)
    assert story.seen(e.StopRetrySet)[-1] == e.StopRetrySet(story.now, story.position().id, 0, None)


def test_a_refused_amend_is_over_once_the_next_one_is_done() -> None:
    story = beside()
    story.now += SECOND
    story.tell(Wake())
    target = story.order("target")
    story.accept(target)
    story.ask(i.MoveTarget(id="m", position=story.position().id, target=i.At(D(61_500))))
    story.tell(r.AmendRejected(target.client_order_id, "EOrder:no", story.now))
    assert refusals(story) == (1, story.now + SECOND)
    story.tell(r.Found(replace(story.order("target"), in_doubt=False), (), story.now))
    assert not story.state.doubts
    assert refusals(story) == (1, story.now + SECOND), "it waits"
    story.now += SECOND
    story.tell(Wake())
    assert story.order("target").amend_pending
    assert refusals(story) == (1, story.now), "it is being changed"
    story.amended(target)
    assert refusals(story) == (0, None)


def test_an_exit_in_doubt_keeps_refusals() -> None:
    story = beside()
    story.now += SECOND
    story.tell(Wake())
    target = story.order("target")
    story.accept(target)
    assert refusals(story) == (0, None)
    story.tell(r.Unknown(target.client_order_id, "amend", "no answer", story.now))
    story.state.positions[target.position] = replace(story.position(), stop_refusals=3)
    story.ask(i.Annotate(id="n", position=target.position, note="n"))
    assert refusals(story) == (3, None)
    story.tell(r.Found(replace(story.order("target"), in_doubt=False), (), story.now))
    assert refusals(story) == (0, None)


def test_a_pause_is_over_at_its_very_end() -> None:
    story = beside()
    story.ask(i.MoveTarget(id="m", position=story.position().id, target=None))
    assert refusals(story) == (1, START + SECOND)
    story.now = START + SECOND
    story.tell(Wake())
    assert refusals(story) == (0, None)


@pytest.mark.parametrize(
    ("before", "pause"),
    [(0, 1), (1, 2), (4, 16), (15, 32_768), (16, 65_536), (17, 65_536), (99, 65_536)],
)
def test_pauses_double_sixteen_times_at_most(before: int, pause: int) -> None:
    story = Story(FUTURES, Rules(protection=ProtectionRules(retry_max=1e9)))
    position = replace(story.opened(), stop_refusals=before)
    first = next(protection.refused(story.ctx, position, "no", Role.STOP))
    assert first == e.StopRetrySet(START, position.id, before + 1, START + pause * SECOND)


@pytest.mark.parametrize(
    ("policy", "before", "role", "halted", "closes"),
    [
        ("close", 4, Role.STOP, False, True),
        ("close", 5, Role.STOP, False, True),
        ("close", 3, Role.STOP, False, False),
        ("close", 4, Role.STOP, True, False),
        ("close", 4, Role.TARGET, False, False),
        ("guard", 4, Role.STOP, False, False),
    ],
)
def test_the_fifth_refusal_of_a_stop_closes_where_that_is_the_policy(
    policy: str, before: int, role: Role, halted: bool, closes: bool
) -> None:
    story = Story(FUTURES, Rules(protection=ProtectionRules(policy=policy)))  # type: ignore[arg-type] # one of the two
    position = replace(story.opened(), stop_refusals=before)
    story.state.halted = halted
    told = list(protection.refused(story.ctx, position, "no", role))
    assert [event for event in told if isinstance(event, e.ClosingBegan)] == (
        [e.ClosingBegan(START, position.id, D("0.5"), "stop refused")] if closes else []
    )
    alerts = [event.alert for event in told if isinstance(event, e.AlertRaised)]
    assert [(alert.code, alert.subject, alert.detail) for alert in alerts] == (
        [("STOP_REFUSED", BTC, "no")] if role is Role.STOP else []
    )


# The grace of a stop at the venue


@pytest.mark.parametrize(
    ("side", "through", "back"),
    [(Side.BUY, "59400", "59400.1"), (Side.SELL, "60600", "60599.9")],
)
@pytest.mark.parametrize("comes_back", [False, True])
def test_after_the_grace_the_guard_takes_over_unless_the_price_came_back(
    side: Side, through: str, back: str, comes_back: bool
) -> None:
    story = Story(FUTURES)
    position = story.opened(side=side, label="swing")
    story.price(BTC, through, through)
    assert story.position().through_since == START
    if comes_back:
        story.price(BTC, back, back)
    story.now = START + 3 * SECOND - 1
    story.tell(Wake())
    assert story.position().through_since == START
    story.now += 1
    story.tell(Wake())
    assert story.position().through_since is None
    alerts = [
        (alert.subject, alert.detail, alert.target)
        for alert in story.state.alerts.values()
        if alert.code == "STOP_NOT_FIRING"
    ]
    if comes_back:
        assert (story.position().closing, alerts) == (D(0), [])
    else:
        assert (story.position().closing, story.position().close_reason) == (
            D("0.5"),
            "stop (guard took over)",
        )
        assert alerts == [("swing BTC/USD", "59400" if side is Side.BUY else "60600", position.id)]


def test_a_stop_that_was_triggered_gets_another_grace() -> None:
    story = Story(FUTURES)
    story.opened()
    story.price(BTC, "59300")
    story.tell(r.Triggered(story.order("stop").client_order_id, story.now))
    story.now += 3 * SECOND
    story.tell(Wake())
    assert (story.position().through_since, story.position().closing) == (story.now, D(0))
    assert story.desk.next_wake() == story.now + 3 * SECOND


def test_a_halted_desk_tells_and_leaves_it() -> None:
    story = Story(FUTURES)
    story.opened()
    story.price(BTC, "59300")
    story.ask(i.Halt(id="h"))
    story.now += 3 * SECOND
    story.tell(Wake())
    assert "STOP_NOT_FIRING" in story.standing()
    assert (story.position().through_since, story.position().closing) == (None, D(0))


def test_without_a_price_nothing_is_taken_over() -> None:
    story = Story(FUTURES)
    story.opened()
    story.price(BTC, "59300")
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    story.now += 3 * SECOND
    story.tell(Wake())
    assert (story.position().through_since, story.position().closing) == (None, D(0))
    assert "STOP_NOT_FIRING" not in story.told()


def test_a_stop_that_has_filled_in_its_grace_is_not_missed() -> None:
    story = Story(FUTURES)
    story.opened(target=i.Away(D("0.02")))
    story.price(BTC, "59300")
    story.fill(story.order("stop"), price="59390")
    assert story.order("target").cancel_pending
    story.now += 3 * SECOND
    story.tell(Wake())
    assert "STOP_NOT_FIRING" not in story.told()
    story.cancelled(story.order("target"))
    assert story.closed().close_reason == "stop"


def test_a_stop_that_was_taken_away_in_its_grace_is_not_missed() -> None:
    story = Story(FUTURES)
    position = story.opened()
    story.price(BTC, "59300")
    story.state.positions[position.id] = replace(story.position(), stop=None)
    assert [type(event) for event in protection.grace_over(story.ctx, story.position())] == [
        e.StopCrossed
    ]


# What crosses


def crossing(story: Story, what: str, price: str = "60000") -> list[e.AnyEvent]:
    return list(protection.crossed(story.ctx, story.position().id, what, D(price)))


def test_what_is_not_known_or_not_held_is_not_crossed() -> None:
    story = Story(FUTURES)
    assert story.buy(
        "0.5", type=LIMIT, price=D(59_000), trail=Trail(amount=D(100), after=D("0.01"))
    ).ok
    for what in ("stop", "trail", "target", "follow", "activate"):
        assert list(protection.crossed(story.ctx, "nobody", what, D(1))) == []
        assert crossing(story, what) == [], what


def test_a_halted_desk_crosses_nothing() -> None:
    story = Story(FUTURES)
    story.opened(trail=Trail(amount=D(100), after=D("0.01")), target=i.Away(D("0.02")))
    story.ask(i.Halt(id="h"))
    for what in ("stop", "trail", "target", "follow", "activate"):
        assert crossing(story, what) == [], what


@pytest.mark.parametrize(("what", "reason"), [("target", "target"), ("trail", "trailing stop")])
def test_what_closes_says_why(what: str, reason: str) -> None:
    story = Story(FUTURES)
    position = story.opened()
    assert crossing(story, what) == [e.ClosingBegan(START, position.id, D("0.5"), reason)]


def test_a_trail_that_fires_while_the_venues_stop_has_its_grace_waits_for_it() -> None:
    story = Story(FUTURES)
    position = story.opened()
    story.price(BTC, "59400")
    assert crossing(story, "trail") == []
    assert crossing(story, "stop") == [], "it has begun already"
    story.state.positions[position.id] = replace(story.position(), through_since=None)
    assert crossing(story, "stop") == [e.StopCrossed(START, position.id, START)]


def test_what_is_being_closed_is_not_closed_again() -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None)
    story.ask(i.ClosePosition(id="c", position=position.id))
    assert crossing(story, "target") == []
    story.state.positions[position.id] = replace(story.position(), closing=D("0.4"))
    assert crossing(story, "target") == [e.ClosingBegan(START, position.id, D("0.5"), "target")], (
        "all of it now"
    )


# Trails


@pytest.mark.parametrize(
    ("side", "before", "at", "best", "stop"),
    [
        (Side.BUY, "60599.9", "60600", D(60_600), D(60_500)),
        (Side.SELL, "59400.1", "59400", D(59_400), D(59_500)),
    ],
)
def test_a_trail_begins_at_its_profit_and_moves_from_there(
    side: Side, before: str, at: str, best: Decimal, stop: Decimal
) -> None:
    story = Story(FUTURES)
    trail = Trail(amount=D(100), after=D("0.01"))
    position = story.opened(side=side, trail=trail)
    assert story.seen(e.TrailSet) == [
        e.TrailSet(START, position.id, trail, following=False, best=None)
    ]
    story.price(BTC, before, before)
    assert (story.position().trailing, story.position().stop) == (False, position.stop)
    story.price(BTC, at, at)
    assert story.seen(e.TrailSet)[1:] == [
        e.TrailSet(START, position.id, trail, following=True, best=best, by="market")
    ]
    assert story.seen(e.TrailFollowed) == [e.TrailFollowed(START, position.id, best, stop)]
    further = best + 50 * side.sign
    story.amended(story.order("stop"))
    story.price(BTC, str(further), str(further))
    assert story.position().stop == stop + 50 * side.sign
    story.replays()


def test_a_trail_that_begins_behind_a_tighter_stop_follows_all_the_same() -> None:
    story = Story(FUTURES)
    position = story.opened(trail=Trail(amount=D(1000), after=D("0.01")))
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_900))))
    story.amended(story.order("stop"))
    story.price(BTC, "60600")
    assert (story.position().trailing, story.position().stop, story.position().best) == (
        True,
        D(59_900),
        D(60_600),
    )
    assert story.seen(e.TrailFollowed) == [], "59600 would be looser"
    story.price(BTC, "61000")
    assert story.position().stop == D(60_000)


def test_a_trail_from_the_entry_begins_at_its_price() -> None:
    story = Story(FUTURES)
    trail = Trail(fraction=D("0.01"))
    assert story.buy("0.5", type=LIMIT, price=D(60_000), stop=None, trail=trail).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2", price="59990")
    position = story.position()
    assert story.seen(e.TrailSet) == [
        e.TrailSet(START, position.id, trail, following=True, best=D(59_990))
    ]
    assert story.seen(e.TrailFollowed) == [
        e.TrailFollowed(START, position.id, D(59_990), D("59390.1"))
    ]
    story.fill(entry, "0.3", price="60000")
    assert len(story.seen(e.TrailSet)) == 1, "set once, however often the entry fills"


@pytest.mark.parametrize(
    ("amount", "stop"), [("59999.9", D("0.1")), ("60000", None), ("60001", None)]
)
def test_a_trail_wider_than_the_price_is_no_stop(amount: str, stop: Decimal | None) -> None:
    story = Story(FUTURES)
    position = story.opened(stop=None, trail=Trail(amount=D(amount)))
    assert position.stop == stop
    assert [event.stop for event in story.seen(e.TrailFollowed)] == ([] if stop is None else [stop])


def test_a_trail_behind_the_stop_moves_nothing() -> None:
    story = Story(FUTURES)
    position = story.opened()
    assert story.ask(i.SetTrail(id="t", position=position.id, trail=Trail(amount=D(600)))).ok
    assert story.seen(e.TrailFollowed) == [], "59400 is where the stop stands"
    assert story.ask(i.SetTrail(id="u", position=position.id, trail=Trail(amount=D(700)))).ok
    assert story.seen(e.TrailFollowed) == []
    assert story.ask(i.SetTrail(id="v", position=position.id, trail=Trail(amount=D(500)))).ok
    assert [event.stop for event in story.seen(e.TrailFollowed)] == [D(59_500)]


def test_following_without_a_trail_is_nothing() -> None:
    story = Story(FUTURES)
    position = story.opened()
    assert list(protection.follow(story.ctx, position.id, D(70_000))) == []


# What an entry wants once it fills


def test_stop_and_target_are_set_once_for_fills_at_one_price_and_moved_with_the_average() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(60_000), target=i.Away(D("0.02"))).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.1")
    story.fill(entry, "0.1")
    name = story.position().id
    assert story.seen(e.StopMoved) == [e.StopMoved(START, name, D(59_400), by="entry")]
    assert story.seen(e.TargetMoved) == [e.TargetMoved(START, name, D(61_200), by="entry")]
    story.fill(entry, "0.2", price="59900")
    # 1 % below 59950
    assert story.seen(e.StopMoved)[1:] == [e.StopMoved(START, name, D("59350.5"), by="entry")]
    assert story.seen(e.TargetMoved)[1:] == [e.TargetMoved(START, name, D(61_149), by="entry")]


def test_a_fill_of_an_entry_that_was_closed_long_ago_is_held_with_its_old_stop() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(60_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    late = story.fill_of(entry, "0.3")
    story.cancelled(entry)
    story.accept(story.order("stop"))
    story.fill(story.order("stop"), price="59400")
    assert story.closed().size == 0
    story.tell(r.Filled(late, story.now))
    story.confirm(late)
    assert (story.position().size, story.position().stop) == (D("0.3"), D(59_400))
    assert story.sent(Submit)[-1].order.role is Role.STOP
    assert (story.order("stop").size, story.order("stop").trigger) == (D("0.3"), D(59_400))
    story.replays()


def test_a_fill_that_only_makes_up_for_what_was_closed_too_much_moves_no_stop() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(60_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry, "0.2")
    story.accept(story.order("stop"))
    story.fill(story.order("stop"), "0.3", price="59400")
    assert story.position().size == D("-0.1")
    moved = len(story.seen(e.StopMoved))
    story.fill(entry, "0.1", price="59000")
    assert story.position().size == 0
    assert len(story.seen(e.StopMoved)) == moved


def test_alerts_about_outcomes_end_with_their_doubt_and_no_other() -> None:
    story = Story(FUTURES)
    naked = story.opened("1", symbol=ETH, price="3000", stop=None)
    for price in (59_000, 58_000):
        assert story.buy("0.1", type=LIMIT, price=D(price)).ok
    first, second = story.orders("entry")
    for order in (first, second):
        story.tell(r.Unknown(order.client_order_id, "submit", "no answer", story.now))
    story.accept(first)
    assert {(alert.code, alert.target) for alert in story.state.alerts.values()} == {
        ("NAKED", naked.id),
        ("UNKNOWN_OUTCOME", second.client_order_id),
    }


def test_a_size_of_nothing_gets_no_stop() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    planned = story.position()
    assert (planned.size, planned.is_open) == (D(0), False)
    story.tell(Crossed(BTC, ((planned.id, "stop"),)))
    story.wait(5)
    assert [submit.order.role for submit in story.sent(Submit)] == [Role.ENTRY]
    assert protections(story) == []


def test_a_price_at_the_mark_of_each_side_is_what_crossed() -> None:
    story = Story(FUTURES)
    position: Position = story.opened(side=Side.SELL, trail=Trail(amount=D(100), after=D("0.01")))
    story.price(BTC, "59000", "59300")
    assert story.seen(e.TrailFollowed) == [
        e.TrailFollowed(START, position.id, D(59_300), D(59_400))
    ]
