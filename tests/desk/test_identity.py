"""One execution under two ids, and two under one: what counts is how much the order has filled at
the venue (H77).
"""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.exchange import Exchange
from engine.exchange.store import Store
from engine.gate import Evidence
from engine.model import report as r
from engine.model.books import Books
from engine.model.fill import Fill, Liquidity
from engine.model.order import Order, OrderType, Role, Status
from engine.model.request import Query, Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile
from tests.support.world import BTC, SECOND, Story

D = Decimal
LIMIT = OrderType.LIMIT
pytestmark = pytest.mark.hazard("H77")


def _entry(story: Story, size: str = "0.5") -> Order:
    story.buy(size, type=LIMIT, price=D(60_000))
    entry = story.order("entry")
    story.accept(entry)
    return story.now_of(entry)


def _merged(story: Story, entry: Order, size: str) -> Fill:
    """The same executions as a list tells them: in one row, with an id of its own."""
    return replace(story.fill_of(entry, size), execution_id="MERGED")


def _found(
    story: Story, entry: Order, filled: str, *fills: Fill, status: Status = Status.FILLED
) -> None:
    story.tell(
        r.Found(
            replace(entry, status=status, filled=D(filled), venue_order_id="V"), fills, story.now
        )
    )


def test_executions_that_a_list_merges_are_counted_once() -> None:
    story = Story()
    entry = _entry(story)
    story.fill(entry, "0.2")
    story.fill(entry, "0.3")
    merged = _merged(story, entry, "0.5")
    sent = len(story.sent(Submit))
    story.now += SECOND
    story.picture(fills=(merged,))
    assert story.position().size == D("0.5"), "doubt is not money"
    assert "EXCESS_FILL" in story.standing()
    assert story.sent(Query)[-1].client_order_id == entry.client_order_id
    _found(story, entry, "0.5", merged)
    assert story.position().size == D("0.5")
    assert "EXCESS_FILL" not in story.standing()
    story.picture(fills=(merged,))
    assert not story.state.excess
    assert "EXCESS_FILL" not in story.standing(), "it is known by now"
    assert len(story.sent(Submit)) == sent, "nothing is sent to undo what never was"
    story.replays()


def test_an_order_that_is_not_full_tells_what_was_counted() -> None:
    story = Story()
    entry = _entry(story, "1")
    story.fill(entry, "0.3")
    story.fill(entry, "0.2")
    merged = _merged(story, entry, "0.5")
    story.now += SECOND
    resting = story.now_of(entry)
    story.picture(orders=(resting, *story.orders("stop")), fills=(merged,))
    assert story.position().size == D("0.5")
    _found(story, entry, "0.5", merged, status=Status.PARTIALLY_FILLED)
    story.fill(entry, "0.5")
    assert story.position().size == D(1)
    _found(story, entry, "1")
    assert story.position().size == D(1)
    assert "EXCESS_FILL" not in story.standing()


def test_of_merged_executions_only_what_was_missing_is_booked() -> None:
    story = Story()
    entry = _entry(story)
    missed = story.fill_of(entry, "0.2")
    story.fill(entry, "0.3")
    merged = _merged(story, entry, "0.5")
    story.now += SECOND
    story.picture(fills=(merged,), orders=(story.now_of(entry), *story.orders("stop")))
    assert story.position().size == D("0.5")
    story.tell(r.Filled(missed, story.now))
    assert story.position().size == D("0.5"), "the stream tells the rest of it late"
    _found(story, entry, "0.5")
    assert "EXCESS_FILL" not in story.standing()


def test_what_is_in_doubt_is_asked_about_until_it_is_answered() -> None:
    story = Story()
    entry = _entry(story)
    story.fill(entry)
    merged = _merged(story, entry, "0.5")
    story.tell(r.Filled(merged, story.now))
    asked = len(story.sent(Query))
    story.tell(r.Unanswered(entry.client_order_id, "no answer", story.now))
    story.tell(r.Filled(merged, story.now))
    assert len(story.sent(Query)) == asked
    story.wait(5)
    assert len(story.sent(Query)) > asked
    assert story.desk.needs_pulse(story.now)


