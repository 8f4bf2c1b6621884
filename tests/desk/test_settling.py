"""What differs between ours and the venue's, and what the operator does about it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.model import intent as i
from engine.model import report as r
from engine.model.ids import account_prefix, client_order_id
from engine.model.order import Order, OrderType, Role, Status
from engine.model.position import Protection
from engine.model.request import Cancel, Submit
from engine.model.side import Side
from engine.model.view import TruthRow
from tests.support.world import BTC, SECOND, D, Story


def settle(story: Story, subject: str, action: i.Settlement) -> None:
    answer = story.ask(i.Resolve(id=story.name(), subject=subject, action=action))
    assert answer.ok, answer.refusals


def row(story: Story, subject: str) -> TruthRow:
    (found,) = [row for row in story.views.truth(story.ctx).rows if row.subject == subject]
    return found


def differing(profile: str, ours: str, theirs: str) -> Story:
    """A story whose venue holds another size of bitcoin than we do."""
    story = Story(profile)
    if D(ours):
        story.opened(ours, stop=i.Away(D("0.01")))
    story.now += 20 * SECOND
    if profile == "kraken-futures":
        story.picture(net={BTC: D(theirs)})
    else:
        story.picture({**story.state.cash, "BTC": D(theirs)})
    return story


SPOT, FUTURES = ("kraken-spot", "BTC"), ("kraken-futures", BTC)


@pytest.mark.hazard("H56")
@pytest.mark.parametrize(("profile", "subject"), [SPOT, FUTURES])
def test_a_difference_stands_side_by_side_with_what_may_be_done(profile: str, subject: str) -> None:
    story = differing(profile, "0.5", "0.2")
    shown = row(story, subject)
    assert (shown.ours, shown.theirs, shown.differs, shown.actions) == (
        "0.5",
        "0.2",
        "−0.3",
        ("adopt", "forget", "flatten"),
    )
    assert "DIFFERENCE" in story.standing()
    story.replays()


@pytest.mark.parametrize(("profile", "subject"), [SPOT, FUTURES])
@pytest.mark.parametrize("action", [i.Settlement.ADOPT, i.Settlement.FORGET, i.Settlement.FLATTEN])
def test_what_the_venue_no_longer_has_was_closed_elsewhere(
    profile: str, subject: str, action: i.Settlement
) -> None:
    story = differing(profile, "0.5", "0.2")
    settle(story, subject, action)
    assert story.position().size == D("0.2")
    assert "DIFFERENCE" not in story.standing()
    assert row(story, subject).differs == ""
    story.amended(story.order("stop"))
    assert story.order("stop").size == D("0.2")
    story.replays()
    story.holds()


@pytest.mark.parametrize(("profile", "subject"), [SPOT, FUTURES])
def test_a_position_that_is_gone_ends_as_closed_elsewhere(profile: str, subject: str) -> None:
    story = differing(profile, "0.5", "0")
    settle(story, subject, i.Settlement.FORGET)
    for order in list(story.state.orders.values()):
        story.cancelled(order)
    assert story.closed().close_reason == "elsewhere"
    assert not story.state.positions
    story.replays()


@pytest.mark.parametrize(("profile", "subject"), [SPOT, FUTURES])
def test_adopted_is_in_custody_and_naked_until_it_has_a_stop(profile: str, subject: str) -> None:
    story = differing(profile, "0", "0.4")
    settle(story, subject, i.Settlement.ADOPT)
    position = story.position()
    assert (position.side, position.size, position.protection) == (
        Side.BUY,
        D("0.4"),
        Protection.NAKED,
    )
    assert position.entry_price(story.ctx.instrument(position)) == D("60000.1")
    assert "NAKED" in story.standing()
    assert story.ask(i.MoveStop(id="s", position=position.id, stop=i.At(D(59_000)))).ok
    assert story.order("stop").size == D("0.4")
    story.replays()


@pytest.mark.parametrize(("profile", "subject"), [SPOT, FUTURES])
def test_flattened_is_adopted_and_closed_at_once(profile: str, subject: str) -> None:
    story = differing(profile, "0", "0.4")
    settle(story, subject, i.Settlement.FLATTEN)
    (close,) = story.orders("close")
    assert (close.side, close.size) == (Side.SELL, D("0.4"))


def test_forgotten_on_futures_is_left_alone_and_not_told_again() -> None:
    story = differing("kraken-futures", "0", "0.4")
    settle(story, BTC, i.Settlement.FORGET)
    assert (story.state.positions, story.state.elsewhere) == ({}, {BTC: D("0.4")})
    story.picture(net={BTC: D("0.4")})
    assert "DIFFERENCE" not in story.standing()
    story.now += 20 * SECOND
    story.picture(net={BTC: D("-0.1")})
    settle(story, BTC, i.Settlement.ADOPT)
    assert story.state.elsewhere == {}, "what was not ours went first"
    assert story.position().signed_size == D("-0.1")
    story.replays()


def test_money_that_came_from_outside_is_no_profit_of_the_day() -> None:
    story = Story(cash="1000")
    story.wait(61)
    story.picture({"USD": D(5_000)})
    settle(story, "USD", i.Settlement.FORGET)
    assert story.state.cash == {"USD": D(5_000)}
    assert story.state.day.equity == D(5_000)
    assert story.state.day.peak == D(5_000)


def test_what_does_not_differ_is_refused_by_name() -> None:
    story = differing("kraken-spot", "0", "0.4")
    answer = story.ask(i.Resolve(id="x", subject="DOGE", action=i.Settlement.ADOPT))
    (refusal,) = answer.refusals
    assert (refusal.code, refusal.value, refusal.bound) == ("UNKNOWN_DIFFERENCE", "DOGE", "BTC")


def test_nothing_is_settled_while_something_is_under_way() -> None:
    story = differing("kraken-spot", "0.5", "0.2")
    story.tell(r.Unknown(story.order("stop").client_order_id, "amend", "no answer", story.now))
    assert row(story, "BTC").actions == ()
    answer = story.ask(i.Resolve(id="x", subject="BTC", action=i.Settlement.ADOPT))
    assert [refusal.code for refusal in answer.refusals] == ["PENDING"]


def _stranger(name: str, venue_order_id: str) -> Order:
    return Order(
        name,
        "",
        BTC,
        Side.SELL,
        OrderType.LIMIT,
        Role.ENTRY,
        D("0.1"),
        price=D(70_000),
        status=Status.OPEN,
        venue_order_id=venue_order_id,
    )


@pytest.mark.hazard("H10")
@pytest.mark.parametrize("mine", [True, False])
def test_an_order_that_nobody_here_knows_is_cancelled_or_left_alone(mine: bool) -> None:
    story = Story()
    story.opened()
    name = f"{account_prefix('test')}UNKNOWN" if mine else "web-page"
    working = tuple(order for order in story.state.orders.values() if order.is_working)
    story.now += 20 * SECOND
    story.picture(orders=(*working, _stranger(name, "OXX")))
    subject = name if mine else "OXX"
    shown = row(story, subject)
    assert (shown.ours, shown.differs, shown.actions) == (
        "—",
        "unknown" if mine else "not ours",
        ("forget", "flatten"),
    )
    assert story.sent(Cancel) == []
    settle(story, subject, i.Settlement.FORGET)
    assert story.sent(Cancel) == []
    settle(story, subject, i.Settlement.FLATTEN)
    (cancel,) = story.sent(Cancel)
    assert cancel.venue_order_id == "OXX"


@pytest.mark.hazard("H03")
@pytest.mark.parametrize("resting", [True, False])
def test_an_exit_that_a_crash_made_us_forget_is_recognised_by_its_id(resting: bool) -> None:
    story = Story()
    position = story.opened(stop=None)
    name = client_order_id("test", position.id, "close", position.versions + 1)
    story.now += 20 * SECOND
    forgotten = replace(_stranger(name, "OFF"), size=D("0.5"), created_at=story.now)
    fill = replace(
        story.fill_of(story.state.ended[next(iter(story.state.ended))], "0.5"),
        client_order_id=name,
        side=Side.SELL,
        execution_id="TFF",
    )
    cash = {**story.state.cash, "BTC": D(0), "USD": story.state.cash["USD"] + D(30_000)}
    before = len(story.sent(Submit))
    story.picture(
        None if resting else cash,
        orders=(forgotten,) if resting else (),
        fills=() if resting else (fill,),
    )
    assert len(story.seen(e.OrderRecovered)) == 1
    assert "UNKNOWN_ORDER" not in story.standing()
    known = story.state.order(name)
    assert known is not None
    assert (known.position, known.role) == (position.id, Role.CLOSE)
    assert len(story.sent(Submit)) == before, "nothing is sent a second time"
    if resting:
        assert story.state.positions[position.id].versions == position.versions + 1
    else:
        assert story.closed().realised_profit(story.state.instruments[BTC]) == Decimal(0)
    story.replays()


@pytest.mark.hazard("H02")
def test_an_order_refused_as_a_duplicate_is_there_already() -> None:
    story = Story()
    story.buy()
    entry = story.order("entry")
    story.accept(entry)
    story.fill(entry)
    stop = story.order("stop")
    story.tell(r.Rejected(stop.client_order_id, "cl_ord_id is in use", story.now, duplicate=True))
    assert "ORDER_REJECTED" not in story.told()
    assert story.now_of(stop).in_doubt
    story.tell(
        r.Found(
            replace(stop, status=Status.OPEN, venue_order_id="OLD", size=D("0.3")), (), story.now
        )
    )
    known = story.now_of(stop)
    assert (known.status, known.venue_order_id, known.size) == (Status.OPEN, "OLD", D("0.3"))


@pytest.mark.hazard("H03")
def test_exits_wait_for_the_venues_word_after_a_start_but_not_for_ever() -> None:
    story = Story()
    story.opened(stop=i.Away(D("0.01")))
    story.board.picture = None
    story.board.restarted_at = story.now
    before = len(story.sent(Submit))
    stop = story.order("stop")
    story.cancelled(stop)
    story.price(BTC, "50000")
    assert len(story.sent(Submit)) == before
    story.wait(5.5)
    assert len(story.sent(Submit)) == before + 1
