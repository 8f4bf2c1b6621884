"""What a picture of the account changes: which of its orders are ours, which are gone, what waits
for it, and what it ends.
"""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.messages import Pulse, Restarted
from engine.desk.rules import RequestRules, Rules
from engine.model import intent as i
from engine.model import report as r
from engine.model.ids import account_prefix
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Cancel, Lane, Query, QueryAccount, Submit
from engine.model.side import Side
from tests.support.world import ETH, SECOND, START, Story

D = Decimal
LIMIT = OrderType.LIMIT
FUTURES, SPOT = "kraken-futures", "kraken-spot"
PREFIX = account_prefix("test")


def resting(story: Story, **terms: object) -> Order:
    assert story.buy(**{"type": LIMIT, "price": D(59_000), **terms}).ok
    order = story.orders("entry")[-1]
    story.accept(order)
    return story.now_of(order)


def orphan(symbol: str = ETH) -> Order:
    return Order(
        f"{PREFIX}ORPHAN",
        "",
        symbol,
        Side.BUY,
        LIMIT,
        Role.ENTRY,
        D(1),
        price=D(2000),
        venue_order_id="OX",
        status=Status.OPEN,
    )


def foreign(name: str, venue_order_id: str | None) -> Order:
    return replace(orphan(), client_order_id=name, venue_order_id=venue_order_id, foreign=True)


def alerts(story: Story, code: str) -> list[tuple[str, str, str, int]]:
    return [
        (alert.subject, alert.detail, alert.target, alert.count)
        for alert in story.state.alerts.values()
        if alert.code == code
    ]


# Orders that are not known


@pytest.mark.parametrize("held", ["nothing", "another symbol", "an entry", "the symbol"])
def test_an_orphan_is_cancelled_unless_it_may_protect_something(held: str) -> None:
    story = Story(FUTURES)
    if held == "another symbol":
        story.opened("0.5", stop=None)
    if held == "an entry":
        resting(story, symbol=ETH, price=D(2_900))
    if held == "the symbol":
        story.opened("1", symbol=ETH, price="3000", stop=None)
    story.picture(orders=(*story.state.orders.values(), orphan()))
    assert alerts(story, "UNKNOWN_ORDER") == [(f"{PREFIX}ORPHAN", "", f"{PREFIX}ORPHAN", 1)]
    assert story.sent(Cancel) == (
        [] if held == "the symbol" else [Cancel(f"{PREFIX}ORPHAN", ETH, Lane.CANCEL, "OX", 0)]
    )


def test_somebody_elses_orders_are_told_once_each_and_kept_by_the_venues_id() -> None:
    story = Story(FUTURES)
    one, two = foreign("one", "X1"), foreign("two", None)
    for orders in ((one,), (one, two), (one, two)):
        story.picture(orders=orders)
    assert alerts(story, "FOREIGN_ORDER") == [
        ("buy 1 ETH/USD", "X1", "X1", 1),
        ("buy 1 ETH/USD", "two", "two", 1),
    ]
    assert story.state.foreign == {"X1": one, "two": two}
    assert story.sent(Cancel) == []


# Orders that are known


def test_an_order_that_the_venue_lists_as_ours_is_changes_nothing() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.now += 20 * SECOND
    seq = story.state.seq
    story.picture(orders=(entry,))
    assert story.state.seq == seq + 1, "that there was a picture"
    assert story.now_of(entry) == entry


def test_an_order_that_has_filled_more_there_is_asked_about_and_not_taken_over() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.now += SECOND
    story.picture(
        orders=(replace(entry, filled=D("0.2"), price=D(1), status=Status.PARTIALLY_FILLED),),
        as_of=START - 1,
    )
    assert [query.client_order_id for query in story.sent(Query)] == [entry.client_order_id]
    assert story.now_of(entry) == entry


def test_an_order_that_has_filled_more_here_is_older_news() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.fill(entry, "0.2", price="59000")
    story.picture(orders=(entry,), as_of=START - 1)
    assert story.sent(Query) == []
    assert story.now_of(entry).filled == D("0.2")


def test_an_answer_that_was_lost_comes_with_the_picture_however_old_that_is() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    entry = story.order("entry")
    story.picture(
        orders=(replace(entry, status=Status.OPEN, venue_order_id="V7"),), as_of=START - 1
    )
    assert (story.now_of(entry).status, story.now_of(entry).venue_order_id) == (Status.OPEN, "V7")