def test_more_than_the_venue_had_told_is_money_once_it_says_so() -> None:
    story = Story()
    entry = _entry(story)
    story.fill(entry, "0.2")
    story.cancelled(story.now_of(entry))
    assert story.now_of(entry).status is Status.CANCELLED
    late = story.fill_of(entry, "0.3")
    story.tell(r.Filled(late, story.now))
    assert story.position().size == D("0.2")
    assert "EXCESS_FILL" in story.standing()
    _found(story, entry, "0.5", late)
    assert story.position().size == D("0.5")
    assert story.now_of(entry).status is Status.FILLED
    assert "EXCESS_FILL" not in story.standing()
    story.replays()


def test_what_can_be_no_repeat_is_booked_at_once() -> None:
    story = Story()
    entry = _entry(story)
    story.cancelled(entry, filled="0")
    story.fill(entry, "0.5")
    assert story.position().size == D("0.5")
    assert story.order("stop").size == D("0.5")


def test_an_id_that_an_older_account_had_used_swallows_nothing() -> None:
    story = Story()
    first = _entry(story)
    again = story.fill(first)
    second = _entry(story, "0.2")
    fill = replace(story.fill_of(second), execution_id=again.execution_id)
    story.tell(r.Filled(fill, story.now))
    story.tell(r.Filled(fill, story.now))
    story.picture(fills=(fill,))
    assert sorted(position.size for position in story.state.positions.values()) == [
        D("0.2"),
        D("0.5"),
    ]
    filled = [event.fill.execution_id for event in story.seen(e.OrderFilled)]
    assert len(filled) == len(set(filled)) == 2, "each has a row of its own"
    assert story.now_of(second).status is Status.FILLED


def test_the_gate_counts_an_execution_under_two_ids_once() -> None:
    evidence = Evidence("FO", 0, 0)
    instrument = instrument_for(load_profile("kraken-spot"), BTC, D("0.1"))
    evidence.list([instrument])
    evidence.hear(r.Picture(1, (), (), {"BTC": D(1)}, {}, 1), 1)
    close = Order(
        "FOC", "p", BTC, Side.SELL, OrderType.MARKET, Role.CLOSE, D(1), created_at=2, touched_at=2
    )
    evidence.seed([close])

    def told(name: str, size: str) -> Fill:
        return Fill(
            name, "FOC", BTC, Side.SELL, D(60_000), D(size), D(0), "USD", Liquidity.TAKER, 3
        )

    evidence.hear(r.Filled(told("A", "0.2"), 3), 3)
    evidence.hear(r.Filled(told("B", "0.3"), 3), 3)
    evidence.hear(
        r.Picture(
            4,
            (replace(close, filled=D("0.5"), status=Status.OPEN),),
            (told("MERGED", "0.5"),),
            {"BTC": D("0.5")},
            {},
            4,
        ),
        4,
    )
    assert evidence.leaving("BTC", Side.SELL) == D("0.5"), "half of it may still leave"
    assert evidence.bound("BTC", Side.SELL, Books(long=D("0.5"))) == D(0)


def test_a_new_paper_account_uses_no_id_of_the_one_before(tmp_path: Path) -> None:
    profile = load_profile("kraken-spot")
    instrument = instrument_for(profile, BTC, D("0.1"))

    def first_id(file: str, born: int) -> str:
        store = Store(tmp_path / file)
        exchange = Exchange(profile, (instrument,), {"USD": D(1_000_000)}, "USD")
        assert not store.restore(exchange, born)
        return exchange.new_order_id()

    assert first_id("one.sqlite", 1_000) != first_id("two.sqlite", 2_000)
