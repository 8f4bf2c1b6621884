"""Batches become durable in order, in groups, each whole; what changed often is written once."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from engine.journal import Batch, JournalError, Record
from engine.model.order import Status

if TYPE_CHECKING:
    from tests.journal.conftest import Place, Samples, Told


def test_one_flush_is_one_group(place: Place, samples: Samples, told: Told) -> None:
    journal = place.open()
    journal.start(*told.listeners)
    numbers = [journal.append(samples.events(2, n)) for n in range(5)]
    assert numbers == [1, 2, 3, 4, 5]
    assert (journal.last_seq, journal.waiting, list(journal.events())) == (10, 5, [])

    assert journal.flush()
    assert told.durable == [5]
    assert journal.waiting == 0
    assert [(event.seq, event.batch) for event in journal.events()] == [
        (n, (n + 1) // 2) for n in range(1, 11)
    ]
    assert told.trouble == []


def test_later_values_replace_earlier_ones(place: Place, samples: Samples) -> None:
    journal = place.open()
    for filled in ("0.1", "0.2", "0.3"):
        journal.append(Batch(orders=(samples.order(filled=Decimal(filled)), samples.order("o2"))))
    journal.append(Batch(alerts=(samples.alert(), samples.alert(count=2))))
    journal.flush()
    journal.append(
        Batch(
            orders=(samples.order(filled=Decimal("0.5"), status=Status.FILLED, closed_at=99_000),)
        )
    )
    journal.append(Batch(alerts=(samples.alert(count=2, cured_at=77_000),)))
    journal.append(Batch(fills=((samples.fill(), None),)))
    journal.append(Batch(fills=((samples.fill(), Decimal(1)),)))
    journal.flush()

    first, second = journal.rows("orders")
    assert (first["filled"], first["status"], first["closed_at"]) == (
        Decimal("0.5"),
        "filled",
        99_000,
    )
    assert second["client_order_id"] == "o2"
    (alert,) = journal.rows("alerts")
    assert (alert["count"], alert["cured_at"]) == (2, 77_000)
    (fill,) = journal.rows("fills")
    assert fill["fee_value"] == 1


@pytest.mark.parametrize("count", [1, 2, 9, 127, 128, 129, 1_000])
def test_any_number_of_rows_fits(place: Place, samples: Samples, count: int) -> None:
    journal = place.open()
    orders = tuple(samples.order(f"o{n}", created_at=n * 1_000) for n in range(count))
    journal.append(Batch(samples.events(count).records, orders))
    assert journal.flush()
    assert [row["created_at"] for row in journal.rows("orders")] == [
        n * 1_000 for n in range(count)
    ]
    assert journal.verify() == []


def test_a_batch_of_no_events_counts(place: Place, samples: Samples) -> None:
    journal = place.open()
    assert journal.append(Batch(levels=(samples.level(1.0),))) == 1
    assert journal.append(Batch(levels=(samples.level(2.0),))) == 2
    assert journal.close() == 0
    again = place.open()
    assert (again.append(Batch()), again.last_seq) == (3, 0)
    assert again.levels()[0].used == 2.0


def test_numbers_go_on_after_reopening(place: Place, samples: Samples) -> None:
    journal = place.open()
    journal.append(samples.events(3))
    journal.close()
    again = place.open()
    assert again.append(samples.events(2)) == 2
    assert again.flush()
    assert [event.seq for event in again.load().events] == [1, 2, 3, 4, 5]
    assert again.verify() == []


async def test_the_thread_writes_and_tells_the_loop(
    place: Place, samples: Samples, told: Told
) -> None:
    journal = place.open(inline=False)
    early = journal.append(samples.events(1))
    journal.start(*told.listeners)
    for n in range(500):
        journal.append(samples.events(2, n))
        if n % 50 == 0:
            await asyncio.sleep(0.001)
    await told.until(lambda: told.durable and told.durable[-1] == 501)
    assert early == 1
    assert told.durable == sorted(set(told.durable))
    assert told.durable[-1] == 501
    assert told.trouble == []
    assert [event.seq for event in journal.events()] == list(range(1, 1_002))
    with pytest.raises(JournalError, match="flush is for inline"):
        journal.flush()
    assert journal.close() == 0
    assert place.open(read_only=True).verify() == []


async def test_close_saves_what_waits(place: Place, samples: Samples, told: Told) -> None:
    journal = place.open(inline=False)
    journal.start(*told.listeners)
    for n in range(50):
        journal.append(samples.events(1, n))
    assert journal.close(5) == 0
    await asyncio.sleep(0)
    assert told.durable[-1] == 50
    assert place.open(read_only=True).last_seq == 50


def test_a_lost_answer_does_not_double_a_batch(place: Place, samples: Samples, told: Told) -> None:
    """The commit arrived, its answer did not: the same entries are committed again, and nothing is
    written twice.
    """
    journal = place.open()
    journal.start(*told.listeners)
    journal.append(samples.events(2))
    queue = journal._queue
    assert queue is not None
    entries = list(queue._queue)
    before = queue._committer.head
    assert journal.flush()

    queue._committer.head = before
    for entry in entries:
        queue.put(entry)
    journal.append(Batch((Record(9, "next", b"{}"),)))
    assert journal.flush()
    assert [event.seq for event in journal.events()] == [1, 2, 3]
    assert journal.verify() == []