@pytest.mark.parametrize("pending", ["amend", "cancel"])
def test_what_is_being_changed_is_not_taken_over_from_a_picture(pending: str) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    if pending == "amend":
        story.ask(i.AmendOrder(id="a", order=entry.client_order_id, price=D(59_500)))
    else:
        story.ask(i.CancelOrder(id="a", order=entry.client_order_id))
    story.now += SECOND
    story.picture(orders=(replace(entry, price=D(58_000)),))
    assert story.now_of(entry).price == D(59_000)
    assert story.seen(e.OrderAmended) == []


@pytest.mark.parametrize(("as_of", "cancelled"), [(4, False), (5, False), (6, True)])
def test_what_ended_here_before_the_picture_and_rests_there_is_cancelled(
    as_of: int, cancelled: bool
) -> None:
    story = Story(FUTURES)
    entry = resting(story)
    story.now += 5
    story.cancelled(entry)
    story.picture(orders=(entry,), as_of=START + as_of)
    asked = [event for event in story.seen(e.CancelAsked) if event.order == entry.client_order_id]
    expected = e.CancelAsked(
        START + 5, entry.client_order_id, Lane.CANCEL, "the venue still has it open"
    )
    assert asked == ([expected] if cancelled else [])


def test_only_what_a_picture_lacks_is_asked_about() -> None:
    story = Story(FUTURES)
    one, two = resting(story), resting(story, symbol=ETH, price=D(2_900))
    story.now += 20 * SECOND
    story.picture(orders=(two,))
    assert [query.client_order_id for query in story.sent(Query)] == [one.client_order_id]


def test_somebody_elses_executions_are_not_our_business() -> None:
    story = Story(FUTURES)
    entry = resting(story)
    alien = replace(story.fill_of(entry, "0.1"), client_order_id="web-page")
    asked = len(story.sent(QueryAccount))
    story.picture(fills=(alien, replace(alien, execution_id="Y", symbol="NO/SUCH")))
    assert len(story.sent(QueryAccount)) == asked
    assert story.standing() == set()
    assert story.state.executions == {}


# Differences


def test_a_difference_is_said_in_figures_and_again_only_when_they_change() -> None:
    story = Story(SPOT)
    for eur in ("5", "5", "6"):
        story.picture({"USD": D(1_000_000), "EUR": D(eur)})
    assert alerts(story, "DIFFERENCE") == [("EUR", "ours 0, the venue's 6", "EUR", 2)]
    assert [event.differences for event in story.seen(e.Reconciled)][1:] == [
        ("EUR: ours 0, the venue's 5",),
        ("EUR: ours 0, the venue's 5",),
        ("EUR: ours 0, the venue's 6",),
    ]


def test_only_differences_end_when_there_is_none() -> None:
    story = Story(SPOT)
    position = story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture({**story.state.cash, "EUR": D(5)})
    story.tell(r.Disconnected("broken", story.now))
    assert {"DIFFERENCE", "NAKED", "DISCONNECTED"} <= story.standing()
    story.picture()
    assert story.standing() == {"NAKED", "DISCONNECTED"}
    assert story.position().id == position.id


def test_while_something_moves_a_difference_stands() -> None:
    story = Story(SPOT)
    story.opened("0.5", stop=None)
    story.now += SECOND
    story.picture({**story.state.cash, "EUR": D(5), "BTC": D("0.7")})
    story.ask(i.ClosePosition(id="c", position=story.position().id))
    story.picture()
    standing = {alert.target for alert in story.state.alerts.values() if alert.code == "DIFFERENCE"}
    assert standing == {"BTC"}, (
        "bitcoin moves and can't be judged; the euros have nothing to do with it"
    )


def test_the_first_balances_are_taken_over_and_later_ones_are_compared() -> None:
    story = Story(SPOT)
    assert [event.cash for event in story.seen(e.CashReported)] == [{"USD": D(1_000_000)}]
    story.picture({"USD": D(5)})
    assert story.state.cash == {"USD": D(1_000_000)}
    empty = Story(SPOT, cash="7")
    empty.state.cash = {}
    entry = resting_without_cash(empty)
    empty.picture({"USD": D(9)})
    assert empty.state.cash == {}, "not while something is in doubt"
    empty.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V"), (), empty.now))
    empty.picture({"USD": D(9)})
    assert empty.state.cash == {"USD": D(9)}


