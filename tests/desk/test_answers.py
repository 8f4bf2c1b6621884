"""What each intent is answered, word by word, and the one step beyond which it is refused."""

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.evolve import evolve
from engine.desk.rules import Rules, SymbolRules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status, Trail
from engine.model.request import Amend, Cancel, Lane, QueryAccount
from engine.model.side import Side
from engine.model.view import Answer
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT, STOP = OrderType.LIMIT, OrderType.STOP
FUTURES, SPOT = "kraken-futures", "kraken-spot"


def said(answer: Answer) -> list[tuple[str, str, str]]:
    return [(refusal.code, refusal.value, refusal.bound) for refusal in answer.refusals]


def opened(side: Side = Side.BUY, **terms: Any) -> Story:
    story = Story(FUTURES)
    story.price(BTC, "60000", "60000")
    story.opened("0.5", side=side, **terms)
    return story


def resting(story: Story, **terms: Any) -> Order:
    assert story.buy(**{"type": LIMIT, "price": D(59_000), **terms}).ok
    order = story.orders("entry")[-1]
    story.accept(order)
    return story.now_of(order)


# By which name


def test_a_position_is_found_by_its_id_or_by_its_label_and_of_one_label_the_newest() -> None:
    story = Story(FUTURES)
    first = story.opened("0.5", label="swing", stop=None)
    second = story.opened("0.25", label="swing", stop=None)
    unnamed = story.opened("1", symbol=ETH, price="3000", stop=None)
    for name, created in ((first.id, first.id), ("swing", second.id), (unnamed.id, unnamed.id)):
        assert story.ask(i.SetTrail(id=story.name(), position=name, trail=None)).created == created
    assert said(story.ask(i.SetTrail(id="x", position="", trail=None))) == [
        ("UNKNOWN_POSITION", "", "")
    ]


def test_what_waits_for_its_entry_is_no_open_position() -> None:
    story = Story(FUTURES)
    order = resting(story, label="swing")
    for name in (order.position, "swing"):
        assert said(story.ask(i.ClosePosition(id=f"c{name}", position=name))) == [
            ("UNKNOWN_POSITION", name, "")
        ]


# Stops


def stop(story: Story, place: i.Place | None, reason: str = "") -> Answer:
    return story.ask(
        i.MoveStop(id=story.name(), position=story.position().id, stop=place, reason=reason)
    )


@pytest.mark.parametrize(
    ("side", "at", "refused"),
    [
        (Side.BUY, "59999.9", []),
        (Side.BUY, "60000", [("STOP_WOULD_FIRE", "60000", "60000")]),
        (Side.BUY, "60000.1", [("STOP_WOULD_FIRE", "60000.1", "60000")]),
        (Side.BUY, "59400", []),
        (Side.BUY, "59399.9", [("STOP_LOOSER", "59399.9", "59400")]),
        (Side.BUY, "59500.04", [("STOP_OFF_TICK", "59500.04", "59500.1")]),
        (Side.SELL, "60000.1", []),
        (Side.SELL, "60000", [("STOP_WOULD_FIRE", "60000", "60000")]),
        (Side.SELL, "60600", []),
        (Side.SELL, "60600.1", [("STOP_LOOSER", "60600.1", "60600")]),
        (Side.SELL, "60500.06", [("STOP_OFF_TICK", "60500.06", "60500.0")]),
        (Side.BUY, "0", [("NOT_A_NUMBER", "stop 0", "a number above zero")]),
    ],
)
def test_where_a_stop_may_stand(side: Side, at: str, refused: list[tuple[str, str, str]]) -> None:
    story = opened(side)
    answer = stop(story, i.At(D(at)))
    assert [
        (code, value, bound) if code == "NOT_A_NUMBER" else (code, D(value), D(bound))
        for code, value, bound in said(answer)
    ] == [
        (code, value, bound) if code == "NOT_A_NUMBER" else (code, D(value), D(bound))
        for code, value, bound in refused
    ]
    if not refused:
        assert (answer.created, story.position().stop) == (story.position().id, D(at))


