"""Every venue passes the same steps: paper, and both Krakens over the wire."""

import asyncio
from pathlib import Path

import pytest

from engine.clock import Clock, run_virtual
from engine.exchange import Faults
from engine.setup import factories
from engine.setup.sections import AccountSettings, MarketSettings, Settings
from engine.venues.conformance import Conformance, Step
from engine.venues.protocol import Venue
from tests.support.exchange import SYMBOLS, serving

pytestmark = pytest.mark.slow
BEGAN = 1_796_000_000_000_000_000


async def _steps(venue: Venue, symbol: str, clock: Clock) -> list[Step]:
    return [step async for step in Conformance(venue, "main", symbol, clock, pause=6.0).run()]


def _passed(steps: list[Step]) -> None:
    failed = [f"{step.name}: {step.detail}" for step in steps if step.ok is False]
    assert not failed
    assert sum(step.ok is True for step in steps) >= 19


def test_paper_passes_every_step(tmp_path: Path) -> None:
    """Under virtual time: the steps wait minutes for what the limits allow."""

    async def told() -> list[Step]:
        clock = Clock(asyncio.get_running_loop(), BEGAN)
        settings = Settings(account=AccountSettings(), market=MarketSettings(symbols=("BTC/USD",)))
        async with factories.checked(settings, tmp_path, clock) as venue:
            return await _steps(venue, "BTC/USD", clock)

    _passed(run_virtual(told()))


@pytest.mark.parametrize("name", ["kraken", "krakenfutures"])
async def test_an_exchange_over_the_wire_passes_every_step(name: str, tmp_path: Path) -> None:
    async with serving(name) as exchange:
        venue = exchange.venue(tmp_path)
        try:
            _passed(await _steps(venue, SYMBOLS[name][0], exchange.clock))
        finally:
            await venue.close()


async def test_a_venue_that_does_not_answer_fails_by_name(tmp_path: Path) -> None:
    async with serving("kraken", faults=Faults(lose_reply=1.0)) as exchange:
        venue = exchange.venue(tmp_path)
        venue.rest._timeout = 0.3
        try:
            steps = await _steps(venue, "BTC/USD", exchange.clock)
        finally:
            await venue.close()
    assert steps[0].ok is False
    assert "OutcomeUnknownError" in steps[0].detail
