"""A chart is not empty after a start: a new simulation has a past, and an account goes on with the
candles that it had.
"""

import asyncio
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from engine.account import candles
from engine.model.quote import Candle
from engine.session import Session
from engine.session import messages as m
from engine.session.opening import open_session
from engine.setup.settings import load

BTC, MINUTE = "BTC/USD", 60 * 1_000_000_000
ASKED = m.Candles(BTC, MINUTE, 1_000)


async def opened(folder: Path, seed: int = 1) -> Session:
    told = ["account.name=mine", f"market.seed={seed}", 'market.symbols=["BTC/USD"]']
    return await open_session(load(None, told).settings, folder)


async def seen(session: Session) -> tuple[Candle, ...]:
    for _ in range(200):
        told = await session.query(ASKED)
        assert isinstance(told, m.CandlesTold)
        if len(told.candles) >= 10:
            return told.candles
        await asyncio.sleep(0.05)
    raise AssertionError("no candles")


async def test_candles_go_on_after_a_restart_but_not_with_other_prices(tmp_path: Path) -> None:
    session = await opened(tmp_path)
    first = await seen(session)
    assert all(a.at < b.at for a, b in pairwise(first))
    await session.close()
    session = await opened(tmp_path)
    again = await seen(session)
    # a minute that ended in between moved the oldest out
    known = [one for one in first[:-1] if one.at >= again[0].at]
    assert len(known) >= len(first) - 3
    assert [one for one in again if one.at < first[-1].at] == known
    await session.close()
    assert candles.read(tmp_path / "mine", "simulated 1")
    assert candles.read(tmp_path / "mine", "simulated 2") == {}


def test_a_file_that_cannot_be_read_is_no_candles(tmp_path: Path) -> None:
    assert candles.read(tmp_path, "simulated 1") == {}
    kept = candles.Kept("simulated 1", {BTC: {MINUTE: [(0, *[Decimal(1)] * 5)]}})  # type: ignore[list-item]
    assert candles.write(tmp_path, kept)
    assert candles.read(tmp_path, "simulated 1") == kept.bars
    file = tmp_path / candles.FILE
    file.write_bytes(file.read_bytes()[:-3])
    assert candles.read(tmp_path, "simulated 1") == {}
    assert not candles.write(tmp_path / "none", kept)