def test_a_stop_that_was_moved_says_where_to_and_by_whom() -> None:
    story = opened()
    assert stop(story, i.At(D("59700.1"))).text == "stop BTC/USD → 59700.1"
    assert stop(story, i.Away(D("0.01")), "news").text == "stop BTC/USD → 59400.0"
    assert stop(story, None, "hedged").text == "stop BTC/USD removed"
    name = story.position().id
    assert story.seen(e.StopMoved)[1:] == [
        e.StopMoved(START, name, D("59700.1"), by="operator"),
        e.StopMoved(START, name, D(59_400), by="operator", reason="news"),
        e.StopMoved(START, name, None, by="operator", reason="hedged"),
    ]


def test_a_stop_is_removed_only_for_a_reason() -> None:
    for reason in ("", "  "):
        assert said(stop(opened(), None, reason)) == [("STOP_LOOSER", "none", "the one that works")]
    story = opened(stop=None)
    assert said(stop(story, None)) == [("STOP_LOOSER", "none", "the one that works")]
    assert stop(story, i.At(D(50_000))).ok, "the first one is no looser than none"


def test_a_looser_stop_needs_more_than_blanks_for_a_reason() -> None:
    assert [code for code, _, _ in said(stop(opened(), i.At(D(59_000)), " "))] == ["STOP_LOOSER"]


def test_without_a_price_no_stop_is_moved() -> None:
    story = opened()
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert said(stop(story, i.At(D(59_700)))) == [("NO_PRICE", BTC, "")]


def test_the_first_stop_by_hand_is_what_r_is_measured_from_and_later_ones_are_not() -> None:
    story = opened(stop=None)
    assert stop(story, i.At(D(59_000))).ok
    assert stop(story, i.At(D(59_500))).ok
    assert (story.position().initial_stop, story.position().stop) == (D(59_000), D(59_500))
    story = opened()
    assert stop(story, i.At(D(59_500))).ok
    assert story.position().initial_stop == D(59_400)


def test_break_even_says_where_it_is() -> None:
    story = opened()
    story.price(BTC, "60500")
    answer = story.ask(i.BreakEven(id="b", position=story.position().id))
    assert (answer.text, answer.created) == (
        "stop BTC/USD → break-even 60030.1",
        story.position().id,
    )
    assert story.seen(e.StopMoved)[-1] == e.StopMoved(
        START, story.position().id, D("60030.1"), by="break-even"
    )
    story.price(BTC, "60030")
    (refusal,) = story.ask(i.BreakEven(id="c", position=story.position().id)).refusals
    assert (refusal.code, D(refusal.value), D(refusal.bound)) == (
        "STOP_WOULD_FIRE",
        D("60030.1"),
        D(60_030),
    )


# Targets


@pytest.mark.parametrize(
    ("side", "at", "ok"),
    [
        (Side.BUY, "60000.1", True),
        (Side.BUY, "60000", False),
        (Side.SELL, "59999.9", True),
        (Side.SELL, "60000", False),
    ],
)
def test_a_target_stands_beyond_the_market(side: Side, at: str, ok: bool) -> None:
    story = opened(side)
    answer = story.ask(i.MoveTarget(id="t", position=story.position().id, target=i.At(D(at))))
    assert answer.ok is ok
    if ok:
        assert (answer.text, answer.created) == (f"target BTC/USD → {at}", story.position().id)
        assert story.seen(e.TargetMoved) == [
            e.TargetMoved(START, story.position().id, D(at), by="operator")
        ]
    else:
        assert [(code, D(value), bound) for code, value, bound in said(answer)] == [
            ("TARGET_WRONG_SIDE", D(60_000), "the market at 60000")
        ]


def test_a_target_is_removed_and_never_without_a_price_set() -> None:
    story = opened(target=i.Away(D("0.02")))
    name = story.position().id
    assert (
        story.ask(i.MoveTarget(id="a", position=name, target=None)).text == "target BTC/USD removed"
    )
    assert story.position().target is None
    assert said(story.ask(i.MoveTarget(id="b", position=name, target=i.Away(D(0))))) == [
        ("NOT_A_NUMBER", "target 0", "a number above zero")
    ]
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert [
        code
        for code, _, _ in said(
            story.ask(i.MoveTarget(id="c", position=name, target=i.At(D(61_000))))
        )
    ] == ["TARGET_WRONG_SIDE"]


# Trails


