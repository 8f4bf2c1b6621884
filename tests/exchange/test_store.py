"""The venue's own truth survives the process."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from engine.exchange import Exchange, Store, StoreError
from engine.exchange.orders import REMEMBERED_BESIDE_STORE
from engine.model import report as r
from engine.model.order import OrderType, Trail
from engine.model.side import Side
from tests.support import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.exchange.conftest import Open, Venue

    Keep = Callable[[Venue], Store]

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def keep(tmp_path: Path) -> Iterator[Callable[[Venue], Store]]:
    """Opens the same file again and brings a venue to what is in it."""
    opened: list[Store] = []

    def open_store(venue: Venue) -> Store:
        for store in opened:
            store.close()
        opened[:] = [Store(tmp_path / "paper.sqlite")]
        opened[0].restore(venue.exchange, venue.now)
        return opened[0]

    yield open_store
    for store in opened:
        store.close()


def lively(venue: Venue) -> None:
    """An account with a bit of everything."""
    venue.quote("10000", "10001", "3", "3")
    venue.submit(BUY, "1")
    venue.limit(BUY, "0.5", "10000")
    venue.limit(BUY, "0.5", "9000", expires_at=venue.now + 10**12)
    venue.stop(SELL, "1", "9500")
    venue.submit(SELL, "1", OrderType.TRAILING_STOP, trail=Trail(amount=D(100)))
    venue.quote("10050", "10051", "3", "3")
    venue.quote("10000", "10001", "3", "3")
    venue.exchange.cancel(venue.limit(BUY, "0.1", "8000"), venue.now)
    venue.trade("10000", "2", SELL)


def everything(exchange: Exchange, now: int) -> tuple[object, ...]:
    return (
        exchange.picture(now, 0),
        exchange.ended,
        exchange.ledger.volumes,
        exchange.count,
        exchange.next_due(),
    )


def test_an_account_reopens_as_it_was(at: Open, keep: Keep) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000", BTC="5") for _ in range(2))
    store = keep(before)
    lively(before)
    store.save(before.exchange, before.now)
    after.now = before.now
    keep(after)
    assert everything(after.exchange, after.now) == everything(before.exchange, before.now)


def test_a_reopened_account_goes_on_exactly_as_the_old_one_would(at: Open, keep: Keep) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000", BTC="5") for _ in range(2))
    store = keep(before)
    lively(before)
    store.save(before.exchange, before.now)
    after.now = before.now
    keep(after)
    for venue in (before, after):
        venue.said.clear()
        venue.trade("10000", "1.2", SELL)  # the queue ahead of the limit is 1.0 by now
        venue.quote("9951", "9952", "3", "3")
        # 100 below the best bid, which was seen before the restart
        venue.quote("9950", "9951", "3", "3")
        venue.quote("9400", "9401", "3", "3")
    assert any(isinstance(said, r.Triggered) for said in after.said)
    assert after.said == before.said
    assert everything(after.exchange, after.now) == everything(before.exchange, before.now)


@pytest.mark.parametrize("sums", [False, True], ids=["each loan", "a file with only the sum"])
def test_what_is_lent_is_paid_back_after_a_restart(
    at: Open, keep: Keep, tmp_path: Path, sums: bool
) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000") for _ in range(2))
    store = keep(before)
    for price in ("10000", "10400"):
        before.quote(price, price, "9", "9")
        before.submit(BUY, "1", leverage="2")
    store.save(before.exchange, before.now)
    if sums:
        with sqlite3.connect(tmp_path / "paper.sqlite") as file:
            (body,) = file.execute("SELECT body FROM fact WHERE name = 'account'").fetchone()
            told = json.loads(body)
            assert told["holdings"]["BTC/USD"].pop("loans")
            file.execute(
                "UPDATE fact SET body = ? WHERE name = 'account'", (json.dumps(told).encode(),)
            )
    after.now = before.now
    keep(after)
    cash = after.cash("USD")
    after.quote("11000", "11000", "9", "9")
    after.submit(SELL, "1", leverage="2", reduce_only=True)
    paid = after.cash("USD") - cash + after.fills()[-1].fee
    assert paid == (800 if sums else 1_000)
    after.submit(SELL, "1", leverage="2", reduce_only=True)
    assert after.cash("USD") - cash + sum(fill.fee for fill in after.fills()) == 1_600


def test_the_unfilled_rest_of_a_market_order_goes_on_after_a_restart(at: Open, keep: Keep) -> None:
    before, after = (at("kraken-spot", "BTC/USD", BTC="5") for _ in range(2))
    store = keep(before)
    before.quote("10000", "10001", bid_size="0.01")
    order = before.submit(SELL, "1")
    store.save(before.exchange, before.now)
    keep(after)
    after.quote("10000", "10001", bid_size="9")
    assert after.status(order) == "filled"
    found = after.exchange.find(order, after.now)
    assert isinstance(found, r.Found)
    assert sum(fill.size for fill in found.fills) == 1


def test_memory_is_bounded_and_the_file_knows_the_rest(at: Open, keep: Keep) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="1000000")
    store = keep(venue)
    venue.quote("10000", "10001", "900", "900")
    first = venue.submit(BUY, "0.001")
    for _ in range(REMEMBERED_BESIDE_STORE + 100):
        venue.submit(BUY, "0.001")
        store.save(venue.exchange, venue.now)
    assert len(venue.exchange.ended) == len(venue.exchange.fills) == REMEMBERED_BESIDE_STORE
    found = venue.exchange.find(first, venue.now)
    assert isinstance(found, r.Found)
    assert [fill.client_order_id for fill in found.fills] == [first]
    assert len(venue.exchange.picture(venue.now, 0).fills) == REMEMBERED_BESIDE_STORE + 101
    assert venue.exchange.find("nobody", venue.now) == r.Absent("nobody", venue.now)


def test_only_what_changed_is_written(at: Open, keep: Keep) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="100000")
    store = keep(venue)
    venue.quote("10000", "10001")
    venue.limit(BUY, "1", "9000")
    store.save(venue.exchange, venue.now)
    assert not venue.exchange.changed
    assert not venue.exchange.new_fills


def test_limit_levels_drain_while_nobody_looks(at: Open, keep: Keep) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000") for _ in range(2))
    before.exchange.limits.counter("BTC/USD").spend(50.0, before.now)
    keep(before).save(before.exchange, before.now)
    after.now = before.now + 20 * 1_000_000_000
    keep(after)
    assert after.exchange.limits.counter("BTC/USD").used == pytest.approx(30.0)


def test_the_market_s_state_is_kept_as_it_came(at: Open, keep: Keep) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="1")
    store = keep(venue)
    assert store.market() == {}
    store.save_market({"seed": "7", "step": "12"})
    assert keep(venue).market() == {"seed": "7", "step": "12"}


def test_whoever_opens_the_account_last_owns_it(at: Open, tmp_path: Path) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="1")
    first, second = Store(tmp_path / "paper.sqlite"), Store(tmp_path / "paper.sqlite")
    with pytest.raises(StoreError, match="another process has taken it over"):
        first.save(venue.exchange, venue.now)
    with pytest.raises(StoreError, match="another process has taken it over"):
        first.save_market({})
    second.save(venue.exchange, venue.now)
    for store in (first, second):
        store.close()


def test_a_file_that_is_not_an_account_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    path.write_text("not a database, whatever its name says" * 100)
    with pytest.raises(
        StoreError, match=r"paper.sqlite: it can't be opened: .*; name another home"
    ):
        Store(path)


def test_a_file_of_a_newer_version_is_refused_in_words(
    at: Open, keep: Keep, tmp_path: Path
) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="1")
    keep(venue).save(venue.exchange, venue.now)
    with sqlite3.connect(tmp_path / "paper.sqlite") as connection:
        newer = """replace(CAST(body AS TEXT), '"format":1', '"format":99')"""
        connection.execute(f"UPDATE fact SET body = {newer} WHERE name = 'account'")
    connection.close()
    with pytest.raises(StoreError, match="written by a newer Flatout"):
        keep(venue)


def test_what_was_stored_of_other_days_does_not_stop_candles(at: Open, keep: Keep) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000") for _ in range(2))
    before.trade("10000", "1")
    keep(before).save(before.exchange, before.now)
    keep(after)
    after.candle("11000", "11000", "11000", "11000", "100")
    assert [quote.mid for quote in after.quotes] == [D(11000)]


@pytest.mark.parametrize("missing", ["no folder", "a folder", "a file"])
def test_a_place_where_no_file_can_be_is_refused_in_words(tmp_path: Path, missing: str) -> None:
    (tmp_path / "file").touch()
    path = {
        "no folder": tmp_path / "nowhere" / "p.sqlite",
        "a folder": tmp_path,
        "a file": tmp_path / "file" / "p.sqlite",
    }[missing]
    with pytest.raises(StoreError, match=r"it can't be opened: .*; name another home"):
        Store(path)


def test_a_file_that_may_not_be_written_is_refused_in_words(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    path = tmp_path / "paper.sqlite"
    Store(path).close()
    path.chmod(0o400)
    with pytest.raises(StoreError, match="it can't be opened"):
        Store(path)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE fact SET body = 'garbage' WHERE name = 'account'",
        "UPDATE fact SET body = '{}' WHERE name = 'account'",
        "UPDATE orders SET body = 'garbage'",
        'UPDATE orders SET body = replace(CAST(body AS TEXT), \'"size":"\', \'"size":"-\')',
        "UPDATE fills SET body = '{}'",
        "DROP TABLE orders",
        "DROP TABLE fills",
    ],
)
def test_damage_is_one_sentence(at: Open, keep: Keep, tmp_path: Path, damage: str) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000", BTC="5") for _ in range(2))
    store = keep(before)
    lively(before)
    store.save(before.exchange, before.now)
    with sqlite3.connect(tmp_path / "paper.sqlite") as connection:
        connection.execute(damage)
    connection.close()
    with pytest.raises(StoreError, match=r"paper.sqlite: it can't be (read|opened): [^\n]*"):
        store.restore(after.exchange, after.now)


def test_damage_to_who_owns_it_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "paper.sqlite"
    Store(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE fact SET body = 'garbage' WHERE name = 'epoch'")
    connection.close()
    with pytest.raises(StoreError, match="it can't be opened"):
        Store(path)


def test_a_newer_file_of_another_shape_is_still_told_to_be_newer(
    at: Open, keep: Keep, tmp_path: Path
) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="1")
    keep(venue).save(venue.exchange, venue.now)
    with sqlite3.connect(tmp_path / "paper.sqlite") as connection:
        connection.execute(
            """UPDATE fact SET body = '{"format":2,"cash":[1,2]}' WHERE name = 'account'"""
        )
    connection.close()
    with pytest.raises(
        StoreError, match=r"written by a newer Flatout \(format 2\); this one knows up to 1"
    ):
        keep(venue)


def test_a_write_that_failed_is_made_up_for_by_the_next(
    at: Open, keep: Keep, tmp_path: Path
) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000", BTC="5") for _ in range(2))
    store = keep(before)
    path = tmp_path / "paper.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE fills RENAME TO elsewhere")
    lively(before)
    with pytest.raises(StoreError, match="it can't be written"):
        store.save(before.exchange, before.now)
    with sqlite3.connect(path) as other:
        other.execute("ALTER TABLE elsewhere RENAME TO fills")
    other.close()
    store.save(before.exchange, before.now)
    after.now = before.now
    keep(after)
    assert everything(after.exchange, after.now) == everything(before.exchange, before.now)


def test_a_commit_that_succeeded_without_saying_so_may_be_repeated(at: Open, keep: Keep) -> None:
    before, after = (at("kraken-spot", "BTC/USD", USD="100000", BTC="5") for _ in range(2))
    store = keep(before)
    lively(before)
    changed, fills = dict(before.exchange.changed), list(before.exchange.new_fills)
    store.save(before.exchange, before.now)
    before.exchange.changed.update(changed)
    before.exchange.new_fills.extend(fills)
    store.save(before.exchange, before.now)
    after.now = before.now
    keep(after)
    assert everything(after.exchange, after.now) == everything(before.exchange, before.now)


def test_a_picture_says_from_when_on_it_is_complete(at: Open, keep: Keep, tmp_path: Path) -> None:
    venue = at("kraken-spot", "BTC/USD", USD="1000000")
    store = keep(venue)
    for _ in range(REMEMBERED_BESIDE_STORE + 10):
        venue.quote("10000", "10001", "900", "900")
        venue.submit(BUY, "0.001")
        venue.later(0.001)
        store.save(venue.exchange, venue.now)
    whole = venue.exchange.picture(venue.now, 0)
    assert (len(whole.fills), whole.since) == (REMEMBERED_BESIDE_STORE + 10, 0)
    with sqlite3.connect(tmp_path / "paper.sqlite") as connection:
        connection.execute("DROP TABLE fills")
    connection.close()
    told = venue.exchange.picture(venue.now, 0)
    assert told.since > whole.fills[0].at
    assert told.fills == tuple(fill for fill in whole.fills if fill.at >= told.since)


def test_an_account_whose_process_was_killed_reopens_with_all_that_was_saved(
    tmp_path: Path,
) -> None:
    story = """
import os, signal, sys
from decimal import Decimal
from pathlib import Path
from engine.exchange import Store
from tests.exchange.conftest import Venue
from engine.model.side import Side
venue = Venue("kraken-spot", ("BTC/USD",), {"USD": "100000"}, "USD")
store = Store(Path(sys.argv[1]))
store.restore(venue.exchange, venue.now)
venue.quote("9999", "10000")
for n in range(5):
    venue.submit(Side.BUY, "0.1")
    venue.limit(Side.BUY, "0.1", "9000")
    store.save(venue.exchange, venue.now)
venue.submit(Side.BUY, "0.1")
os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "paper.sqlite"
    done = processes.run([sys.executable, "-c", story, str(path)], cwd=Path(__file__).parents[2])
    assert done.returncode == -9
    from tests.exchange.conftest import Venue as Account

    venue = Account("kraken-spot", ("BTC/USD",), {"USD": "1"}, "USD")
    store = Store(path)
    store.restore(venue.exchange, venue.now)
    assert (len(venue.exchange.orders), len(venue.exchange.fills), venue.cash("BTC")) == (
        5,
        5,
        D("0.5"),
    )
    store.close()
