"""An account as its journal says that it was, at any moment of it. The journal is read and never
written; nothing here can send.

Going back is replaying from an earlier state: such states are kept while events are replayed, so
that a step back costs no more than some hundred events.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from engine.clock import SECOND
from engine.desk import Board, State, codec
from engine.desk.evolve import evolve
from engine.inspection.looking import journal_of, shown
from engine.inspection.reports import NothingThereError
from engine.journal import StoredEvent
from engine.market import CandleSeries
from engine.model.course import Execution, StopPlace
from engine.model.quote import Candle, Quote
from engine.model.view import View
from engine.records import courses, timelines
from engine.records.prices import prices_of
from engine.records.replays import event_of
from engine.records.steps import Teller
from engine.setup.sections import Settings

JUMPS = ("order-filled", "fill-settled", "position-liquidated", "alert-raised")
"""Kinds of events that one jumps to: fills and alerts."""
BEFORE = 2 * 3600 * SECOND
"""How far before the moment the prices of a chart are looked for."""
EVERY, KEPT = 250, 64
"""At least so many events lie between two states that are kept, and so many states are."""
PRICES = 20_000
"""Prices at hand."""
STEPS = 20_000


class Price(Struct, frozen=True):
    """A price that the journal knows."""

    symbol: str
    at: int
    price: Decimal


class Rewind:
    """One journal, and the moment of it that is looked at."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Raises JournalError, and NothingThereError for an empty journal."""
        self._settings = settings
        self._journal = journal_of(settings, folder)
        ends = self._journal.tail(1)
        if not ends:
            self._journal.close()
            raise NothingThereError("the journal is empty: nothing happened in this account yet")
        self.last, self.last_at = ends[0].seq, ends[0].at
        self.first_at = self._event(1).at
        account = settings.account
        self._state = State(account.name, account.currency)
        self._kept: dict[int, bytes] = {}
        self._prices: dict[int, tuple[Price, ...]] = {}
        self._price_seqs: list[int] = []
        self._view: tuple[tuple[int, int], View] | None = None
        self.seq = 0
        """The last event that has happened by then."""
        self.at = self.last_at
        """The moment."""

    def close(self) -> None:
        """Let go of the journal."""
        self._journal.close()

    # Moving

    def go(self, at: int) -> None:
        """To a moment; before the first event it is the first one."""
        at = min(max(at, self.first_at), self.last_at)
        self._go(max(self._journal.seq_at(at), 1), at)

    def by_events(self, count: int) -> None:
        """Forward or back by events, to the time of the one that is reached."""
        seq = min(max(self.seq + count, 1), self.last)
        self._go(seq, self._event(seq).at)

    def by_time(self, nanoseconds: int) -> None:
        """Forward or back by the clock."""
        self.go(self.at + nanoseconds)

    def jump(self, direction: int) -> bool:
        """To the next fill or alert, or the one before; whether there is one."""
        found = (
            self._journal.seq_of(JUMPS, after=self.seq)
            if direction > 0
            else self._journal.seq_of(JUMPS, before=self.seq)
        )
        if found is not None:
            self._go(found, self._event(found).at)
        return found is not None

    def _go(self, seq: int, at: int) -> None:
        if self.seq == 0:  # the first time: with what a chart needs of before
            self._replay(self._journal.seq_at(at - BEFORE), load=True)
        self._replay(seq)
        self.seq, self.at = seq, at

    def _replay(self, seq: int, *, load: bool = False) -> None:
        """Bring the state to the one after an event. Raises JournalError."""
        base = max((one for one in self._kept if one <= seq), default=None)
        if load or (base is None and self._state.seq > seq):
            self._state = self._loaded(seq)
            self._keep()
        elif base is not None and not base <= self._state.seq <= seq:
            self._state = codec.restore(self._kept[base])
        every = max(EVERY, (seq - self._state.seq) // KEPT)
        for stored in self._journal.events(self._state.seq, seq):
            event = event_of(stored)
            self._price(
                stored,
                [
                    Price(symbol, event.at, price)
                    for _, symbol, price in prices_of(self._state, event)
                ],
            )
            evolve(self._state, event)
            if stored.seq % every == 0:
                self._keep()

    def _loaded(self, seq: int) -> State:
        """The newest state that the journal itself keeps, not after an event; else none yet."""
        account = self._settings.account
        loaded = self._journal.load(upto=seq)  # its events are not begun: they hold nothing
        if loaded.snapshot is not None:
            try:
                return codec.restore(loaded.snapshot)
            except codec.BodyError:
                pass  # as the engine does: all events are read again
        return State(account.name, account.currency)

    def _keep(self) -> None:
        self._kept[self._state.seq] = codec.save(self._state)
        if len(self._kept) > 2 * KEPT:
            for one in sorted(self._kept)[1::2]:
                del self._kept[one]

    def _price(self, stored: StoredEvent, prices: list[Price]) -> None:
        if not prices or stored.seq in self._prices:
            return
        self._prices[stored.seq] = tuple(prices)
        insort(self._price_seqs, stored.seq)
        if len(self._price_seqs) > PRICES:
            del self._prices[self._price_seqs.pop(0)]

    def _event(self, seq: int) -> StoredEvent:
        return next(iter(list(self._journal.events(seq - 1, seq))))

    # Looking

    def told(self) -> str:
        """The event of the moment, in words."""
        stored = self._event(self.seq)
        teller = Teller(None, {})
        teller.orders.update(self._state.ended)
        teller.orders.update(self._state.orders)
        step = teller.step(self.seq, event_of(stored))
        return f"({stored.kind.replace('-', ' ')})" if step is None else f"{step.kind}  {step.text}"

    def known(self) -> Iterable[Price]:
        """The prices that the journal knows up to the moment, oldest first."""
        for seq in self._price_seqs[: bisect_right(self._price_seqs, self.seq)]:
            yield from self._prices[seq]

    def unpriced(self) -> list[str]:
        """Symbols of what is held then of which no price is known, or an old one, in words."""
        newest = {price.symbol: price for price in self.known()}
        found = []
        for symbol in sorted({p.symbol for p in self._state.positions.values() if p.is_open}):
            price = newest.get(symbol)
            if price is None:
                found.append(f"no price of {symbol} is known then")
            elif self.at - price.at >= SECOND:
                found.append(f"price of {symbol} is {(self.at - price.at) // SECOND} s older")
        return found

    def view(self) -> View:
        """What the console showed then, as far as the journal knows it."""
        if self._view is None or self._view[0] != (self.seq, self.at):
            board = Board(self.at)
            for price in {price.symbol: price for price in self.known()}.values():
                board.on_quote(
                    Quote(price.symbol, price.at, price.price, Decimal(0), price.price, Decimal(0))
                )
            view = shown(self._settings, self._state, board, self.at)
            self._view = ((self.seq, self.at), view)
        return self._view[1]

    def candles(self, symbol: str, interval: int, count: int) -> tuple[Candle, ...]:
        """Bars of the prices that the journal knows up to the moment; the interval in nanoseconds.
        Raises ValueError for one that is no whole number of seconds.
        """
        series = CandleSeries(symbol)
        for price in self.known():
            if price.symbol == symbol:
                series.quote(price.at, price.price)
        return series.last(interval, count)

    def course(
        self, symbol: str, since: int
    ) -> tuple[tuple[Execution, ...], tuple[StopPlace, ...]]:
        """What was done in a symbol up to the moment: executions from a time on, and where the
        stops of what is held then stood.
        """
        journal, until = self._journal, self.at + 1
        held = [one for one in self._state.positions.values() if one.is_open]
        return (
            courses.executions(journal, symbol, since, until),
            courses.stops(journal, held, symbol, until),
        )

    def equity(self, count: int) -> tuple[tuple[int, Decimal], ...]:
        """The samples of the equity up to the moment, oldest first."""
        rows = self._journal.rows("equity", until=self.at + 1, newest=count)
        return tuple((int(str(row["at"])), Decimal(str(row["amount"]))) for row in rows)

    def timeline(self, about: str) -> timelines.Timeline:
        """What had happened to an id by then."""

        def fetch(names: Iterable[str], after: int) -> list[StoredEvent]:
            found = self._journal.about(list(names), after, STEPS)
            return [stored for stored in found if stored.seq <= self.seq]

        return timelines.timeline(fetch, about)