def test_a_trail_is_set_and_taken_off() -> None:
    story = opened()
    name = story.position().id
    now, later = Trail(amount=D(300)), Trail(amount=D(300), after=D("0.01"))
    assert (
        story.ask(i.SetTrail(id="a", position=name, trail=now)).text,
        story.position().stop,
    ) == ("trail BTC/USD on", D(59_700))
    assert story.ask(i.SetTrail(id="b", position=name, trail=None)).text == "trail BTC/USD off"
    assert story.ask(i.SetTrail(id="c", position=name, trail=later)).created == name
    assert story.seen(e.TrailSet) == [
        e.TrailSet(START, name, now, following=True, best=D(60_000), by="operator"),
        e.TrailSet(START, name, None, following=False, best=None, by="operator"),
        e.TrailSet(START, name, later, following=False, best=None, by="operator"),
    ]
    assert len(story.seen(e.TrailFollowed)) == 1
    story.board._symbols[BTC].quote = None
    story.board.moved.add(BTC)
    assert said(story.ask(i.SetTrail(id="d", position=name, trail=now))) == [("NO_PRICE", BTC, "")]
    assert story.ask(i.SetTrail(id="e", position=name, trail=None)).ok


# Closing


def close(story: Story, part: str = "1") -> Answer:
    return story.ask(i.ClosePosition(id=story.name(), position=story.position().id, part=D(part)))


@pytest.mark.parametrize(
    ("part", "closing"),
    [
        ("1", "0.5"),
        ("0.5", "0.25"),
        ("0.33339", "0.1666"),
        ("0.9999", "0.4999"),
        ("0.0002", "0.0001"),
    ],
)
def test_so_much_of_a_position_is_closed(part: str, closing: str) -> None:
    story = opened(stop=None)
    answer = close(story, part)
    assert (answer.text, answer.created) == (f"closing {closing} BTC/USD", story.position().id)
    assert story.seen(e.ClosingBegan) == [
        e.ClosingBegan(START, story.position().id, D(closing), "operator")
    ]


@pytest.mark.parametrize(
    ("part", "refused"),
    [
        ("0", ("NOT_A_NUMBER", "part 0", "above 0 up to 1")),
        ("1.0001", ("NOT_A_NUMBER", "part 1.0001", "above 0 up to 1")),
        ("NaN", ("NOT_A_NUMBER", "part NaN", "above 0 up to 1")),
        ("0.00019", ("PART_TOO_SMALL", "0", "0.0001 or 0 USD")),
    ],
)
def test_a_part_is_more_than_nothing_and_at_most_all(
    part: str, refused: tuple[str, str, str]
) -> None:
    story = opened(stop=None)
    assert said(close(story, part)) == [refused]
    assert not story.state.orders


def test_while_a_part_is_being_closed_only_all_of_it_may_be_added() -> None:
    story = opened(stop=None)
    assert close(story, "0.5").ok
    assert said(close(story, "0.5")) == [("ALREADY_CLOSING", BTC, "")]
    assert close(story).ok
    assert story.position().closing == D("0.5")
    assert said(close(story)) == [("ALREADY_CLOSING", BTC, "")]


def test_a_position_that_has_ended_has_nothing_left() -> None:
    story = opened(stop=None)
    name = story.position().id
    close(story)
    story.fill(story.order("close"))
    assert said(story.ask(i.ClosePosition(id="c", position=name))) == [("NOTHING_LEFT", name, "")]
    assert said(story.ask(i.MoveStop(id="d", position=name, stop=None))) == [
        ("UNKNOWN_POSITION", name, "")
    ]


# Reversing


