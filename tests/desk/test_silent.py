"""Orders that the venue took and tells no more of, though they must have filled: the stream lags, or
is deaf.
"""

from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.desk.messages import Wake
from engine.desk.rules import RequestRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.order import Order, OrderType, Status
from engine.model.request import Cancel, Query
from engine.model.side import Side
from tests.support.world import BTC, SECOND, Story, World, play

D = Decimal


def woken(story: Story, seconds: int) -> None:
    """So much time goes by, and nothing is told."""
    until = story.now + seconds * SECOND
    while (at := story.desk.next_wake()) is not None and at <= until:
        story.now = max(story.now, at)
        story.tell(Wake())
    story.now = until


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
@pytest.mark.hazard("H16")
def test_an_entry_that_was_taken_and_of_which_no_fill_is_told_is_asked_about(profile: str) -> None:
    story = Story(profile)
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    woken(story, 1)
    assert not story.sent(Query), "the fill is a moment away as a rule"
    assert "UNKNOWN_OUTCOME" not in story.standing()
    woken(story, 3)
    assert [query.client_order_id for query in story.sent(Query)][:1] == [entry.client_order_id]
    assert "UNKNOWN_OUTCOME" in story.standing(), "what it filled has no stop"
    fill = story.fill_of(entry, "0.5")
    theirs = replace(story.now_of(entry), status=Status.FILLED, filled=D("0.5"))
    story.tell(r.Found(theirs, (fill,), story.now))
    assert story.position().size > 0
    assert story.order("stop").size == story.position().size
    assert "UNKNOWN_OUTCOME" not in story.standing()


def test_a_close_of_which_nothing_is_told_is_asked_about() -> None:
    story = Story()
    position = story.opened("0.5")
    story.ask(i.ClosePosition(id="c", position=position.id))
    for stop in story.orders("stop"):
        story.cancelled(stop)
    close = story.order("close")
    story.accept(close)
    woken(story, 3)
    assert close.client_order_id in [query.client_order_id for query in story.sent(Query)]


def test_what_may_rest_is_left_alone() -> None:
    story = Story()
    assert story.buy("0.5", type=OrderType.LIMIT, price=D(59_000)).ok
    story.accept(story.order("entry"))
    woken(story, 30)
    assert not story.sent(Query)


def rests(story: Story, side: Side, kind: OrderType, away: int) -> Order:
    """An entry so far below (a bid) or above (an offer) the market at 60,000."""
    price = D(60_000 + away)
    terms = {"price": price} if kind is OrderType.LIMIT else {"trigger": price}
    assert story.buy("0.5", side=side, type=kind, **terms).ok
    story.accept(story.order("entry"))
    return story.order("entry")


RESTING = [
    (Side.BUY, OrderType.LIMIT, -500, ("59499.8", "59499.9"), ("59499.9", "59500")),
    (Side.SELL, OrderType.LIMIT, 500, ("60500.1", "60500.2"), ("60500", "60500.1")),
    (Side.BUY, OrderType.STOP, 500, ("60500", "60500.1"), ("60499.9", "60500")),
    (Side.SELL, OrderType.STOP, -500, ("59499.9", "59500"), ("59500", "59500.1")),
]
"""Side, type, distance; a quote that went through its price, and one that only came to it."""


@pytest.mark.parametrize(("side", "kind", "away", "through", "near"), RESTING)
@pytest.mark.hazard("H16")
def test_an_entry_that_the_market_went_through_and_of_which_no_fill_is_told_is_asked_about(
    side: Side, kind: OrderType, away: int, through: tuple[str, str], near: tuple[str, str]
) -> None:
    story = Story("kraken-futures")
    entry = rests(story, side, kind, away)
    story.price(BTC, *near)
    woken(story, 20)
    assert not story.sent(Query), "it may still rest"
    story.price(BTC, *through)
    story.price(BTC, "60000")
    woken(story, 1)
    assert not story.sent(Query), "the fill is a moment away as a rule"
    woken(story, 3)
    assert [query.client_order_id for query in story.sent(Query)][:1] == [entry.client_order_id]
    assert "UNKNOWN_OUTCOME" in story.standing(), "what it filled has no stop"
    fill = story.fill_of(entry, "0.5", price=str(60_000 + away))
    theirs = replace(story.now_of(entry), status=Status.FILLED, filled=D("0.5"))
    story.tell(r.Found(theirs, (fill,), story.now))
    assert story.order("stop").size == story.position().size == D("0.5")
    assert "UNKNOWN_OUTCOME" not in story.standing()
    story.replays()


