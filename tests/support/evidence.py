"""The account as a test lets the venue tell it, for tests of evidence and gate."""

from decimal import Decimal
from typing import Any

import msgspec

from engine.gate import Evidence, Gate, Standing
from engine.model import report as r
from engine.model.books import Books
from engine.model.fill import Fill, Liquidity
from engine.model.ids import account_prefix
from engine.model.order import Order, OrderType, Role
from engine.model.request import Amend, Cancel, Lane, Submit
from engine.model.side import Side
from engine.venues.profiles import instrument_for, load_profile

D = Decimal
SECOND = 1_000_000_000
PREFIX = account_prefix("test")
BTC = "BTC/USD"


class Pen:
    """A permit that stands as a test says."""

    standing = Standing.HELD

    def check(self, now: int) -> Standing:
        del now
        return self.standing


class Account:
    """Evidence and gate of one account, and the reports that it hears."""

    def __init__(self, profile: str = "kraken-spot", lag: float = 0, **books: str) -> None:
        self.now = 1_000 * SECOND
        self.count = 0
        self.evidence = Evidence(PREFIX, int(lag * SECOND), self.now)
        self.instrument = instrument_for(load_profile(profile), BTC, D("0.1"))
        self.evidence.list([self.instrument])
        amounts = {name: D(value) for name, value in books.items()}
        self.books = msgspec.structs.replace(Books(), **amounts)
        self.pen = Pen()
        self.tokens = True
        self.gate = Gate(
            self.evidence,
            self.pen,
            {BTC: self.instrument}.get,
            lambda _: self.books,
            lambda _: self.tokens,
        )

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * SECOND)

    def hear(self, report: r.VenueReport) -> None:
        self.gate.hear(report, self.now)

    def picture(
        self,
        held: str = "0",
        *,
        orders: tuple[Order, ...] = (),
        fills: tuple[Fill, ...] = (),
        as_of: int | None = None,
        net: str = "0",
    ) -> None:
        at = self.now if as_of is None else as_of
        self.hear(r.Picture(at, orders, fills, {"BTC": D(held)}, {BTC: D(net)}, self.now))

    def order(
        self, size: str, role: Role = Role.CLOSE, side: Side = Side.SELL, **terms: Any
    ) -> Order:
        self.count += 1
        kind = OrderType.STOP if role is Role.STOP else OrderType.MARKET
        trigger = D(50_000) if role is Role.STOP else None
        deadline = self.now + 4 * SECOND
        name = f"{PREFIX}{self.count:013}"
        return Order(
            name,
            "P1",
            BTC,
            side,
            kind,
            role,
            D(size),
            trigger=trigger,
            deadline=deadline,
            created_at=self.now,
            touched_at=self.now,
            **terms,
        )

    def sent(
        self, size: str, role: Role = Role.CLOSE, side: Side = Side.SELL, **terms: Any
    ) -> Order:
        """An order that has left."""
        order = self.order(size, role, side, **terms)
        self.gate.leaves(Submit(order, Lane.PROTECT), self.now)
        return order

    def fill(
        self,
        order: Order,
        size: str,
        *,
        at: int | None = None,
        fee: str = "0",
        currency: str = "USD",
    ) -> Fill:
        self.count += 1
        when = self.now if at is None else at
        return Fill(
            f"T{self.count}",
            order.client_order_id,
            BTC,
            order.side,
            D(60_000),
            D(size),
            D(fee),
            currency,
            Liquidity.TAKER,
            when,
        )

    def filled(self, order: Order, size: str, **terms: Any) -> Fill:
        fill = self.fill(order, size, **terms)
        self.hear(r.Filled(fill, self.now))
        return fill

    def is_good(self) -> bool:
        return self.evidence.good

    def bound(self, side: Side = Side.SELL) -> Decimal:
        asset = "BTC" if self.instrument.moves_coins(None) else BTC
        return self.evidence.bound(asset, side, self.books)

    def submit(self, order: Order, waited: float | None = None) -> object:
        since = None if waited is None else self.now - int(waited * SECOND)
        return self.gate.admit(Submit(order, Lane.PROTECT), self.now, since)

    def cancel(self, order: Order) -> object:
        return self.gate.admit(Cancel(order.client_order_id, BTC, Lane.CANCEL), self.now)

    def amend(self, order: Order, size: str, waited: float | None = None) -> object:
        since = None if waited is None else self.now - int(waited * SECOND)
        return self.gate.admit(
            Amend(order.client_order_id, BTC, Lane.PROTECT, size=D(size)), self.now, since
        )