def test_a_reversal_mirrors_what_there_was() -> None:
    trail = Trail(amount=D(500), after=D("0.05"))
    story = opened(
        stop=i.At(D(59_100)),
        target=i.At(D(61_200)),
        trail=trail,
        label="swing",
        note="why",
        tags=("a",),
        leverage=D(3),
    )
    assert stop(story, i.At(D(59_700))).ok
    name = story.position().id
    answer = story.ask(i.Reverse(id="r", position="swing"))
    assert (answer.text, answer.created) == ("reversing 0.5 BTC/USD", name)
    assert story.seen(e.ReverseWanted) == [
        e.ReverseWanted(
            START,
            name,
            i.OpenBracket(
                id="r/reverse",
                symbol=BTC,
                side=Side.SELL,
                size=i.Base(D("0.5")),
                stop=i.Away(D("0.015")),  # the first one, 900 of 60000
                target=i.Away(D("0.02")),
                trail=trail,
                without=(i.Default.TARGET, i.Default.TRAIL, i.Default.EXPIRY),
                leverage=D(3),
                label="swing",
                note="why",
                tags=("a",),
            ),
        )
    ]
    assert story.seen(e.ClosingBegan) == [e.ClosingBegan(START, name, D("0.5"), "reversed")]
    assert said(story.ask(i.Reverse(id="s", position="swing"))) == [("ALREADY_CLOSING", BTC, "")]


def test_what_stood_on_its_entry_is_not_mirrored() -> None:
    story = opened(stop=None)
    story.price(BTC, "60500")
    assert stop(story, i.At(D(60_000))).ok
    story.ask(i.Reverse(id="r", position=story.position().id))
    (wanted,) = story.seen(e.ReverseWanted)
    assert wanted.then is not None
    assert (wanted.then.stop, wanted.then.target) == (None, None)


@pytest.mark.parametrize(
    ("mode", "text"),
    [("pause", "paused by the operator"), ("halt", "halted by you: :unhalt ends it")],
)
def test_a_reversal_is_an_entry(mode: str, text: str) -> None:
    story = opened(stop=None)
    story.ask(i.Pause(id="p") if mode == "pause" else i.Halt(id="h"))
    assert said(story.ask(i.Reverse(id="r", position=story.position().id))) == [
        ("ENTRIES_BLOCKED", text, "")
    ]


def test_a_short_may_be_reversed_where_nothing_can_be_short() -> None:
    story = opened(Side.SELL, stop=None)
    instrument = story.state.instruments[BTC]
    story.state.instruments[BTC] = replace(
        instrument, kind=instrument.kind.__class__.SPOT, max_leverage=D(1)
    )
    assert story.ask(i.Reverse(id="r", position=story.position().id)).ok
    story = opened(stop=None)
    story.state.instruments[BTC] = replace(
        instrument, kind=instrument.kind.__class__.SPOT, max_leverage=D(1)
    )
    assert said(story.ask(i.Reverse(id="r", position=story.position().id))) == [
        ("CANNOT_SHORT", BTC, "")
    ]


# Orders


def amend(story: Story, order: Order, price: str) -> Answer:
    return story.ask(i.AmendOrder(id=story.name(), order=order.client_order_id, price=D(price)))


def test_a_resting_entry_is_moved() -> None:
    story = Story(FUTURES)
    order = resting(story)
    answer = amend(story, order, "59100.5")
    assert (answer.text, answer.created) == ("order BTC/USD → 59100.5", order.client_order_id)
    assert story.seen(e.AmendAsked) == [
        e.AmendAsked(START, order.client_order_id, Lane.ENTRY, price=D("59100.5"))
    ]
    assert said(amend(story, order, "59200")) == [("PENDING", order.client_order_id, "")]


@pytest.mark.parametrize(
    ("side", "trigger", "to", "limit"),
    [(Side.BUY, "61000", "62000", "62310"), (Side.SELL, "59000", "58000", "57710")],
)
def test_a_stop_entry_is_moved_with_its_bound(
    side: Side, trigger: str, to: str, limit: str
) -> None:
    story = Story(FUTURES)
    order = resting(story, type=STOP, price=None, trigger=D(trigger), side=side, stop=None)
    assert amend(story, order, to).ok
    assert story.seen(e.AmendAsked) == [
        e.AmendAsked(START, order.client_order_id, Lane.ENTRY, price=D(limit), trigger=D(to))
    ]


@pytest.mark.parametrize("price", ["59100.05", "0", "-1", "NaN"])
def test_an_entry_is_moved_to_a_price_on_the_grid(price: str) -> None:
    story = Story(FUTURES)
    assert said(amend(story, resting(story), price)) == [
        ("NOT_A_NUMBER", f"price {price}", "a multiple of 0.1")
    ]


