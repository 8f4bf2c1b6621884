"""The mark while a last exit works, and the pen as it holds it."""

import time
from pathlib import Path

import pytest

from engine.account import mark as marks
from engine.account.pen import AlwaysPermit
from engine.clock import SECOND
from engine.emergency.marking import Marker
from engine.emergency.permits import ExitPermit
from engine.gate import Standing
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from tests.support.scene import BTC, D

pytestmark = pytest.mark.hazard("H73")


def order(name: str, role: Role = Role.CLOSE) -> Order:
    return Order(name, "P", BTC, Side.SELL, OrderType.MARKET, role, D(1), leverage=D(2))


def marker(folder: Path, complaints: list[str] | None = None) -> Marker:
    told: list[str] = [] if complaints is None else complaints
    found = Marker(folder, "intent", "instance", 7, told.append)
    found.begin()
    return found


def test_a_mark_says_who_works_since_when(tmp_path: Path) -> None:
    before = time.time_ns()
    marker(tmp_path)
    found = marks.read(tmp_path)
    assert found is not None
    assert (found.intent, found.instance, found.pid, found.outcome, found.orders, found.lines) == (
        "intent",
        "instance",
        7,
        "working",
        (),
        (),
    )
    assert before <= found.began_at <= found.beat_at <= time.time_ns()
    assert (tmp_path / marks.FILE).stat().st_size == 2 * marks.SLOT, (
        "room that a full disk can't take"
    )


def test_a_beat_is_written_and_an_end_too(tmp_path: Path) -> None:
    mine = marker(tmp_path)
    first = marks.read(tmp_path)
    mine.beat()
    second = marks.read(tmp_path)
    assert first is not None
    assert second is not None
    assert second.beat_at > first.beat_at
    mine.tells("a line")
    mine.end("not flat")
    third = marks.read(tmp_path)
    assert third is not None
    assert (third.outcome, third.lines) == ("not flat", ("a line",))


def test_an_order_is_written_before_it_leaves_with_what_the_next_engine_needs(
    tmp_path: Path,
) -> None:
    mine = marker(tmp_path)
    mine.sends(order("one"))
    mine.sends(order("two", Role.STOP))
    found = marks.read(tmp_path)
    assert found is not None
    assert [
        (one.client_order_id, one.symbol, one.side, one.size, one.leverage, one.stop)
        for one in found.orders
    ] == [
        ("one", BTC, Side.SELL, D(1), D(2), False),
        ("two", BTC, Side.SELL, D(1), D(2), True),
    ]
    assert found.orders[0].at <= found.orders[1].at <= time.time_ns()


# The pen


def permit(now: int) -> ExitPermit:
    return ExitPermit(AlwaysPermit(now))


def test_a_gap_is_told_once_whoever_notices_it_first() -> None:
    pen = permit(0)
    pen.beat(0, SECOND)
    assert pen.check(SECOND // 2) is Standing.HELD
    pen.beat(20 * SECOND, 21 * SECOND)  # the beat runs before the first request after the gap
    assert [pen.check(20 * SECOND) for _ in range(3)] == [
        Standing.VOID,
        Standing.HELD,
        Standing.HELD,
    ]


def test_a_gap_that_the_request_notices_ends_with_the_next_beat() -> None:
    pen = permit(0)
    pen.beat(0, SECOND)
    assert pen.check(20 * SECOND) is Standing.VOID
    pen.beat(20 * SECOND, 21 * SECOND)
    told = [pen.check(20 * SECOND) for _ in range(3)]
    assert told[-1] is Standing.HELD
    assert told.count(Standing.VOID) <= 1


def test_beats_that_come_in_time_void_nothing() -> None:
    pen = permit(0)
    for second in range(5):
        pen.beat(second * SECOND, (second + 1) * SECOND)
        assert pen.check(second * SECOND + SECOND // 2) is Standing.HELD
