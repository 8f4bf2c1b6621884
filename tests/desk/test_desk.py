"""The desk itself: what it takes up from a state, what it looks after, what it forgets, and what
stands when a rule dies.
"""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.board import Board
from engine.desk.desk import Desk
from engine.desk.messages import Crossed, Listed, Pulse, Wake
from engine.desk.state import decode_state, encode_state
from engine.model import intent as i
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.order import OrderType
from engine.model.quote import Quote
from engine.model.request import Submit
from engine.model.side import Side
from tests.support.world import BTC, ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES = "kraken-futures"


def quote(symbol: str, price: str) -> Quote:
    return Quote(symbol, START, D(price), D(1), D(price), D(1))


# What it takes up


def test_a_desk_over_a_state_watches_what_that_holds() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5")
    story.cancelled(story.order("stop"), "by the venue")
    assert story.buy("1", symbol=ETH, type=LIMIT, price=D(2_900), expires_in=30 * SECOND).ok
    board = Board()
    desk = Desk(decode_state(encode_state(story.state)), story.rules, story.profile, board)
    assert set(desk.revisions) == {position.id, story.orders("entry")[-1].position}
    assert all(revision > 0 for revision in desk.revisions.values())
    desk.handle(Wake(), START)
    assert desk.next_wake() == START + SECOND, "the refused stop"
    assert board.on_quote(quote(BTC, "60000")) == []
    assert board.rate("BTC", "USD") == 60_000, "its instruments are known"
    assert board.on_quote(quote(BTC, "59400")) == [(position.id, "stop")]
    decision = desk.handle(Crossed(BTC, ((position.id, "stop"),)), START)
    assert [event.reason for event in decision.events if isinstance(event, e.ClosingBegan)] == [
        "stop (guard)"
    ]


def test_an_instrument_is_listed_once_unless_it_changed() -> None:
    story = Story(FUTURES)
    listed = tuple(story.state.instruments.values())
    count = len(story.seen(e.InstrumentListed))
    story.tell(Listed(listed))
    assert len(story.seen(e.InstrumentListed)) == count
    changed = replace(listed[0], tick=D("0.5"))
    story.tell(Listed((changed, *listed[1:])))
    assert [event.instrument for event in story.seen(e.InstrumentListed)[count:]] == [changed]


# What it looks after


def test_what_has_ended_is_forgotten_everywhere() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", target=i.Away(D("0.02")))
    story.cancelled(story.order("stop"), "by the venue")
    assert position.id in story.desk._wake_at
    story.ask(i.ClosePosition(id="c", position=position.id))
    for order in (*story.orders("stop"), *story.orders("target")):
        story.cancelled(order)
    for order in story.orders("close"):
        story.fill(order)
    for order in list(story.state.orders.values()):
        story.cancelled(order)
    assert position.id in story.state.closed
    assert (story.desk.revisions, story.desk._wake_at) == ({}, {})
    assert story.board.extremes(position) is None
    assert (story.board._watched, story.board._since) == ({}, {})


def test_a_neighbour_whose_target_may_rest_again_is_no_longer_watched_for_it() -> None:
    story = Story(FUTURES)
    story.opened("0.2", target=i.Away(D("0.02")))
    first = story.position()
    second = story.opened("0.3", target=i.Away(D("0.03")))
    for order in story.orders("target"):
        story.cancelled(order)
    stop = next(order for order in story.state.orders_for(first.id) if order.role.value == "stop")
    story.fill(stop, price="59400")
    assert first.id in story.state.closed
    target = story.order("target")
    assert (target.position, target.price) == (second.id, D(61_800))
    story.price(BTC, "61800")
    assert story.position().closing == 0, "the venue's target, on its way, does it"


def test_a_neighbour_whose_target_may_not_rest_any_more_is_watched_for_it() -> None:
    story = Story(FUTURES)
    first = story.opened("0.2", target=i.Away(D("0.02")))
    story.opened("0.3")
    story.price(BTC, "61200")
    assert story.state.positions[first.id].closing == D("0.2")
    assert story.state.positions[first.id].close_reason == "target"


def test_a_position_has_a_version_from_its_first_moment() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.Reverse(id="r", position=position.id))
    story.fill(story.order("close"))
    opened = story.order("entry").position
    assert opened != position.id
    assert story.desk.revisions[opened] > 0


# What stands when a rule dies


def test_what_a_rule_did_before_it_died_stands_and_is_told() -> None:
    story = Story(FUTURES)
    story.opened("0.5")
    fill = Fill(
        "L", "venue", "NO/SUCH", Side.SELL, D(50_000), D("0.5"), D(1), "USD", Liquidity.TAKER, START
    )
    decision = story.desk.handle(r.Liquidated(BTC, fill, START), START)
    assert decision.failure == "Liquidated: KeyError: 'NO/SUCH'"
    assert [type(event) for event in decision.events] == [e.AlertRaised]
    assert decision.answer is None
    assert "LIQUIDATED" in story.standing()


def test_what_was_touched_before_a_rule_died_is_looked_after() -> None:
    """The picture brings a fill, and then custody of another position finds no instrument."""
    story = Story(FUTURES)
    other = story.opened("1", symbol=ETH, price="3000", stop=None)
    story.ask(i.ClosePosition(id="c", position=other.id))
    assert story.buy("0.5", type=LIMIT, price=D(60_000)).ok
    entry = story.order("entry")
    story.accept(entry)
    fill = story.fill_of(entry)
    del story.state.instruments[ETH]
    story.now += SECOND
    decision = story.desk.handle(r.Picture(story.now, (), (fill,), {}, {}, story.now), story.now)
    assert decision.failure == "Picture: KeyError: 'ETH/USD'"
    held = story.state.positions[entry.position]
    assert (held.size, held.stop) == (D("0.5"), D(59_400))
    assert story.board.on_quote(quote(BTC, "59400")) == [(held.id, "stop")], "its guard is set"


def test_an_intent_is_answered_the_first_way_however_often_it_is_asked() -> None:
    story = Story(FUTURES)
    first = story.buy("0.5", id="once")
    again = story.tell(i.OpenBracket(id="once", symbol=BTC, side=Side.BUY, size=i.Base(D(1))))
    assert again.answer == replace(first, repeated=True)
    assert (again.events, again.requests) == ((), ())


def test_what_matters_to_nobody_has_no_answer_and_changes_nothing() -> None:
    story = Story(FUTURES)
    story.tell(Pulse())
    for message in (Wake(), Pulse(), r.Accepted("somebody", "V", START)):
        decision = story.tell(message)
        assert decision.answer is None
        assert not [event for event in decision.events if not isinstance(event, e.AccountAsked)]
    assert len(story.sent(Submit)) == 0