def test_an_entry_that_is_on_its_way_or_in_doubt_is_not_moved() -> None:
    story = Story(FUTURES)
    assert story.buy(type=LIMIT, price=D(59_000)).ok
    order = story.order("entry")
    assert said(amend(story, order, "59100")) == [("PENDING", order.client_order_id, "")]
    story.accept(order)
    story.tell(r.Unknown(order.client_order_id, "amend", "no answer", story.now))
    assert said(amend(story, order, "59100")) == [("IN_DOUBT", order.client_order_id, "")]
    story.tell(r.Found(replace(story.now_of(order), in_doubt=False), (), story.now))
    story.ask(i.CancelOrder(id="c", order=order.client_order_id))
    assert said(amend(story, order, "59100")) == [("PENDING", order.client_order_id, "")]
    assert story.sent(Amend) == []


def test_where_nothing_can_be_changed_an_entry_is_entered_anew() -> None:
    story = Story("binance-spot")
    assert said(amend(story, resting(story), "59100")) == [
        ("NOTHING_TO_DO", "this venue can't change an order: cancel it and enter anew", "")
    ]


def test_an_exit_is_moved_as_its_positions_wish() -> None:
    story = opened(target=i.Away(D("0.02")))
    assert amend(story, story.order("stop"), "59700").text == "stop BTC/USD → 59700"
    assert amend(story, story.order("target"), "61500").text == "target BTC/USD → 61500"
    assert (story.position().stop, story.position().target) == (D(59_700), D(61_500))


def test_each_order_is_cancelled_by_what_it_does() -> None:
    story = opened(target=i.Away(D("0.02")))
    name = story.position().id
    entry = resting(story, symbol=ETH, price=D(2_900))
    assert (
        story.ask(i.CancelOrder(id="a", order=entry.client_order_id)).text
        == "cancelling entry ETH/USD"
    )
    assert story.now_of(entry).reason == "operator"
    for role in ("stop", "target"):
        answer = story.ask(i.CancelOrder(id=role, order=story.order(role).client_order_id))
        assert (answer.text, answer.created) == (
            f"cancelling {role} BTC/USD",
            story.order(role).client_order_id,
        )
    assert story.seen(e.StopMoved)[-1] == e.StopMoved(
        START, name, None, by="operator", reason="cancelled by hand"
    )
    assert story.seen(e.TargetMoved)[-1] == e.TargetMoved(START, name, None)
    assert said(story.ask(i.CancelOrder(id="b", order=entry.client_order_id))) == [
        ("PENDING", entry.client_order_id, "")
    ]
    assert story.ask(i.ClosePosition(id="all", position=name)).ok
    order = story.order("close")
    assert (
        story.ask(i.CancelOrder(id="c", order=order.client_order_id)).text
        == "cancelling close BTC/USD"
    )
    assert story.now_of(order).cancel_pending


def test_entries_are_cancelled_by_symbol_or_all_and_foreign_orders_only_when_asked() -> None:
    story = opened()
    entry, other = resting(story), resting(story, symbol=ETH, price=D(2_900))
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
    )
    story.picture(orders=(entry, other, story.order("stop"), theirs))
    assert said(story.ask(i.CancelSymbol(id="a", symbol="XRP/BTC"))) == [
        ("NOTHING_TO_DO", "no entry is open in XRP/BTC", "")
    ]
    assert said(story.ask(i.CancelSymbol(id="b", symbol="NO/SUCH"))) == [
        ("UNKNOWN_SYMBOL", "NO/SUCH", "BTC/USD, ETH/USD, XRP/BTC")
    ]
    assert story.ask(i.CancelSymbol(id="c", symbol=ETH)).text == "cancelling 1 order"
    assert [cancel.client_order_id for cancel in story.sent(Cancel)] == [other.client_order_id]
    assert story.ask(i.CancelAll(id="d", foreign=True)).text == "cancelling 3 orders"
    assert [cancel.client_order_id for cancel in story.sent(Cancel)][1:] == [
        entry.client_order_id,
        "x",
    ]
    assert (story.now_of(entry).reason, story.order("stop").cancel_pending) == ("operator", False)
    for order in (entry, other):
        story.cancelled(order)
    assert said(story.ask(i.CancelAll(id="e"))) == [("NOTHING_TO_DO", "no entry is open", "")]