def resting_without_cash(story: Story) -> Order:
    """A doubt, and nothing else."""
    story.state.cash = {"USD": D(1_000_000)}
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    entry = story.order("entry")
    story.tell(r.Unknown(entry.client_order_id, "submit", "no answer", story.now))
    story.state.cash = {}
    return entry


# What waits for a picture


def test_after_a_start_entries_wait_for_the_picture_and_for_every_doubt() -> None:
    story = Story(FUTURES)
    assert story.buy("0.5", type=LIMIT, price=D(59_000)).ok
    entry = story.order("entry")
    story.tell(Restarted())
    story.picture(orders=())
    assert "STARTING" in story.state.blocks, "one is in doubt"
    story.tell(r.Found(replace(entry, status=Status.OPEN, venue_order_id="V"), (), story.now))
    assert "STARTING" in story.state.blocks
    story.now += SECOND
    story.tell(Pulse())
    assert isinstance(story.requests[-1], QueryAccount), "now the picture is asked for again"
    story.picture()
    assert "STARTING" not in story.state.blocks


def test_a_reversal_that_a_crash_interrupted_goes_on_once_the_venue_was_heard() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.Reverse(id="r", position=position.id))
    close = story.order("close")
    story.tell(Restarted())
    story.fill(close)
    assert position.id in story.state.closed
    assert not story.orders("entry")
    story.now += SECOND
    story.picture()
    assert [(order.side, order.size) for order in story.orders("entry")] == [(Side.SELL, D("0.5"))]
    assert story.state.reverses == {}


def test_a_reversal_whose_position_is_still_open_waits() -> None:
    story = Story(FUTURES)
    position = story.opened("0.5", stop=None)
    story.ask(i.Reverse(id="r", position=position.id))
    story.tell(Restarted())
    close = story.order("close")
    story.tell(r.Found(replace(close, status=Status.OPEN, venue_order_id="V"), (), story.now))
    story.now += SECOND
    story.picture()
    assert "STARTING" not in story.state.blocks
    assert list(story.state.reverses) == [position.id]
    assert not story.orders("entry")


def test_exits_that_waited_for_the_picture_are_placed_with_it() -> None:
    story = Story(FUTURES)
    story.opened("0.5", stop=None)
    story.now += SECOND
    story.tell(Restarted())
    assert story.ask(i.MoveStop(id="m", position=story.position().id, stop=i.At(D(59_400)))).ok
    assert len(story.sent(Submit)) == 1
    story.picture(as_of=story.now - 1)
    assert len(story.sent(Submit)) == 1, "of a time before the start"
    story.picture(as_of=story.now)
    assert story.sent(Submit)[-1].order.role is Role.STOP


# Lines


def test_a_line_that_breaks_and_comes_back() -> None:
    story = Story(FUTURES)
    story.tell(r.Connected(story.now))
    assert story.seen(e.EntriesAllowed) == [e.EntriesAllowed(START, "STARTING")]
    for text in ("one", "two"):
        story.tell(r.Disconnected(text, story.now))
    assert [
        event.text for event in story.seen(e.EntriesBlocked) if event.code == "DISCONNECTED"
    ] == ["no connection to the venue"]
    assert alerts(story, "DISCONNECTED") == [("venue", "two", "", 2)]
    story.now += 20 * SECOND
    before = len(story.sent(QueryAccount))
    story.tell(r.Connected(story.now))
    assert "DISCONNECTED" not in story.state.blocks
    assert alerts(story, "DISCONNECTED") == []
    assert len(story.sent(QueryAccount)) == before + 1


@pytest.mark.parametrize(("held", "pause"), [("nothing", 50), ("an entry", 10), ("a position", 10)])
def test_how_long_until_the_next_picture(held: str, pause: int) -> None:
    story = Story(FUTURES, Rules(requests=RequestRules(reconcile=10)))
    story.tell(Pulse())
    if held == "an entry":
        resting(story)
    if held == "a position":
        story.opened(stop=None)
    asked = len(story.sent(QueryAccount))
    story.now = START + pause * SECOND - 1
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == asked
    story.now += 1
    story.tell(Pulse())
    assert len(story.sent(QueryAccount)) == asked + 1
