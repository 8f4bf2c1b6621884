"""What an account is worth and what its margin needs, kept by symbol: an order is judged without
walking all that is held.

`Ledger.equity` and `Ledger.margin` are the long way, and say the same.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal

from msgspec import Struct

from engine.exchange.ledger import Holding, Ledger, Rate, lent_in_cash
from engine.model.account import worth
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.side import Side

_EXACT = Context(prec=250)
"""Digits enough that no sum is ever rounded: what is taken out leaves nothing behind."""


class Part(Struct, frozen=True, gc=False):
    """What one symbol adds."""

    profit: Decimal = ZERO
    """In the settle currency."""
    initial: Decimal = ZERO
    maintenance: Decimal = ZERO
    """In the quote currency."""


class _Money:
    __slots__ = ("initial", "maintenance", "profit")

    def __init__(self) -> None:
        self.profit = self.initial = self.maintenance = ZERO


class Standing:
    """The sums over all holdings of one account, by currency."""

    def __init__(
        self,
        ledger: Ledger,
        instruments: Mapping[str, Instrument],
        price: Callable[[str], Decimal | None],
        rate: Rate,
    ) -> None:
        self._ledger = ledger
        self._instruments = instruments
        self._price = price
        self._rate = rate
        self._holdings: dict[str, Holding] | None = None
        self._parts: dict[str, Part] = {}
        self._money: dict[str, _Money] = {}
        self.moved: set[str] = set()
        """Symbols whose price or holding has changed since the sums were told."""

    def _refresh(self) -> None:
        if self._holdings is not self._ledger.holdings:  # restored from a file
            self._holdings, self._parts, self._money = self._ledger.holdings, {}, {}
            self.moved.update(self._holdings)
        for symbol in self._holdings.keys() & self.moved:
            before, now = (
                self._parts.get(symbol, NOTHING),
                self._part(symbol, self._holdings[symbol]),
            )
            if now != before:
                self._parts[symbol] = now
                self._add(self._instruments[symbol], before, _EXACT.subtract)
                self._add(self._instruments[symbol], now, _EXACT.add)
        self.moved.clear()

    def _part(self, symbol: str, holding: Holding) -> Part:
        instrument, mark = self._instruments[symbol], self._price(symbol)
        if not holding.size or mark is None:
            return NOTHING
        size, side = abs(holding.size), Side.BUY if holding.size > ZERO else Side.SELL
        notional = instrument.notional(size, mark)
        return Part(
            instrument.profit(side, size, holding.value, instrument.value(size, mark)),
            notional / (holding.leverage or instrument.max_leverage),
            notional * instrument.maintenance_margin,
        )

    def _add(
        self, instrument: Instrument, part: Part, step: Callable[[Decimal, Decimal], Decimal]
    ) -> None:
        settle, quote = (
            self._money.setdefault(name, _Money()) for name in (instrument.settle, instrument.quote)
        )
        settle.profit = step(settle.profit, part.profit)
        quote.initial, quote.maintenance = (
            step(quote.initial, part.initial),
            step(quote.maintenance, part.maintenance),
        )

    def equity(self) -> Decimal:
        """Everything, in the reporting currency, as far as it has a price."""
        self._refresh()
        total, _ = worth(self._ledger.cash, self._ledger.currency, self._rate)
        return total + self._sum((name, money.profit) for name, money in self._money.items())

    def margin(self) -> tuple[Decimal, Decimal]:
        """What leveraged holdings need to be opened, and to be kept (reporting currency)."""
        self._refresh()
        initial, maintenance = lent_in_cash(
            self._ledger.cash, self._ledger.currency, self._instruments, self._rate
        )
        initial += self._sum((name, money.initial) for name, money in self._money.items())
        return initial, maintenance + self._sum(
            (name, money.maintenance) for name, money in self._money.items()
        )

    def _sum(self, amounts: Iterable[tuple[str, Decimal]]) -> Decimal:
        return sum(
            (
                amount * (self._rate(name, self._ledger.currency) or ZERO)
                for name, amount in amounts
                if amount
            ),
            ZERO,
        )


NOTHING = Part()