# The mode


def test_the_mode_is_set_and_cleared_by_name() -> None:
    story = Story(FUTURES)
    assert story.ask(i.Pause(id="a")).text == "entries paused"
    assert story.ask(i.Halt(id="b")).text == "halted: exits only on your hand; :unhalt ends it"
    assert said(story.ask(i.Resume(id="c", reason="DRAWDOWN"))) == [
        ("NOTHING_TO_DO", "entries are not blocked by DRAWDOWN", "")
    ]
    assert (
        story.ask(i.Resume(id="d", reason="HALTED")).text
        == "the halt has ended: stops, targets and trails act by themselves again"
    )
    assert said(story.ask(i.Resume(id="e", reason="HALTED"))) == [
        ("NOTHING_TO_DO", "entries are not blocked by HALTED", "")
    ]
    assert story.ask(i.Resume(id="f")).text == "PAUSED cleared"
    assert story.seen(e.HaltSet) == [e.HaltSet(START, halted=True), e.HaltSet(START, halted=False)]
    evolve(story.state, e.EntriesBlocked(START, "BREAKER", "venue: down", None))
    assert said(story.ask(i.Resume(id="g", reason="BREAKER"))) == [
        ("NOT_RESUMABLE", "BREAKER", "it clears by itself once its cause is gone")
    ]


@pytest.mark.parametrize("code", ["DRAWDOWN", "LOSING_STREAK", "DAILY_LOSS", "TASK_DIED", "PAUSED"])
def test_what_may_be_cleared_by_hand_is(code: str) -> None:
    story = Story(FUTURES)
    evolve(story.state, e.EntriesBlocked(START, code, "why", None))
    assert story.views.mode(story.ctx)[1][0].clears == (
        "resume" if code == "PAUSED" else f"resume {code}"
    )
    assert story.ask(i.Resume(id="r", reason=code)).ok
    assert not story.state.blocks


def test_a_streak_that_is_cleared_by_hand_begins_anew_and_other_clearings_forget_nothing() -> None:
    story = Story(FUTURES)
    story.state.day = replace(story.state.day, losses=3, last=D(5), peak=D(9))
    for code, losses, peak in (("PAUSED", 3, 9), ("LOSING_STREAK", 0, 9), ("DRAWDOWN", 0, 5)):
        evolve(story.state, e.EntriesBlocked(START, code, "why", None))
        assert story.ask(i.Resume(id=code, reason=code)).ok
        assert (story.state.day.losses, story.state.day.peak) == (losses, D(peak))


def test_small_things_are_answered_too() -> None:
    story = opened(stop=None)
    name = story.position().id
    assert story.ask(i.Annotate(id="a", position=name, note="n")).text == "noted"
    (key,) = story.state.alerts
    story.now += SECOND
    assert story.ask(i.Acknowledge(id="b", alert=key)).text == "acknowledged"
    story.now += SECOND
    assert story.ask(i.Acknowledge(id="c", alert=key)).ok
    assert story.state.alerts[key].acknowledged_at == START + SECOND, "read once"
    asked = len(story.sent(QueryAccount))
    assert story.ask(i.Reconcile(id="d")).text == "asking the venue"
    assert len(story.sent(QueryAccount)) == asked + 1
    assert story.ask(i.Flatten(id="e")).text == "flattening everything"
    assert story.ask(i.Flatten(id="f")).text == "a flatten is under way already"


def test_a_reversal_of_a_position_without_a_stop_gets_the_symbols_own_and_no_target() -> None:
    own = SymbolRules(stop=D("0.01"), target=D("0.02"), trail=D("0.03"))
    story = Story("kraken-futures", Rules(symbols={BTC: own}))
    story.opened("0.5", stop=None, without=(i.Default.STOP, i.Default.TARGET, i.Default.TRAIL))
    assert story.position().stop is None
    assert story.ask(i.Reverse(id="r", position=story.position().id)).ok
    story.fill(story.order("close"))
    (name,) = [
        position.id for position in story.state.positions.values() if position.side is Side.SELL
    ]
    plan = story.state.plans[name]
    assert (plan.stop, plan.target, plan.trail) == (i.Away(D("0.01")), None, None)
