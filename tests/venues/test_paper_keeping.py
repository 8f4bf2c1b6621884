"""A paper account's file under a real clock: a thread writes it, the loop goes on, and nothing is
told before it is durable.
"""

import asyncio
from pathlib import Path
from threading import Event

import pytest

from engine.exchange import Changes, Store, StoreError
from engine.model import report as r
from engine.model.order import OrderType
from tests.venues.conftest import Line


class SlowStore(Store):
    """A file on a disk that waits until it is let go, and may refuse."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.free = Event()
        self.free.set()
        self.began = Event()
        self.refuses = False
        self.writes: list[Changes] = []

    def write(self, changes: Changes) -> None:
        self.began.set()
        assert self.free.wait(10)
        if self.refuses:
            raise StoreError("the disk is full")
        super().write(changes)
        self.writes.append(changes)


async def _begun(store: SlowStore) -> None:
    assert await asyncio.to_thread(store.began.wait, 10)


async def _until_heard(line: Line, kind: type, count: int = 1) -> None:
    async with asyncio.timeout(10):
        while sum(isinstance(report, kind) for _, report in line.heard) < count:  # noqa: ASYNC110 - a list rings no bell
            await asyncio.sleep(0.001)


async def _open(path: Path) -> tuple[Line, SlowStore]:
    store = SlowStore(path)
    line = Line(store=store)
    await line.connect()
    line.quote()
    return line, store


async def test_neither_an_answer_nor_a_report_comes_before_it_is_durable(tmp_path: Path) -> None:
    line, store = await _open(tmp_path / "paper.sqlite")
    store.free.clear()
    sent = asyncio.create_task(line.venue.send(line.order()))
    await _begun(store)
    await asyncio.sleep(0.02)
    assert not sent.done(), "the loop goes on while the disk writes"
    assert not any(isinstance(report, r.Accepted | r.Filled) for _, report in line.heard)
    store.free.set()
    (answer,) = await sent
    assert isinstance(answer, r.Accepted)
    await _until_heard(line, r.Filled)
    assert len(store.writes) == 1, "the order and its execution are one transaction"
    line.venue.shut_down()


async def test_what_happens_while_the_disk_writes_is_one_more_write(tmp_path: Path) -> None:
    line, store = await _open(tmp_path / "paper.sqlite")
    store.free.clear()
    first = asyncio.create_task(line.venue.send(line.order()))
    await _begun(store)
    others = [asyncio.create_task(line.venue.send(line.order())) for _ in range(5)]
    await asyncio.sleep(0.02)
    assert not any(task.done() for task in (first, *others))
    store.free.set()
    await asyncio.gather(first, *others)
    assert [len(changes.orders) for changes in store.writes] == [1, 5]
    await _until_heard(line, r.Filled, 6)
    told = [report.fill.execution_id for _, report in line.heard if isinstance(report, r.Filled)]
    assert told == [fill.execution_id for fill in line.exchange.fills]
    line.venue.shut_down()


async def test_a_write_that_fails_is_told_and_all_of_it_is_written_later(tmp_path: Path) -> None:
    line, store = await _open(tmp_path / "paper.sqlite")
    store.refuses = True
    await line.venue.send(line.order(kind=OrderType.LIMIT, price=9000))
    await _until_heard(line, r.Disconnected)
    store.refuses = False
    await _until_heard(line, r.Connected, 2)
    line.venue.shut_down()
    again = Line(store=Store(tmp_path / "paper.sqlite"))
    assert list(again.exchange.orders) == list(line.exchange.orders)
    again.venue.shut_down()


async def test_the_end_writes_what_nobody_waited_for(tmp_path: Path) -> None:
    line, store = await _open(tmp_path / "paper.sqlite")
    sent = asyncio.create_task(line.venue.send(line.order(kind=OrderType.LIMIT, price=9000)))
    await asyncio.sleep(0)
    line.venue.shut_down()
    await sent
    assert not store.refuses
    again = Line(store=Store(tmp_path / "paper.sqlite"))
    assert list(again.exchange.orders) == list(line.exchange.orders)
    again.venue.shut_down()


@pytest.mark.hazard("H08")
async def test_an_account_that_another_process_has_taken_is_written_no_more(tmp_path: Path) -> None:
    line, _ = await _open(tmp_path / "paper.sqlite")
    other = Store(tmp_path / "paper.sqlite")
    with pytest.raises(Exception, match="another process has taken it over"):
        await line.venue.send(line.order())
    other.close()
    line.venue.shut_down()
