"""Ours against the venue's: what is provably ours is applied, the rest is a difference, and foreign
orders are left alone.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.messages import Pulse, Reconcile
from engine.desk.rules import RequestRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.ids import client_order_id
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Query, QueryAccount
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT


def _foreign(name: str = "theirs", venue: str | None = "X1") -> Order:
    return Order(
        name,
        "",
        ETH,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id=venue,
        status=Status.OPEN,
        foreign=True,
    )


def _resting(story: Story) -> Order:
    story.buy("0.5", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.accept(entry)
    return story.order("entry")


@pytest.mark.hazard("H56")
def test_fills_that_the_stream_missed_come_with_the_picture() -> None:
    story = Story()
    entry = _resting(story)
    fill = story.fill_of(entry, "0.5", "59000")
    story.now += 20 * SECOND
    story.price(BTC, "59000")
    story.picture({"USD": D(970_500), "BTC": D("0.5")}, orders=(), fills=(fill,))
    assert story.now_of(entry).status is Status.FILLED
    assert story.order("stop").size == D("0.5")
    assert "DIFFERENCE" not in story.standing()
    story.picture(fills=(fill, replace(fill, execution_id="alien", client_order_id="theirs")))
    assert story.position().size == D("0.5")
    story.replays()


@pytest.mark.hazard("H10")
def test_foreign_orders_are_told_shown_and_left_alone() -> None:
    story = Story()
    for _ in range(2):
        story.picture(orders=(_foreign(), _foreign("other", None)))
    raised = [event for event in story.seen(e.AlertRaised) if event.alert.code == "FOREIGN_ORDER"]
    assert len(raised) == 2
    assert set(story.state.foreign) == {"X1", "other"}
    views = story.views.orders(story.ctx)
    assert [view.state for view in views] == ["foreign", "foreign"]
    assert not story.ask(i.CancelAll(id="a")).ok
    assert not story.sent(Cancel)
    assert story.ask(i.CancelAll(id="b", foreign=True)).ok
    assert {cancel.venue_order_id for cancel in story.sent(Cancel)} == {"X1", None}
    story.picture(orders=())
    assert not story.state.foreign


@pytest.mark.hazard("H56")
def test_a_difference_stands_until_it_is_gone() -> None:
    story = Story()
    story.picture({"USD": D(999_000), "EUR": D(5)})
    assert {
        alert.subject for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"
    } == {"USD", "EUR"}
    assert story.state.cash == {"USD": D(1_000_000)}, "nothing is silently changed"
    story.picture({"USD": D(1_000_000), "EUR": D(5)})
    assert {
        alert.subject for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"
    } == {"EUR"}
    story.picture()
    assert "DIFFERENCE" not in story.standing()
    story.replays()


def test_a_difference_of_a_derivative_is_by_symbol() -> None:
    story = Story("kraken-futures")
    story.opened(stop=None)
    story.now += SECOND
    story.picture(net={BTC: D("0.4")})
    alert = next(alert for alert in story.state.alerts.values() if alert.code == "DIFFERENCE")
    assert (alert.subject, alert.detail) == (BTC, "ours 0.5, the venue's 0.4")


def test_a_picture_from_before_the_last_fill_judges_nothing() -> None:
    story = Story()
    story.opened(stop=None)
    story.picture({"USD": D(1)}, as_of=story.now - 1)
    assert "DIFFERENCE" not in story.standing()


@pytest.mark.hazard("H17")
def test_an_order_that_a_picture_lacks_is_asked_for_by_name_once_it_is_old_enough() -> None:
    story = Story()
    entry = _resting(story)
    story.picture(orders=())
    assert not story.sent(Query), "it is too recent to be missing"
    story.now += 11 * SECOND
    story.picture(orders=())
    assert [query.client_order_id for query in story.sent(Query)] == [entry.client_order_id]
    story.picture(orders=())
    assert len(story.sent(Query)) == 1, "asked once"
    assert story.order("entry").status is Status.OPEN
    story.tell(r.Found(replace(entry), (), story.now))
    assert not story.state.doubts


@pytest.mark.hazard("H16")
def test_an_older_picture_undoes_nothing() -> None:
    story = Story()
    position = story.opened()
    stop = story.order("stop")
    story.now += SECOND
    story.ask(i.MoveStop(id="m", position=position.id, stop=i.At(D(59_700))))
    story.amended(stop)
    story.picture(orders=(stop,), as_of=story.now - SECOND // 2)
    assert story.order("stop").trigger == D(59_700)
    entry = replace(
        next(order for order in story.state.ended.values()),
        status=Status.OPEN,
        filled=D(0),
        value=D(0),
    )
    story.picture(orders=(entry, story.order("stop")), as_of=story.now - 2 * SECOND)
    assert not story.sent(Cancel)


def test_terms_and_fills_that_a_picture_knows_better() -> None:
    story = Story()
    entry = _resting(story)
    story.now += SECOND
    story.picture(orders=(replace(entry, price=D(58_900)),))
    assert story.order("entry").price == D(58_900)
    story.picture(
        orders=(replace(entry, price=D(58_900), filled=D("0.2"), status=Status.PARTIALLY_FILLED),)
    )
    assert story.sent(Query)[-1].client_order_id == entry.client_order_id


def test_an_order_whose_answer_was_lost_is_found_in_the_picture() -> None:
    story = Story()
    story.buy("0.5", type=LIMIT, price=D(59_000))
    entry = story.order("entry")
    story.picture(orders=(replace(entry, status=Status.OPEN, venue_order_id="V"),))
    assert story.order("entry").status is Status.OPEN


def test_one_that_ended_here_and_rests_there_is_cancelled() -> None:
    story = Story()
    entry = _resting(story)
    story.cancelled(entry)
    story.now += SECOND
    story.picture(orders=(entry,))
    assert story.sent(Cancel)[-1].client_order_id == entry.client_order_id


@pytest.mark.hazard("H34")
def test_an_orphan_is_told_and_cancelled_where_nothing_is_held() -> None:
    story = Story()
    orphan = replace(_foreign(client_order_id("test", "lost", "stop", 9)), foreign=False)
    story.picture(orders=(orphan,))
    assert "UNKNOWN_ORDER" in story.standing()
    cancel = story.sent(Cancel)[-1]
    assert (cancel.client_order_id, cancel.venue_order_id) == (orphan.client_order_id, "X1")
    story = Story()
    story.opened("2", symbol=ETH, price="3000")
    story.picture(orders=(orphan, story.order("stop")))
    assert "UNKNOWN_ORDER" in story.standing()
    assert not story.sent(Cancel), "it may be what protects the position"


def test_pictures_are_asked_for_on_a_schedule_and_on_demand() -> None:
    story = Story(rules=Rules(requests=RequestRules(reconcile=10)))
    story.opened()
    asked = len(story.sent(QueryAccount))
    story.wait(9)
    assert len(story.sent(QueryAccount)) == asked
    story.wait(2)
    assert len(story.sent(QueryAccount)) == asked + 1
    story.tell(Pulse())
    story.tell(Reconcile())
    assert len(story.sent(QueryAccount)) == asked + 1, "one is on its way"
    story.wait(16)
    assert len(story.sent(QueryAccount)) == asked + 2, "it is given up after a while"
    story.picture()
    assert story.ask(i.Reconcile(id="r")).ok
    assert len(story.sent(QueryAccount)) == asked + 3


def test_an_idle_desk_asks_less_often() -> None:
    story = Story(rules=Rules(requests=RequestRules(reconcile=10)))
    asked = len(story.sent(QueryAccount))
    story.wait(45)
    assert len(story.sent(QueryAccount)) == asked
    story.wait(10)
    assert len(story.sent(QueryAccount)) == asked + 1


@pytest.mark.hazard("H16")
def test_a_broken_line_blocks_entries_and_asks_once_it_is_back() -> None:
    story = Story()
    position = story.opened()
    for _ in range(2):
        story.tell(r.Disconnected("the stream broke", story.now))
    assert "DISCONNECTED" in story.state.blocks
    assert "DISCONNECTED" in story.standing()
    assert not story.buy("0.1", symbol=ETH).ok
    assert story.ask(i.ClosePosition(id="c", position=position.id)).ok, "exits go on"
    asked = len(story.sent(QueryAccount))
    story.tell(r.Connected(story.now))
    assert "DISCONNECTED" not in story.state.blocks
    assert "DISCONNECTED" not in story.standing()
    assert len(story.sent(QueryAccount)) == asked + 1
    story.tell(r.Connected(story.now))
