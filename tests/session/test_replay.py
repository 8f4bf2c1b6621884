"""A recording is played through a session as a person wants it, in this process and over its
socket; what trades goes on by the recording's time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from engine.account.home import Home
from engine.model.intent import Away, Base, Flatten, OpenBracket
from engine.model.played import Replay, ReplayTold
from engine.model.position import Protection
from engine.model.side import Side
from engine.session import QueryError, Session
from engine.session.attached import AttachedSession
from engine.session.local import LocalSession
from engine.session.opening import open_session
from engine.setup.settings import load

BTC = "BTC/USD"
SECOND = 1_000_000_000
START = 1_700_000_040 * SECOND
"""2023-11-14 22:14 UTC."""


def quotes() -> str:
    """Ten minutes, ten a second: flat, and from the fifth minute on a fall of two percent."""
    rows = ["ts_ns,symbol,bid,bid_size,ask,ask_size"]
    for n in range(6_000):
        price = 30_000 - max(0, min(n - 3_000, 600))
        rows.append(f"{START + n * SECOND // 10},{BTC},{price}.0,5,{price}.1,5")
    return "\n".join(rows) + "\n"


@asynccontextmanager
async def session_of(form: str, folder: Path) -> AsyncIterator[Session]:
    path = folder / "quotes.csv"
    path.write_text(quotes())
    flags = ["account.name=mine", "market.source=recorded", f'market.files=["{path}"]']
    local = await open_session(load(None, flags).settings, folder)
    assert isinstance(local, LocalSession)
    far: AttachedSession | None = None
    try:
        await until(lambda: local.view().feeds and not local.view().reasons)
        if form == "socket":
            far = await AttachedSession.open(Home.at("mine", folder).session, "the engine", "trade")
        yield far or local
    finally:
        if far is not None:
            await far.close()
        await local.close()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110  # a view is looked at
            await asyncio.sleep(0.02)


async def do(session: Session, words: str) -> str:
    told = await session.query(Replay(words))
    assert isinstance(told, ReplayTold)
    return told.text


@pytest.mark.parametrize("form", ["process", "socket"])
async def test_a_stop_is_filled_in_a_hurry_and_flat_needs_no_play(
    form: str, tmp_path: Path
) -> None:
    async with session_of(form, tmp_path) as session:
        bracket = OpenBracket(
            id="one",
            symbol=BTC,
            side=Side.BUY,
            size=Base(Decimal("0.05")),
            stop=Away(Decimal("0.01")),
        )
        assert (await session.ask(bracket)).ok
        await until(
            lambda: [one.protection for one in session.view().positions] == [Protection.VENUE]
        )
        assert await do(session, "next fill") == "recording ▸▸ to the next fill"
        await until(lambda: session.view().replay == "frozen")
        assert session.view().at > START + 300 * SECOND, "the fall begins in the fifth minute"
        assert await do(session, "play") == "recording ×1"
        await until(lambda: session.view().closed)
        (closed,) = session.view().closed
        left = closed.exit
        assert Decimal(29690) < left <= Decimal(29703), left

        assert await do(session, "freeze") == "recording frozen"
        assert (await session.ask(Flatten(id="two"))).ok
        await until(lambda: session.view().replay == "×1")
        with pytest.raises(QueryError, match="22:14 is behind 2023-11-14 22:1"):
            await do(session, "seek 22:14")


async def test_simulated_prices_are_not_played(tmp_path: Path) -> None:
    session = await open_session(load(None, ["account.name=mine"]).settings, tmp_path)
    try:
        assert session.view().replay == ""
        with pytest.raises(QueryError, match="prices are no recorded ones"):
            await session.query(Replay("freeze"))
    finally:
        await session.close()
