"""Symbols that were added while an engine ran, after it was opened again: what something is open in
is heard from the first moment, the rest is forgotten.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path

import pytest

from engine.account.home import Home
from engine.model.intent import At, Base, CancelSymbol, ClosePosition, OpenBracket
from engine.model.order import OrderType
from engine.model.side import Side
from engine.session import QueryError
from engine.session.attached import AttachedSession
from engine.session.local import LocalSession
from engine.session.messages import Hear
from engine.session.opening import open_session
from engine.setup.settings import load

BTC, ETH, SOL = "BTC/USD", "ETH/USD", "SOL/USD"


@asynccontextmanager
async def opened(folder: Path, *flags: str) -> AsyncIterator[LocalSession]:
    settings = load(None, ["account.name=mine", 'market.symbols=["BTC/USD"]', *flags]).settings
    local = await open_session(settings, folder)
    assert isinstance(local, LocalSession)
    try:
        await until(lambda: local.view().feeds and not local.view().reasons)
        yield local
    finally:
        await local.close()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not true():  # noqa: ASYNC110  # a view is looked at
            await asyncio.sleep(0.05)


def feeds(session: LocalSession | AttachedSession) -> list[str]:
    return [feed.symbol for feed in session.view().feeds]


async def test_what_something_is_open_in_is_heard_again(tmp_path: Path) -> None:
    entry = OpenBracket(
        id="e", symbol=ETH, side=Side.BUY, size=Base(Decimal("0.5")), stop=At(Decimal(1000))
    )
    async with opened(tmp_path, "risk.max_open_risk=1") as session:
        for symbol in ("eth", "sol"):
            await session.query(Hear("add", symbol))
        await until(lambda: feeds(session) == [BTC, ETH, SOL])
        assert (await session.ask(entry)).ok
        await until(lambda: session.view().positions)
    async with opened(tmp_path, "risk.max_open_risk=1") as session:
        await until(lambda: feeds(session) == [BTC, ETH])
        (position,) = session.view().positions
        assert position.mark is not None, "what is held is priced"
        assert not [a for a in session.view().alerts if a.code == "TASK_DIED"]
        with pytest.raises(QueryError, match=r"long 0\.5 is open in it"):
            await session.query(Hear("drop", "eth"))
        assert (await session.ask(ClosePosition(id="c", position=position.id))).ok
        await until(lambda: not session.view().positions)
    async with opened(tmp_path) as session:
        assert feeds(session) == [BTC], "nothing is open in it any more"


async def test_an_order_that_rests_is_there_again(tmp_path: Path) -> None:
    entry = OpenBracket(
        id="e",
        symbol=ETH,
        side=Side.BUY,
        type=OrderType.LIMIT,
        price=Decimal(2000),
        size=Base(Decimal("0.5")),
        stop=At(Decimal(1900)),
    )
    async with opened(tmp_path) as session:
        await session.query(Hear("add", "eth"))
        await until(lambda: feeds(session) == [BTC, ETH])
        assert (await session.ask(entry)).ok
        await until(lambda: [o for o in session.view().orders if o.order.status == "open"])
        with pytest.raises(QueryError, match="an order of it works; cancel ETH/USD first"):
            await session.query(Hear("drop", "eth"))
    async with opened(tmp_path) as session:
        await until(lambda: feeds(session) == [BTC, ETH])
        (order,) = session.view().orders
        assert order.order.status == "open", "at the exchange, too"
        assert (await session.ask(CancelSymbol(id="c", symbol=ETH))).ok
        await until(lambda: not session.view().orders)
        await session.query(Hear("drop", "eth"))
        await until(lambda: feeds(session) == [BTC])


async def test_a_symbol_of_the_settings_goes_on_where_it_was(tmp_path: Path) -> None:
    flags = ('market.symbols=["BTC/USD", "ETH/USD"]',)
    async with opened(tmp_path, *flags) as session:
        await until(lambda: feeds(session) == [BTC, ETH])
        before = session.view().feeds[1].bid
        await session.query(Hear("drop", "eth"))
        await asyncio.sleep(0.5)
        assert feeds(session) == [BTC]
    async with opened(tmp_path, *flags) as session:
        await until(lambda: feeds(session) == [BTC, ETH])
        assert abs(session.view().feeds[1].bid / before - 1) < Decimal("0.02")


async def test_a_pair_that_money_is_counted_by_stays(tmp_path: Path) -> None:
    flags = (
        'market.symbols=["BTC/USD", "EUR/USD"]',
        'account.cash={ USD = "1000", EUR = "500" }',
    )
    async with opened(tmp_path, *flags) as session:
        await until(lambda: len(feeds(session)) == 2)
        with pytest.raises(
            QueryError, match=r"EUR/USD can't be dropped: its price says what 500 EUR"
        ):
            await session.query(Hear("drop", "EUR/USD"))


async def test_a_console_that_only_looks_changes_no_watchlist(tmp_path: Path) -> None:
    async with opened(tmp_path) as session:
        far = await AttachedSession.open(Home.at("mine", tmp_path).session, "the engine", "look")
        try:
            with pytest.raises(QueryError, match="only looks"):
                await far.query(Hear("add", "eth"))
        finally:
            await far.close()
        assert feeds(session) == [BTC]


async def test_a_recording_has_what_its_files_have(tmp_path: Path) -> None:
    start, second = 1_700_000_040_000_000_000, 1_000_000_000
    rows = ["ts_ns,symbol,bid,bid_size,ask,ask_size"]
    for n in range(600):
        rows += [f"{start + n * second // 10},{BTC},30000.0,5,30000.1,5"]
        rows += [f"{start + n * second // 10},{ETH},2000.0,5,2000.1,5"]
    path = tmp_path / "quotes.csv"
    path.write_text("\n".join(rows) + "\n")
    async with opened(tmp_path, "market.source=recorded", f'market.files=["{path}"]') as session:
        await until(lambda: feeds(session) == [BTC, ETH])
        await session.query(Hear("drop", "eth"))
        await until(lambda: feeds(session) == [BTC])
        with pytest.raises(QueryError, match="unknown symbol “sol”; allowed: BTC/USD, ETH/USD"):
            await session.query(Hear("add", "sol"))
        await session.query(Hear("add", "eth"))
        await until(lambda: feeds(session) == [BTC, ETH])
