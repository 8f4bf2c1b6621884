"""One suite for all forms of a session: in the engine's process, over its socket, and through a
program that carries the bytes, as ssh does. A console does not know which it has.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import pytest
from msgspec.structs import replace

from engine.account.home import Home
from engine.model.intent import (
    Away,
    Base,
    CancelPriceAlert,
    Flatten,
    OpenBracket,
    SetPriceAlert,
    Withdraw,
)
from engine.model.position import Protection
from engine.model.side import Side
from engine.model.view import Preview
from engine.session import QueryError, Session
from engine.session import messages as m
from engine.session.attached import AttachedSession
from engine.session.deltas import Delta, applied
from engine.session.lines import Carrier
from engine.session.local import LocalSession
from engine.session.opening import open_session
from engine.setup.settings import load

BTC = "BTC/USD"
SECOND = 1_000_000_000
T = TypeVar("T")

pytestmark = pytest.mark.parametrize("form", ["process", "socket", "pipe"])


def opening(name: str, size: str = "0.05", not_after: int | None = None) -> OpenBracket:
    stop = Away(Decimal("0.05"))
    return OpenBracket(
        id=name, symbol=BTC, side=Side.BUY, size=Base(Decimal(size)), stop=stop, not_after=not_after
    )


@asynccontextmanager
async def session_of(form: str, folder: Path) -> AsyncIterator[Session]:
    """A paper account of its own, once it has recovered and a price is known, and a session with
    it.
    """
    local = await open_session(
        load(None, ["account.name=mine", 'market.symbols=["BTC/USD"]']).settings, folder
    )
    assert isinstance(local, LocalSession)
    far: AttachedSession | None = None
    try:
        await until(lambda: local.view().feeds and not local.view().reasons)
        if form == "socket":
            far = await AttachedSession.open(Home.at("mine", folder).session, "the engine", "trade")
        if form == "pipe":
            words = (sys.executable, "-m", "tui.cli", "--home", str(folder), "pipe", "mine")
            far = await AttachedSession.open(Carrier(words), "the engine", "trade")
        yield far or local
    finally:
        if far is not None:
            await far.close()
        await local.close()


async def until(true: Callable[[], T], seconds: float = 30.0) -> T:
    """What it gives, once that is something."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "not in time"
        await asyncio.sleep(0.05)
    return found


async def told(session: Session, query: m.Query, kind: type[T]) -> T:
    found = await session.query(query)
    assert isinstance(found, kind)
    return found