def test_one_whose_fill_is_told_is_not_asked_about() -> None:
    story = Story()
    entry = rests(story, Side.BUY, OrderType.LIMIT, -500)
    story.price(BTC, "59400")
    story.fill(entry, "0.5", price="59500")
    woken(story, 30)
    assert not story.sent(Query)
    assert not story.board.passed


def test_one_of_which_a_part_is_told_has_its_time_from_then() -> None:
    story = Story()
    entry = rests(story, Side.BUY, OrderType.LIMIT, -500)
    story.price(BTC, "59400")
    woken(story, 1)
    story.fill(entry, "0.2", price="59500")
    woken(story, 1)
    assert not story.sent(Query)
    woken(story, 3)
    assert story.sent(Query)


def test_one_that_rests_on_beyond_the_market_is_asked_about_less_and_less_often() -> None:
    """A venue that tells prices which are none of its own book's must not take all tokens."""
    story = Story()
    entry = rests(story, Side.BUY, OrderType.LIMIT, -500)
    asked = []
    for _ in range(300):
        story.price(BTC, "59400")
        before = len(story.sent(Query))
        woken(story, 1)
        if len(story.sent(Query)) > before:
            asked.append(story.now)
            story.tell(r.Found(replace(story.now_of(entry)), (), story.now))
            assert not story.state.doubts
    pauses = [later - earlier for earlier, later in pairwise(asked)]
    assert len(asked) == 8
    assert pauses == sorted(pauses)


def test_that_the_venue_does_not_list_an_entry_that_rested_is_not_believed_while_its_views_lag() -> (
    None
):
    story = Story("kraken-futures", Rules(requests=RequestRules(late=60.0)))
    entry = rests(story, Side.BUY, OrderType.LIMIT, -500)
    woken(story, 600)
    story.price(BTC, "59400")
    for _ in range(40):
        woken(story, 1)
        story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).is_open
    assert "UNKNOWN_OUTCOME" in story.standing()


def test_a_stop_entry_that_is_told_to_have_fired_and_fills_is_asked_about_at_its_limit() -> None:
    """On futures it has one: half a per cent beyond its trigger."""
    story = Story("kraken-futures")
    entry = rests(story, Side.BUY, OrderType.STOP, 500)
    assert story.now_of(entry).price == D("60802.5")
    story.price(BTC, "60802.4", "60802.5")
    story.tell(r.Triggered(entry.client_order_id, story.now))
    for _ in range(20):
        story.price(BTC, "60802.4", "60802.5")
        woken(story, 1)
    assert not story.sent(Query), "it may rest at its limit"
    story.price(BTC, "60802.3", "60802.4")
    woken(story, 3)
    assert story.sent(Query)


def test_what_ended_or_moved_is_not_asked_about() -> None:
    story = Story()
    entry = rests(story, Side.BUY, OrderType.LIMIT, -500)
    story.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(59_000)))
    story.amended(entry)
    story.price(BTC, "59400")
    woken(story, 5)
    assert not story.sent(Query)
    story.ask(i.CancelOrder(id="c", order=entry.client_order_id))
    story.cancelled(entry)
    story.price(BTC, "58000")
    woken(story, 5)
    assert not story.sent(Query)
    assert not story.board.passed


