"""The exchange behind the wire: the matching engine, the market that moves it, one account, its
faults, and whoever listens.

Everything happens in the machine's own time: recorded prices are played at a speed and stamped with
the moment at which they are said. What changed is stored before anybody is told.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from random import Random
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.exchange import Exchange, Faults, RateLimit, Store
from engine.exchange.admission import refusal
from engine.market import play
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.order import TRIGGERED, Order
from engine.model.profile import Profile
from engine.model.quote import Depth, Quote, Tick, Trade
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.wire.conduct import Conduct
from engine.wire.schedule import Schedule
from engine.wire.terms import Terms, terms_of
from engine.wire.views import Logged, Seen, Views

LOGGED = 100_000
"""Requests that `/truth` still tells."""
TRADES = 1_000
"""Prints that are kept by symbol."""
Listener = Callable[[r.VenueReport, Order | None], None]


class World:
    """One account at one exchange."""

    def __init__(
        self,
        exchange: Exchange,
        clock: Clock,
        *,
        seed: int,
        faults: Faults,
        store: Store | None = None,
        conduct: Conduct | None = None,
    ) -> None:
        self.exchange = exchange
        self.clock = clock
        self.faults = faults
        self.conduct = conduct or Conduct()
        self.random = Random(seed)  # noqa: S311 - drawn for faults, to be repeated from a seed
        self.log: deque[Logged] = deque(maxlen=LOGGED)
        self.received = 0
        self.on_report: list[Listener] = []
        self.on_quote: list[Callable[[Quote], None]] = []
        self.on_trade: list[Callable[[Trade], None]] = []
        self.on_depth: list[Callable[[str], None]] = []
        symbols = exchange.instruments
        self.trades = {symbol: deque[Trade](maxlen=TRADES) for symbol in symbols}
        self.printed = dict.fromkeys(symbols, 0)
        """Prints by symbol, those that are no longer kept among them."""
        self.past: int | None = None
        """Seeds the past prices that a symbol is given with its first one; None: it has none."""
        self.scheduled = Schedule(exchange, clock, store)
        self.began = clock.now()
        self.dead_man: asyncio.TimerHandle | None = None
        self.dead_man_at: int | None = None
        self._store = store
        self._said: list[tuple[r.VenueReport, Order | None]] = []
        self._second: asyncio.TimerHandle | None = None
        self._by_client: dict[str, str] = {}
        self._over = False
        for order in (*exchange.orders.values(), *self.scheduled):
            self._index(order)
        self._listen()
        self.views = Views(exchange, clock, lambda: self.faults.rest_lag)

    def _listen(self) -> None:
        self.exchange.on_report.append(self._heard)
        self.exchange.on_quote.append(self._quoted)

    @property
    def profile(self) -> Profile:
        """What the exchange can do."""
        return self.exchange.profile

    def now(self) -> int:
        """The exchange's own clock."""
        return self.clock.now()

    def mode(self, symbol: str | None = None) -> str:
        """The mode of a pair, or of the whole exchange."""
        return self.conduct.mode_of(symbol, self.now() - self.began)

    # The market

    async def play(self, ticks: Iterable[Tick], market: Clock) -> None:
        """Play a market to its end, at the speed of its own clock."""
        self._each_second()
        await play(ticks, market, lambda tick: self.feed(replace(tick, at=self.now())))

    def feed(self, tick: Tick) -> None:
        """The next thing that the market says."""
        self.exchange.on_tick(tick)
        if type(tick) is Trade:
            self.trades[tick.symbol].append(tick)
            self.printed[tick.symbol] += 1
            for listener in self.on_trade:
                listener(tick)
        elif type(tick) is Depth:
            for changed in self.on_depth:
                changed(tick.symbol)
        self.settle()

    def _each_second(self) -> None:
        """What waits for a time: expiries, candles, margin."""
        if not self._over:
            self.exchange.advance(self.now())
            self.settle()
            self._second = self.clock.call_at(self.now() + SECOND // 10, self._each_second)

    def _quoted(self, quote: Quote) -> None:
        for listener in self.on_quote:
            listener(quote)

    # Orders

    def numbered(self, symbol: str) -> list[tuple[int, Trade]]:
        """The prints that are kept, each with its number."""
        kept = self.trades[symbol]
        return list(enumerate(kept, self.printed[symbol] - len(kept) + 1))

    def place(
        self, order: Order, terms: Terms, refuse: str = "", name: str = ""
    ) -> r.Accepted | r.Rejected | RateLimit:
        """Take an order in, counted against the limits; with `refuse`, it is refused for that
        reason if for no other.

        `name` is the id that an order was given which begins only now.
        """
        name = name or self.exchange.new_order_id()
        order = replace(
            order,
            client_order_id=name,
            venue_order_id=name,
            label=msgspec.json.encode(terms).decode(),
            created_at=self.now(),
        )
        taken = (
            "EOrder:cl_ord_id is in use by an open order"
            if terms.client and terms.client in self._by_client
            else ""
        )
        done = self.exchange.handle(
            Submit(order, Lane.ENTRY),
            self.now(),
            taken or self.admits(order) or refuse or self._refused(order),
        )
        self.settle()
        return self._only(done)  # type: ignore[return-value]

    def admits(self, order: Order) -> str:
        """Why an order would be refused; empty where it would not."""
        return refusal(self.exchange, replace(order, client_order_id="-"), self.now())

    def amend(self, request: Amend) -> r.Amended | r.AmendRejected | RateLimit:
        """Change a working order in place."""
        done = self.exchange.handle(request, self.now())
        self.settle()
        return self._only(done)  # type: ignore[return-value]

    def cancel(self, name: str) -> r.Cancelled | r.CancelRejected | RateLimit:
        """End a working order."""
        order = self.exchange.orders.get(name)
        done = self.exchange.handle(
            Cancel(name, order.symbol if order else "", Lane.CANCEL), self.now()
        )
        self.settle()
        return self._only(done)  # type: ignore[return-value]

    def cancel_all(self, symbol: str | None = None) -> list[str]:
        """End all working orders, or those of a symbol; their ids."""
        names = [
            name
            for name, order in self.exchange.orders.items()
            if symbol is None or order.symbol == symbol
        ]
        for name in names:
            self.exchange.cancel(name, self.now())
        names += self.scheduled.end_all(symbol)
        self.settle()
        return names

    def waits(self, order: Order, at: int) -> None:
        """Keep an order that begins at a time (nanoseconds)."""
        self.scheduled.keep(order, at)
        self._index(order)

    def withdraw(self, name: str) -> bool:
        """End an order that has not begun; whether there was one."""
        order = self.scheduled.get(name)
        if order is None:
            return False
        self.scheduled.end(name)
        self.settle()
        return True

    def begins(self, order: Order) -> None:
        """An order waits no more: its client id is free for the order that it becomes."""
        self._by_client.pop(terms_of(order).client, None)

    def arm(self, seconds: float) -> None:
        """Cancel everything after so many seconds, unless it is said again; zero disarms."""
        if self.dead_man is not None:
            self.dead_man.cancel()
        self.dead_man, self.dead_man_at = None, None
        if seconds:
            self.dead_man_at = self.now() + int(seconds * SECOND)
            self.dead_man = self.clock.call_at(self.dead_man_at, self._dead)

    def _dead(self) -> None:
        self.dead_man, self.dead_man_at = None, None
        self.cancel_all()

    def _refused(self, order: Order) -> str:
        rate = self.faults.reject_stop
        return (
            "EOrder:Insufficient margin"
            if rate and order.type in TRIGGERED and self.random.random() < rate
            else ""
        )

    def _only(self, done: tuple[r.VenueReport, ...] | RateLimit) -> r.VenueReport | RateLimit:
        return done if isinstance(done, RateLimit) else done[0]

    def order(self, name: str) -> Order | None:
        """An order by the exchange's id, open or ended."""
        exchange = self.exchange
        found = exchange.orders.get(name) or exchange.ended.get(name) or self.scheduled.get(name)
        return self._store.order(name) if found is None and self._store is not None else found

    def of_client(self, client: str) -> str | None:
        """The exchange's id of the open order of a client's id."""
        return self._by_client.get(client)

    def ended_of_client(self, client: str) -> str | None:
        """The exchange's id of the last order of a client's id, open or not."""
        found = self._by_client.get(client)
        if found is None:
            found = next(
                (
                    o.client_order_id
                    for o in reversed(self.exchange.ended.values())
                    if terms_of(o).client == client
                ),
                None,
            )
        return found

    def spend(self, counter: str, cost: float) -> bool:
        """Count a question against a limit; whether it is admitted."""
        model, now = self.exchange.limits.counter(counter), self.now()
        if model.wait(cost, now, 0.0):
            return False
        model.spend(cost, now)
        return True

    def executions(self, order: Order) -> tuple[Fill, ...]:
        """The executions of an order, oldest first."""
        found = self.exchange.find(order.client_order_id, self.now()) if order.filled else None
        return found.fills if isinstance(found, r.Found) else ()

    def seen(self) -> Seen:
        """The account as it was so long ago as views lag, and no older than that."""
        return self.views.seen()

    # Telling

    def _heard(self, report: r.VenueReport) -> None:
        name = (
            report.fill.client_order_id
            if isinstance(report, r.Filled | r.Liquidated)
            else getattr(report, "client_order_id", "")
        )
        order = self.exchange.orders.get(name) or self.exchange.ended.get(name)
        if order is not None:
            self._index(order)
        if isinstance(report, r.Amended) and order is not None:  # said before it is done
            order = replace(order, size=report.size, price=report.price, trigger=report.trigger)
        self._said.append((report, order))
        if isinstance(report, r.Filled) and order is not None and terms_of(order).close is not None:
            self.on_close(report, order)

    def on_close(self, report: r.Filled, order: Order) -> None:
        """Each fill of an order with a conditional close brings an order of the fill's size; the
        protocol knows how it is written.
        """

    def _index(self, order: Order) -> None:
        client = terms_of(order).client
        if not client:
            return
        if order.is_open:
            self._by_client[client] = order.client_order_id
        elif self._by_client.get(client) == order.client_order_id:
            del self._by_client[client]

    def settle(self) -> None:
        """Store what changed, and then tell it. Raises StoreError."""
        if self.exchange.unstored:
            self.views.remember()
            if self._store is not None:
                self._store.save(self.exchange, self.now())
            else:
                self.exchange.forget_changes()
        while self._said:
            report, order = self._said.pop(0)
            for listener in self.on_report:
                listener(report, order)

    # What really happened

    def logged(self, path: str, body: dict[str, str], method: str = "") -> Logged:
        """Write a request down."""
        entry = Logged(self.now(), path, body, method)
        self.log.append(entry)
        self.received += 1
        return entry

    def truth(self, *, requests: bool = True) -> dict[str, Any]:
        """The account, its orders and executions, and every request received."""
        exchange = self.exchange
        orders = [*exchange.ended.values(), *exchange.orders.values()]
        net = {
            symbol: exchange.ledger.exposure(instrument)
            for symbol, instrument in exchange.instruments.items()
        }
        return {
            "at": self.now(),
            "accounts": {
                "cash": dict(exchange.ledger.cash),
                "net": {symbol: size for symbol, size in net.items() if size},
            },
            "orders": [
                {**msgspec.to_builtins(order), "label": msgspec.to_builtins(terms_of(order))}
                for order in orders
            ],
            "executions": [
                {
                    **msgspec.to_builtins(fill),
                    "client": terms_of(order).client
                    if (order := self.order(fill.client_order_id))
                    else "",
                }
                for fill in exchange.fills
            ],
            "received": self.received,
            "requests": [msgspec.to_builtins(entry) for entry in self.log] if requests else [],
        }

    def close(self) -> None:
        """The end of the world; all of it is stored."""
        self._over = True
        for handle in (self._second, self.dead_man):
            if handle is not None:
                handle.cancel()
        self.scheduled.close()
        self.settle()
        if self._store is not None:
            self._store.close()