async def test_it_says_who_it_is_and_shows_the_account(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        welcome = session.hello()
        assert (welcome.major, welcome.account, welcome.venue, welcome.live, welcome.read_only) == (
            m.MAJOR,
            "mine",
            "paper",
            False,
            False,
        )
        assert welcome.pid == os.getpid()
        assert not session.read_only
        view = session.view()
        assert view.account.name == "mine"
        assert [feed.symbol for feed in view.feeds] == [BTC]
        assert not view.holder


async def test_what_changed_leads_from_one_view_to_the_next(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        delta = await told(session, m.Watch(0), Delta)
        view = applied(None, delta)
        assert (delta.after, view.positions) == (0, ())
        await session.ask(opening("a"))
        await until(lambda: session.view().positions)
        change = await told(session, m.Watch(delta.number), Delta)
        assert (change.after, change.number > delta.number) == (delta.number, True)
        assert [position.symbol for position in applied(view, change).positions] == [BTC]
        assert (await told(session, m.Watch(10_000), Delta)).after == 0, (
            "a view that nobody knows: all of it"
        )


async def test_an_intent_is_done_once_and_never_after_its_deadline(
    form: str, tmp_path: Path
) -> None:
    async with session_of(form, tmp_path) as session:
        assert "0.05" in str(await told(session, m.Try(opening("p")), Preview))
        refused = await told(session, m.Try(opening("q", "1000000")), Preview)
        assert refused.refusals
        assert refused.refusals == (await session.ask(opening("big", "1000000"))).refusals
        first = await session.ask(opening("a", not_after=time.time_ns() + 60 * SECOND))
        again = await session.ask(opening("a", not_after=time.time_ns() - SECOND))
        assert first.ok
        assert (again.ok, again.repeated, again.created) == (True, True, first.created), (
            "its id is looked up before its deadline"
        )
        (position,) = await until(lambda: session.view().positions)
        assert position.id == first.created
        late = await session.ask(opening("b", not_after=time.time_ns() - SECOND))
        assert [refusal.code for refusal in late.refusals] == ["EXPIRED"]
        back = await session.ask(Withdraw(id="w1", asked="c"))
        assert back.ok, "nobody has asked for it yet"
        gone = await session.ask(opening("c"))
        assert not gone.ok, "it was taken back before it came"
        kept = await session.ask(Withdraw(id="w2", asked="a"))
        assert not kept.ok, "it was answered long ago"
        assert len(session.view().positions) == 1


async def test_what_is_said_is_numbered_and_none_is_missed(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        before = await told(session, m.Missed(0), m.MissedTold)
        await session.ask(opening("a"))
        await until(lambda: session.view().positions)
        after = await until(lambda: [one for one in session.view().notices if one.intent == "a"])
        everything = await told(session, m.Missed(0), m.MissedTold)
        numbers = [notice.seq for notice in everything.notices]
        assert (numbers, everything.gone) == (list(range(1, len(numbers) + 1)), 0)
        last = before.notices[-1].seq if before.notices else 0
        rest = await told(session, m.Missed(last), m.MissedTold)
        assert (
            rest.notices[: len(everything.notices) - len(before.notices)]
            == everything.notices[len(before.notices) :]
        )
        assert after[0] in rest.notices
        assert await told(session, m.Missed(10_000), m.MissedTold) == m.MissedTold((), 0)


async def test_what_was_written_is_told_with_every_digit(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        answer = await session.ask(opening("a"))
        position = (
            await until(
                lambda: [one for one in session.view().positions if one.protection.value == "venue"]
            )
        )[0]
        await session.ask(Flatten(id="f"))
        await until(lambda: session.view().closed and not session.view().positions)
        rows: m.RowsTold | None = None
        for _ in range(100):  # as far as it is durable
            rows = await told(session, m.Rows("positions", position=answer.created), m.RowsTold)
            if rows.rows and rows.rows[0]["closed_at"]:
                break
            await asyncio.sleep(0.05)
        assert rows is not None
        assert [row["id"] for row in rows.rows] == [position.id]
        fills = await told(session, m.Rows("fills", symbol=BTC), m.RowsTold)
        assert (
            sum(
                Decimal(str(row["size"])) * (1 if row["side"] == "buy" else -1)
                for row in fills.rows
            )
            == 0
        )
        assert len((await told(session, m.Rows("fills", newest=1), m.RowsTold)).rows) == 1
        timeline = await told(session, m.Timeline(position.id), m.TimelineTold)
        kinds = [moment.kind for moment in timeline.moments]
        assert timeline.complete
        assert "position-planned" in kinds
        assert [step.seq for step in timeline.steps] == [one.seq for one in timeline.moments]
        assert {"asked", "request", "answer", "fill", "stop", "end"} <= {
            step.kind for step in timeline.steps
        }
        assert [moment.seq for moment in timeline.moments] == sorted(
            {moment.seq for moment in timeline.moments}
        )
        assert await told(
            session, m.Timeline("nothing is called so"), m.TimelineTold
        ) == m.TimelineTold((), complete=True)
        counters = await told(session, m.Counters(), m.CountersTold)
        assert counters.submit >= 3, "entry, stop and close"
        assert counters.events >= timeline.moments[-1].seq


async def test_prices_and_their_past_are_told(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        candles = await told(session, m.Candles(BTC, 5 * SECOND, 5), m.CandlesTold)
        assert 1 <= len(candles.candles) <= 5
        assert all(candle.symbol == BTC and candle.low <= candle.high for candle in candles.candles)
        assert await told(
            session, m.Candles("NO/SUCH", 5 * SECOND, 5), m.CandlesTold
        ) == m.CandlesTold(())
        depth = await told(session, m.Depth(BTC, 20), m.DepthTold)
        assert depth.bids[0][0] < depth.asks[0][0]
        assert (depth.deep, depth.trades) == (True, True), "the simulated market tells a book"
        assert len(depth.bids) > 5 < len(depth.asks)
        assert await told(session, m.Past(BTC), m.PastTold) == m.PastTold((), ())
        assert await told(session, m.Depth("NO/SUCH"), m.DepthTold) == m.DepthTold(0, (), ())
        assert isinstance(await session.query(m.Equity(10)), m.EquityTold)
        with pytest.raises(QueryError, match="interval"):
            await session.query(m.Candles(BTC, SECOND // 2, 5))
        with pytest.raises(QueryError, match="has no position"):
            await session.query(m.Rows("equity", position="P1"))
        assert session.view().account.name == "mine", "a query without an answer ends nothing"


async def test_a_symbol_is_added_while_it_runs_and_traded(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        done = await told(session, m.Hear("add", "eth"), m.HearTold)
        assert done.symbols == (BTC, "ETH/USD")
        assert done.text.startswith("ETH/USD is watched until this engine ends")
        await until(lambda: [f.symbol for f in session.view().feeds] == [BTC, "ETH/USD"])
        again = await told(session, m.Hear("add", "ETH/USD"), m.HearTold)
        assert again.text == "ETH/USD is watched already", "a question that is asked again"
        entry = replace(opening("e", "0.5"), symbol="ETH/USD")
        assert (await session.ask(entry)).ok
        (position,) = await until(
            lambda: [p for p in session.view().positions if p.protection is Protection.VENUE]
        )
        assert position.symbol == "ETH/USD"
        candles = await told(session, m.Candles("ETH/USD", 60 * SECOND, 100), m.CandlesTold)
        assert candles.candles


async def test_a_symbol_that_nobody_knows_is_refused_by_name(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        for asked, said in (
            (m.Hear("add", "ETHH/USD"), "unknown symbol “ETHH/USD”; allowed: ETH/USD"),
            (m.Hear("drop", "SOL/USD"), "unknown symbol “SOL/USD”; allowed: BTC/USD"),
        ):
            with pytest.raises(QueryError, match=said):
                await session.query(asked)
        assert [feed.symbol for feed in session.view().feeds] == [BTC]


async def test_a_symbol_is_dropped_once_nothing_is_open_in_it(form: str, tmp_path: Path) -> None:
    async with session_of(form, tmp_path) as session:
        with pytest.raises(QueryError, match="BTC/USD can't be dropped: no other symbol"):
            await session.query(m.Hear("drop", "btc"))
        await session.query(m.Hear("add", "eth"))
        await until(lambda: len(session.view().feeds) == 2)
        ask = next(f.ask for f in session.view().feeds if f.symbol == "ETH/USD")
        alert = SetPriceAlert(id="p", symbol="ETH/USD", price=ask * 2)
        assert (await session.ask(alert)).ok
        with pytest.raises(QueryError, match="price alert #1 waits for it; alert ETH/USD none"):
            await session.query(m.Hear("drop", "eth"))
        assert (await session.ask(CancelPriceAlert(id="c", alert="p"))).ok
        assert (await session.ask(replace(opening("e", "0.5"), symbol="ETH/USD"))).ok
        await until(lambda: session.view().positions)
        with pytest.raises(QueryError, match=r"long 0\.5 is open in it; close it first"):
            await session.query(m.Hear("drop", "eth"))
        await session.ask(Flatten(id="f"))
        await until(lambda: (flat := session.view().flatten) and flat.ended_at is not None)
        done = await told(session, m.Hear("drop", "eth"), m.HearTold)
        assert done.symbols == (BTC,)
        await until(lambda: [feed.symbol for feed in session.view().feeds] == [BTC])
        again = await told(session, m.Hear("drop", "eth"), m.HearTold)
        assert again.text == "ETH/USD is not watched"
        refused = await session.ask(replace(opening("x", "0.5"), symbol="ETH/USD"))
        assert [one.code for one in refused.refusals] == ["NO_PRICE"], "nothing enters blindly"
        await session.query(m.Hear("add", "eth"))
        await until(lambda: len(session.view().feeds) == 2)
        assert (await session.ask(replace(opening("y", "0.5"), symbol="ETH/USD"))).ok