@pytest.mark.hazard("H16")
def test_a_limit_that_fills_while_the_stream_is_deaf_has_its_stop_within_seconds(
    tmp_path: Path,
) -> None:
    async def tale(world: World) -> None:
        answer = await world.buy("0.5", type=OrderType.LIMIT, price=D(59_500))
        await world.until(lambda: all(order.is_working for order in world.state.orders.values()))
        world.exchange.on_report.remove(world.venue._said)
        world.price(BTC, "59400")
        world.price(BTC, "59600")
        assert world.exchange.picture(world.clock.now(), 0).fills
        began = world.clock.now()
        await world.until(lambda: world.state.positions[answer.created].size > 0)
        await world.until(
            lambda: any(
                order.role.value == "stop" and order.client_order_id in world.exchange.orders
                for order in world.state.orders_for(answer.created)
            )
        )
        assert world.clock.now() - began < 5 * SECOND
        world.exchange.on_report.append(world.venue._said)

    play(tale, tmp_path)


def test_one_that_the_venue_says_is_open_is_not_asked_about_without_a_pause() -> None:
    story = Story()
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    for _ in range(10):
        asked = len(story.sent(Query))
        woken(story, 1)
        if len(story.sent(Query)) > asked:
            story.tell(r.Found(replace(story.now_of(entry)), (), story.now))
    assert 1 < len(story.sent(Query)) <= 5


def test_that_the_venue_does_not_list_what_it_took_is_not_believed_while_its_views_may_lag() -> (
    None
):
    story = Story("kraken-futures", Rules(requests=RequestRules(late=60.0)))
    assert story.buy("0.5").ok
    entry = story.order("entry")
    story.accept(entry)
    for _ in range(40):
        woken(story, 1)
        story.tell(r.Absent(entry.client_order_id, story.now))
    assert story.now_of(entry).is_open
    assert "UNKNOWN_OUTCOME" in story.standing()
    story.fill(story.now_of(entry), "0.5")
    assert story.order("stop").size == D("0.5")
    assert "UNKNOWN_OUTCOME" not in story.standing()


EXITS = [
    (Side.BUY, "stop", ("59400", "59400.3"), ("59400.1", "59400.2")),
    (Side.SELL, "stop", ("60599.8", "60600"), ("60599.8", "60599.9")),
    (Side.BUY, "target", ("61000.1", "61000.2"), ("61000", "61000.1")),
    (Side.SELL, "target", ("58999.8", "58999.9"), ("58999.9", "59000")),
]
"""Side of the position, its exit, a quote that went through the exit's price, one that did not."""


@pytest.mark.parametrize(("side", "role", "through", "near"), EXITS)
@pytest.mark.hazard("H39")
def test_an_exit_that_the_market_went_through_and_of_which_nothing_is_told_is_asked_about(
    side: Side, role: str, through: tuple[str, str], near: tuple[str, str]
) -> None:
    """It filled unheard, and the price came back: no guard acts, and nothing looks wrong."""
    story = Story("kraken-futures")
    story.opened("0.5", side=side, target=i.At(D(60_000 + 1_000 * side.sign)))
    order = story.order(role)
    story.price(BTC, *near)
    woken(story, 20)
    assert not story.sent(Query), "it may still rest"
    story.price(BTC, *through)
    story.price(BTC, "60000")
    woken(story, 1)
    assert not story.sent(Query), "the fill is a moment away as a rule"
    woken(story, 3)
    assert [query.client_order_id for query in story.sent(Query)] == [order.client_order_id]
    assert not story.now_of(order).in_doubt, "it can be cancelled before the answer comes"
    price = order.trigger or order.price
    fill = story.fill_of(order, "0.5", price=str(price))
    theirs = replace(story.now_of(order), status=Status.FILLED, filled=D("0.5"))
    story.tell(r.Found(theirs, (fill,), story.now))
    assert not story.position().size
    story.replays()


def test_a_question_about_an_exit_keeps_no_flatten_waiting() -> None:
    story = Story()
    story.opened("0.5")
    story.price(BTC, "59399")
    story.price(BTC, "60000")
    woken(story, 2)
    assert story.sent(Query)
    story.ask(i.Flatten(id="f"))
    assert story.sent(Cancel), "the answer may never come"
