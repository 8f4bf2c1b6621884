"""Paper that nobody looks at, for days, in the engine of `flatout serve` under virtual time: what is
to be told arrives although the server is away for hours and the engine ends meanwhile; memory, log
and journal stay within bounds.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.clock import SECOND
from engine.runtime.log import FILES, SIZE
from tests.support.outlet import Outlet
from tests.support.patient import run_patient
from tests.support.unattended import DAY, HOUR, Unattended

EVENTS = 20_000
"""Of a day with some trades: samples, comparisons with the venue, and what is done."""
GROWTH = 1.1
"""The objects of the last day, as a multiple of the first one's."""


@pytest.fixture
def days(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Unattended]:
    # a save of the simulated market is a sync of the disk, and not what is looked at
    monkeypatch.setattr("engine.setup.environments.MARKET_SAVED", 600.0)
    server = Outlet()
    yield Unattended(tmp_path, server)
    server.stop()


def judge(days: Unattended) -> None:
    """What must hold after any time."""
    assert days.missing() == []
    assert days.dropped == 0
    last = days.measured[-1]
    assert last.told < len(days.told()), "what waited at the end came with the next engine"
    assert len(days.server.told) < last.posts, "the server was away, and was asked again"
    assert last.log <= SIZE * (FILES + 1)
    [(span,)] = days.ask("SELECT MAX(at) - MIN(at) FROM position_snapshots")
    assert span <= (DAY + 120) * SECOND


def test_an_hour_that_nobody_looks_at(days: Unattended) -> None:
    run_patient(days.play(HOUR, HOUR))
    judge(days)
    assert days.measured[-1].events < EVENTS / 24


@pytest.mark.long
def test_seven_days_that_nobody_looks_at(days: Unattended) -> None:
    run_patient(days.play(7 * DAY, DAY))
    for one in days.measured:
        print(one)
    print(f"{len(days.alerts())} alerts, {len(days.told())} lines, {len(days.server.posts)} posts")
    judge(days)
    assert len(days.alerts()) > 30
    first, last = days.measured[0], days.measured[-1]
    assert last.objects <= first.objects * GROWTH
    for before, after in zip(days.measured, days.measured[1:], strict=False):
        assert after.events - before.events < EVENTS
