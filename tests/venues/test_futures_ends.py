"""The end of a futures order in doubt: believed together with its executions, and by more than one
view.
"""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.clock import SECOND
from engine.exchange import Faults
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.order import OrderType, Role, Status
from engine.model.side import Side
from engine.venues.live.kraken_futures import questions
from engine.venues.protocol import OutcomeUnknownError
from tests.support.futures import SYMBOL, D, line

pytestmark = pytest.mark.hazard("H79")
LATE = 20 * SECOND


async def test_an_order_that_is_told_cancelled_had_executed_and_the_history_knows(
    tmp_path: Path,
) -> None:
    async with line(tmp_path, late=LATE) as wire:
        entry = wire.order()
        await wire.lose(entry)
        told = await wire.ask(entry)
        assert isinstance(told, r.Found)
        assert (told.order.status, told.order.filled) == (Status.FILLED, D("0.1"))
        assert sum(fill.size for fill in told.fills) == D("0.1")
        assert len(wire.asked("/executions")) == 1, "the history was asked, once"


async def test_an_end_without_executions_is_waited_for_while_no_view_knows_better(
    tmp_path: Path,
) -> None:
    async with line(tmp_path, late=LATE, late_history=True) as wire:
        entry = wire.order()
        await wire.lose(entry)
        with pytest.raises(
            OutcomeUnknownError,
            match=r"told to have ended with nothing filled; executions may be told later",
        ):
            await wire.ask(entry)
        wire.world.clock.catch_up(6 * SECOND)  # orders/status forgets it
        with pytest.raises(OutcomeUnknownError, match="executions may be told later"):
            await wire.ask(entry)  # it is not absent: a view has listed it
        wire.world.clock.catch_up(LATE)
        told = await wire.ask(entry)
        assert isinstance(told, r.Found)
        assert (told.order.status, told.order.filled) == (Status.FILLED, D("0.1"))


async def test_views_that_agree_for_long_are_believed(tmp_path: Path) -> None:
    """What nobody knows of after a minute did not execute."""
    async with line(tmp_path) as wire:
        entry = wire.order(price=D(50_000))  # takes nothing
        for connection in wire.connections:
            connection.private.clear()  # the stream says nothing of it
        await wire.lose(entry)
        with pytest.raises(OutcomeUnknownError, match="with nothing filled"):
            await wire.ask(entry)
        wire.exchange.clock.catch_up(questions.SETTLED + SECOND)
        told = await wire.ask(entry)
        assert isinstance(told, r.Found)
        assert (told.order.status, told.order.filled) == (Status.CANCELLED, D(0))


async def test_what_the_stream_told_needs_no_second_view(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        entry = wire.order(price=D(50_000))
        await wire.lose(entry)
        await wire.until(lambda: wire.told(r.Cancelled, entry.client_order_id), "word of its end")
        told = await wire.ask(entry)
        assert isinstance(told, r.Found)
        assert told.order.status is Status.CANCELLED
        assert not wire.asked("/executions"), "the history has a budget of its own"


async def test_an_exit_that_can_only_reduce_is_not_waited_for(tmp_path: Path) -> None:
    async with line(tmp_path) as wire:
        await wire.place(wire.order())
        for connection in wire.connections:
            connection.private.clear()
        close = wire.order(Side.SELL, role=Role.CLOSE, reduce_only=True, price=D(70_000))
        await wire.lose(close)
        told = await wire.ask(close)
        assert isinstance(told, r.Found)
        assert told.order.status is Status.CANCELLED


async def test_a_resting_order_that_vanished_after_it_had_filled_in_part_is_waited_for(
    tmp_path: Path,
) -> None:
    async with line(tmp_path, late_history=True) as wire:
        rests = wire.order(type_=OrderType.LIMIT, price=D("59999.9"))
        await wire.place(rests)
        await wire.until(lambda: wire.told(r.Accepted, rests.client_order_id))
        wire.price("59999.8", "59999.9", size="0.04")
        await wire.until(lambda: wire.told(r.Filled, rests.client_order_id))
        for connection in wire.connections:
            connection.private.clear()
        wire.habits.late = LATE
        wire.price("59999.0", "59999.1", size="5")
        wire.world.clock.catch_up(6 * SECOND)
        with pytest.raises(OutcomeUnknownError, match=r"with 0\.04 filled"):
            await wire.ask(rests)
        wire.world.clock.catch_up(LATE)
        told = await wire.ask(rests)
        assert isinstance(told, r.Found)
        assert (told.order.status, told.order.filled) == (Status.FILLED, D("0.1"))


@pytest.mark.hazard("H77")
@pytest.mark.parametrize("own", [False, True])
async def test_an_execution_has_one_id_whatever_the_history_calls_it(
    own: bool, tmp_path: Path
) -> None:
    """Whether the history names executions as the lists do can be settled only at the real
    exchange: both are safe.

    The stream is later than the question lasts: only the history knows the execution by then.
    """
    async with line(tmp_path, late=5 * SECOND, history_ids=own) as wire:
        entry = wire.order()
        await wire.lose(entry)
        told = await wire.ask(entry)
        assert isinstance(told, r.Found)
        await wire.until(
            lambda: wire.told(r.Filled, entry.client_order_id), "the late word of the stream"
        )
        heard = {t.fill.execution_id for t in wire.told(r.Filled, entry.client_order_id)}
        assert heard == {fill.execution_id for fill in told.fills}
        assert len(heard) == 1
        wire.venue.known.ended(entry.client_order_id, 0)
        again = await wire.ask(entry)
        assert isinstance(again, r.Found)
        assert [fill.execution_id for fill in again.fills] == [
            fill.execution_id for fill in told.fills
        ], "the list names it so, too"


@pytest.mark.hazard("H77")
async def test_two_executions_that_are_alike_stay_two(tmp_path: Path) -> None:
    async with line(tmp_path, history_ids=True) as wire:
        known, at = wire.venue.known, wire.exchange.clock.now()
        first = Fill(
            "h1", "X", SYMBOL, Side.BUY, D(60_000), D("0.5"), D(0), "USD", Liquidity.TAKER, at
        )
        second = replace(first, execution_id="h2")
        for fill in (first, second):
            known.fill(known.once(fill, "history"))
        names = [
            known.once(replace(first, execution_id=name), "lists").execution_id
            for name in ("f1", "f2", "f1", "f3")
        ]
        assert names == ["h1", "h2", "h1", "f3"]


@pytest.mark.hazard("H79")
async def test_a_stop_that_views_do_not_list_yet_has_not_ended(tmp_path: Path) -> None:
    async with line(tmp_path, faults=Faults(rest_lag=SECOND)) as wire:
        await wire.place(wire.order())
        stop = wire.order(Side.SELL, OrderType.STOP, Role.STOP, trigger=D(50_000), reduce_only=True)
        await wire.place(stop)
        with pytest.raises(OutcomeUnknownError, match="no view, which may lag, lists it"):
            await wire.ask(stop)
        assert wire.venue.known.ended_at(stop.client_order_id) is None
        await asyncio.sleep(1.2)
        found = await wire.ask(stop)
        assert isinstance(found, r.Found)
        assert found.order.is_open
