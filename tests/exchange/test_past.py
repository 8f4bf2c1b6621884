"""A paper account forks at any moment of a recording: the fork is what the account was then."""

from __future__ import annotations

import sqlite3
from copy import deepcopy
from typing import TYPE_CHECKING

import pytest

from engine.exchange import ArchiveError, Store, past
from engine.model.order import OrderType, Trail
from engine.model.side import Side
from tests.exchange.conftest import D
from tests.exchange.test_store import everything

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.exchange.conftest import Open, Venue

BUY, SELL = Side.BUY, Side.SELL
STEPS: tuple[Callable[[Venue], object], ...] = (
    lambda venue: venue.quote("10000", "10001", "3", "3"),
    lambda venue: venue.submit(BUY, "1"),
    lambda venue: venue.limit(BUY, "0.5", "10000"),
    lambda venue: venue.submit(SELL, "1", OrderType.TRAILING_STOP, trail=Trail(amount=D(100))),
    lambda venue: venue.quote("10050", "10051", "3", "3"),
    lambda venue: venue.exchange.cancel(venue.limit(BUY, "0.1", "8000"), venue.now),
    lambda venue: venue.trade("10000", "3.2", SELL),
    lambda venue: venue.quote("9900", "9901", "3", "3"),
)


def same(body: bytes) -> bytes:
    return body


@pytest.fixture
def venue(at: Open) -> Venue:
    return at("kraken-spot", "BTC/USD", USD="100000", BTC="5")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tmp_path / "paper.sqlite"


def forked(source: Path, at: int, renamed: Callable[[bytes], bytes] = same) -> Path:
    target = source.with_name(f"fork-{at}.sqlite")
    Store(target).close()
    past.fork(source, target, at, renamed)
    return target


def test_a_fork_is_the_account_as_it_was_after_any_step(
    at: Open, venue: Venue, source: Path
) -> None:
    store = Store(source)
    store.restore(venue.exchange, venue.now)
    store.keep_past(venue.now)
    expected = {}
    for step in STEPS:
        step(venue.later(1))
        store.save(venue.exchange, venue.now)
        expected[venue.now] = deepcopy(everything(venue.exchange, venue.now))
    store.close()
    assert any("filled" in str(order.status) for order in venue.exchange.ended.values())
    for moment, was in expected.items():
        again = at("kraken-spot", "BTC/USD", USD="100000", BTC="5")
        again.now = moment
        copy = Store(forked(source, moment))
        copy.restore(again.exchange, moment)
        assert everything(again.exchange, moment) == was
        copy.close()


def test_what_an_account_was_before_it_kept_its_past_is_refused(venue: Venue, source: Path) -> None:
    store = Store(source)
    store.restore(venue.exchange, venue.now)
    venue.quote("10000", "10001")
    venue.submit(BUY, "0.1", created_at=venue.now)
    store.save(venue.exchange, venue.now)
    before = venue.now
    store.keep_past(venue.later(5).now)
    store.close()
    with pytest.raises(ArchiveError, match="what it was then was not kept"):
        forked(source, before)
    assert sqlite3.connect(forked(source, venue.now)).execute(
        "SELECT COUNT(*) FROM orders"
    ).fetchone() == (1,)


def test_what_changed_while_no_recording_was_played_is_known_after_it(
    venue: Venue, source: Path
) -> None:
    store = Store(source)
    store.restore(venue.exchange, venue.now)
    store.keep_past(venue.now)
    venue.quote("10000", "10001")
    venue.submit(BUY, "0.1")
    store.save(venue.exchange, venue.now)
    store.close()
    store = Store(source)
    venue.submit(BUY, "0.2")
    store.save(venue.exchange, venue.later(1).now)
    store.keep_past(venue.later(1).now)
    store.close()
    copy = sqlite3.connect(forked(source, venue.now))
    names = copy.execute("SELECT client_order_id FROM orders ORDER BY rowid").fetchall()
    assert names == [("C1",), ("C2",)]


def test_of_a_recording_that_was_played_twice_the_first_time_counts(
    venue: Venue, source: Path
) -> None:
    store = Store(source)
    store.restore(venue.exchange, venue.now)
    store.keep_past(venue.now)
    began = venue.now
    venue.quote("10000", "10001")
    venue.submit(BUY, "0.1")
    store.save(venue.exchange, venue.now)
    venue.submit(BUY, "0.2")
    store.save(venue.exchange, venue.later(60).now)
    venue.now = began + 1
    venue.submit(BUY, "0.3")
    store.save(venue.exchange, venue.now)
    store.close()
    names = sqlite3.connect(forked(source, began + 5)).execute("SELECT client_order_id FROM orders")
    assert names.fetchall() == [("C1",)]


def test_the_names_of_a_fork_are_its_own(venue: Venue, source: Path) -> None:
    store = Store(source)
    store.restore(venue.exchange, venue.now)
    store.keep_past(venue.now)
    venue.quote("10000", "10001")
    venue.submit(BUY, "0.1")
    store.save(venue.exchange, venue.now)
    store.close()
    copy = sqlite3.connect(forked(source, venue.now, lambda body: body.replace(b"C1", b"D1")))
    assert copy.execute("SELECT client_order_id FROM orders").fetchall() == [("D1",)]
    (body,) = copy.execute("SELECT body FROM fills").fetchone()
    assert b'"client_order_id":"D1"' in body
