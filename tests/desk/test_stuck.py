"""Exits that get no further: told with what is known (H98, H100)."""

from decimal import Decimal

import pytest

from engine.desk.messages import Restarted
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Role, Status
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story

D = Decimal


def _text(story: Story, code: str) -> str:
    return next(alert.text for alert in story.state.alerts.values() if alert.code == code)


@pytest.mark.hazard("H98")
def test_a_stop_that_fired_and_does_not_fill_is_told() -> None:
    story = Story("kraken-futures")
    story.opened("0.5")
    stop = story.order("stop")
    story.tell(r.Triggered(stop.client_order_id, story.now))
    story.wait(19)
    assert "STOP_UNFILLED" not in story.standing()
    story.price(BTC, "59300")
    story.wait(2)
    assert (
        _text(story, "STOP_UNFILLED")
        == "the stop of BTC/USD fired at the venue and does not fill: 0.5 left, the market is at"
        " 59300"
    )
    story.fill(story.order("stop"), price="59300")
    assert "STOP_UNFILLED" not in story.standing()
    assert not story.board.fired


@pytest.mark.hazard("H98")
def test_a_stop_that_fires_and_fills_is_not() -> None:
    story = Story("kraken-futures")
    story.opened("0.5")
    stop = story.order("stop")
    story.tell(r.Triggered(stop.client_order_id, story.now))
    story.fill(stop, price="59400")
    story.wait(30)
    assert "STOP_UNFILLED" not in story.told()


@pytest.mark.hazard("H98")
def test_after_a_restart_it_is_told_as_well() -> None:
    story = Story("kraken-futures")
    story.opened("0.5")
    story.tell(r.Triggered(story.order("stop").client_order_id, story.now))
    story.board.fired.clear()
    story.tell(Restarted())
    story.now += SECOND
    story.picture()
    story.wait(25)
    assert "STOP_UNFILLED" in story.standing()


def _their_order(size: str, name: str = "O1") -> Order:
    return Order(
        name,
        "",
        BTC,
        Side.SELL,
        OrderType.LIMIT,
        Role.ENTRY,
        D(size),
        price=D(90_000),
        venue_order_id=name,
        status=Status.OPEN,
        foreign=True,
    )


@pytest.mark.hazard("H100")
def test_whose_order_holds_the_coins_is_told_at_once() -> None:
    story = Story("kraken-spot")
    story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture(orders=(_their_order("0.4"),))
    story.ask(i.Flatten(id="f"))
    assert (
        _text(story, "COINS_HELD")
        == "BTC/USD can't be closed whole: 0.4 BTC rests in orders that are not ours: O1 (0.4);"
        " cancel those (all orders of the account), or there"
    ), "in the second in which it is known"
    story.now += SECOND
    story.picture(orders=tuple(order for order in story.state.orders.values() if order.is_working))
    story.wait(2)
    assert "COINS_HELD" not in story.standing()


@pytest.mark.hazard("H100")
def test_others_orders_that_leave_enough_are_no_alert() -> None:
    story = Story("kraken-spot")
    story.picture({"USD": D(1_000_000), "BTC": D(1)})
    story.ask(i.Resolve(id="r", subject="BTC", action=i.Settlement.FORGET))
    position = story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture(orders=(_their_order("0.9"),))
    story.ask(i.ClosePosition(id="c", position=position.id))
    assert "COINS_HELD" not in story.told()
