"""Money on the wire of Kraken Futures, by the exchange's own ledger: two entries, a part closed,
funding; and another key that loses (H97).
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from engine.desk import events as e
from engine.desk.desk import Decision
from engine.journal import Journal
from engine.model import intent as i
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.request import Lane, Submit
from engine.model.side import Side
from engine.runtime import Engine, Hooks
from engine.setup import factories
from engine.setup.sections import Settings
from engine.venues.live.kraken_futures import KrakenFutures
from tests.support.exchange import SYMBOLS, Exchange
from tests.support.futures import SYMBOL, Line, line

D = Decimal
PATIENCE = 20.0

pytestmark = pytest.mark.hazard("H97")


class Desk:
    """A whole engine at the exchange."""

    def __init__(self, made: Line, home: Path) -> None:
        self.line = made
        self.events: list[e.AnyEvent] = []
        self.count = 0
        exchange: Exchange = made.exchange
        journal = Journal.open(
            home / "journal.sqlite", "main", "test", now=exchange.clock.now(), inline=True
        )
        journal.claim("test", exchange.clock.now())
        risk = replace(
            Settings().risk, require_stop=False, naked_blocks=False, max_open_risk=D(100)
        )
        settings = replace(Settings(), account=exchange.account(), risk=risk)
        self.engine = Engine(
            settings,
            made.venue,
            journal,
            exchange.clock,
            1,
            inline=True,
            hooks=Hooks(decided=self._decided),
        )

    def _decided(self, decision: Decision, _: int) -> None:
        self.events.extend(decision.events)

    @property
    def cash(self) -> Decimal:
        """The truth of the exchange."""
        return self.line.world.exchange.ledger.cash["USD"]

    @property
    def shown(self) -> Decimal:
        return self.engine.view().account.cash["USD"]

    @property
    def financed(self) -> list[Decimal]:
        return [event.amount for event in self.events if isinstance(event, e.Financed)]

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def compared(self) -> None:
        """The venue's money has been looked at once more, as it is by now."""
        wanted = self.line.exchange.clock.now()
        while self.engine.state.reconciled_at < wanted:
            self.count += 1
            await self.engine.ask(i.Reconcile(id=f"r{self.count}"))
            await asyncio.sleep(0.1)

    async def opened(self, size: str) -> str:
        self.count += 1
        terms = i.OpenBracket(
            id=f"o{self.count}", symbol=SYMBOL, side=Side.BUY, size=i.Base(D(size))
        )
        answer = await self.engine.ask(terms)
        assert answer.ok, answer.refusals
        await self.until(lambda: self.engine.state.positions[answer.created].size == D(size))
        return answer.created


@asynccontextmanager
async def desk(home: Path) -> AsyncIterator[Desk]:
    async with line(home, connect=False) as made:
        one = Desk(made, home)
        await one.engine.start()
        await one.until(
            lambda: (
                "STARTING" not in one.engine.state.blocks
                and len(one.engine.board.quotes()) == len(SYMBOLS["krakenfutures"])
            )
        )
        try:
            yield one
        finally:
            await one.engine.close()


Tale = Callable[[Desk], Coroutine[Any, Any, None]]


def play(tale: Tale, home: Path) -> None:
    async def main() -> None:
        async with desk(home) as one:
            await tale(one)

    asyncio.run(main())


def test_funding_between_two_entries_of_which_one_was_closed_in_part(tmp_path: Path) -> None:
    async def tale(one: Desk) -> None:
        first = await one.opened("0.5")
        one.line.price("60500.0", "60500.1")
        await one.until(lambda: one.engine.board.quote(SYMBOL).bid == D(60_500))  # type: ignore[union-attr]
        await one.opened("0.7")
        assert (await one.engine.ask(i.ClosePosition(id="c", position=first, part=D("0.4")))).ok
        await one.until(lambda: one.engine.state.positions[first].size == D("0.3"))
        await one.compared()
        assert one.shown == pytest.approx(one.cash)
        exchange = one.line.world.exchange
        exchange.fund(D("0.0001"), one.line.world.now())
        exchange.funding.due = one.line.world.now()
        exchange.advance(one.line.world.now())
        (payment,) = exchange.funding.paid
        for _ in range(3):
            await one.compared()
        assert one.financed == pytest.approx([payment.amount])
        assert one.shown == pytest.approx(one.cash)
        assert not {"DIFFERENCE", "FOREIGN_TRADES"} & {
            alert.code for alert in one.engine.state.alerts.values()
        }

    play(tale, tmp_path)


async def trade_elsewhere(one: Desk, home: Path) -> None:
    """Another program buys and sells ether at a loss, with a key of the same account."""
    exchange = one.line.exchange
    exchange.keep_key(home)
    other = factories.live(
        exchange.account(name="other"), SYMBOLS["krakenfutures"], 3.0, home, exchange.clock
    )
    assert isinstance(other, KrakenFutures)
    assert other.prefix != one.line.venue.prefix
    try:
        await other.connect(lambda _: None, lambda _: None)
        for number, side in enumerate((Side.BUY, Side.SELL)):
            now = exchange.clock.now()
            name = f"{other.prefix}N{number}"
            order = Order(
                name,
                "P",
                "PF_ETHUSD",
                side,
                OrderType.MARKET,
                Role.ENTRY,
                D(2),
                created_at=now,
                time_in_force=TimeInForce.IOC,
            )
            await other.send(Submit(order, Lane.ENTRY))
            await asyncio.sleep(0.2)
    finally:
        await other.close()


def test_what_another_key_loses_is_told_and_is_no_funding(tmp_path: Path) -> None:
    async def tale(one: Desk) -> None:
        await one.opened("0.5")
        await one.compared()
        before = one.cash
        await trade_elsewhere(one, tmp_path / "other")
        assert before - D(60) < one.cash < before, (
            "it has lost: less than a hundredth of what we traded"
        )
        for _ in range(3):
            await one.compared()
        assert one.financed == []
        assert {"DIFFERENCE", "FOREIGN_TRADES"} <= {
            alert.code for alert in one.engine.state.alerts.values()
        }
        assert (
            await one.engine.ask(i.Resolve(id="all", subject="USD", action=i.Settlement.FORGET))
        ).ok
        assert one.shown == pytest.approx(one.cash)
        assert one.financed == []

    play(tale, tmp_path)
