"""The rows of orders that are kept from one look to the next are those that a first look makes."""

from engine.desk import State
from engine.desk.order_rows import OrderRows
from engine.desk.state import ENDED_ORDERS
from engine.desk.truth import Beside, truth
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType
from tests.support.world import BTC, D, Story

Rows = OrderRows[object, tuple[Order, object]]


def _of(rows: Rows, state: State) -> list[tuple[Order, object]]:
    return list(rows.of(state, state.doubts.get, lambda order, doubt: (order, doubt)))


def _same(rows: Rows, state: State) -> None:
    assert _of(rows, state) == [(order, state.doubts.get(n)) for n, order in state.orders.items()]


def _resting(story: Story) -> Order:
    assert story.buy("0.01", type=OrderType.LIMIT, price=D("50000"), stop=None).ok
    order = story.orders("entry")[-1]
    story.accept(order)
    return order


def test_new_changed_doubted_and_ended_orders_are_as_at_a_first_look() -> None:
    story, rows = Story("kraken-futures"), Rows()
    story.price(BTC, "60000")
    first, second = _resting(story), _resting(story)
    _same(rows, story.state)
    third = _resting(story)
    story.tell(r.Unknown(first.client_order_id, "amend", "no answer", story.now))
    _same(rows, story.state)
    story.ask(i.CancelOrder(id="c", order=second.client_order_id))
    _same(rows, story.state)
    story.cancelled(second)
    story.fill(third, "0.01", "50000")
    _same(rows, story.state)
    story.opened("0.5")
    _same(rows, story.state)


def test_a_row_that_says_the_same_is_the_same() -> None:
    story, rows = Story("kraken-futures"), Rows()
    story.price(BTC, "60000")
    _resting(story)
    before = _of(rows, story.state)
    _resting(story)
    after = _of(rows, story.state)
    assert after[0] is before[0]


def test_more_orders_than_are_remembered_may_end_between_two_looks() -> None:
    story, rows = Story("kraken-futures"), Rows()
    story.price(BTC, "60000")
    order = _resting(story)
    _same(rows, story.state)
    story.cancelled(order)
    for _ in range(ENDED_ORDERS):
        story.cancelled(_resting(story))
    assert order.client_order_id not in story.state.ended
    _same(rows, story.state)


def test_another_picture_is_compared_with_every_order() -> None:
    story, beside = Story("kraken-futures"), Beside()
    story.price(BTC, "60000")
    position = story.opened("0.5")
    for _ in range(3):
        story.now += 1_000_000_000
        story.picture(net={BTC: position.size}, orders=tuple(story.state.orders.values()))
        assert truth(story.ctx, beside) == truth(story.ctx)
    story.now += 1_000_000_000
    story.picture(net={BTC: position.size}, orders=())
    assert truth(story.ctx, beside) == truth(story.ctx)
