"""Who leaves in the middle of a flatten leaves once it is flat: a closed terminal, SIGTERM, `q`."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest

from engine.model.intent import At, Base, Flatten, OpenBracket
from engine.model.side import Side
from engine.session import local
from tests.session.test_symbols import opened, until

SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD")


async def test_a_flatten_ends_before_the_engine_does(tmp_path: Path) -> None:
    flags = ("risk.max_open_risk=1", f"market.symbols={list(SYMBOLS)!r}".replace("'", '"'))
    async with opened(tmp_path, *flags) as session:
        for symbol, size, stop in zip(SYMBOLS, ("0.01", "0.1", "1"), (1000, 100, 10), strict=True):
            entry = OpenBracket(
                id=symbol,
                symbol=symbol,
                side=Side.BUY,
                size=Base(Decimal(size)),
                stop=At(Decimal(stop)),
            )
            assert (await session.ask(entry)).ok
        await until(lambda: len(session.view().positions) == 3)
        assert (await session.ask(Flatten(id="f"))).ok
        await session.close()
        flatten = session.engine.state.flatten
        assert flatten is not None
        assert flatten.ended_at is not None
        assert not [one for one in session.engine.state.positions.values() if one.is_open]


async def test_a_flatten_that_does_not_end_holds_nobody_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "FLATTEN", 200_000_000)
    async with opened(tmp_path, "risk.max_open_risk=1") as session:
        entry = OpenBracket(
            id="e",
            symbol="BTC/USD",
            side=Side.BUY,
            size=Base(Decimal("0.01")),
            stop=At(Decimal(1000)),
        )
        assert (await session.ask(entry)).ok
        await until(lambda: session.view().positions)
        monkeypatch.setattr(session.engine.gateway, "pump", lambda: None)  # nothing leaves
        assert (await session.ask(Flatten(id="f"))).ok
        began = time.monotonic()
        async with asyncio.timeout(40):
            await session.close()
        assert time.monotonic() - began < 20
