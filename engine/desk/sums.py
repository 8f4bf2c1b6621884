"""Sums over all positions, kept so that no rule walks them: each position's part is taken out and
put back when something of it changes.

Adding is exact, so that what is taken out leaves nothing behind, whatever came and went meanwhile.
"""

from decimal import Context as DecimalContext
from decimal import Decimal
from typing import Any

from engine.desk.groups import NOTHING, Symbol, Worth
from engine.desk.parts import AtMarket, Part
from engine.model.figures import Sums
from engine.model.instrument import Instrument
from engine.model.money import ZERO

_EXACT = DecimalContext(prec=250)
"""Digits enough that no sum of ours is ever rounded."""


class Money:
    """The sums of one currency."""

    __slots__ = (
        "at_stop",
        "bare",
        "coins",
        "committed",
        "lent",
        "margin",
        "reserved",
        "unrealised",
        "wanted_bare",
    )

    def __init__(self) -> None:
        self.lent = self.coins = self.unrealised = ZERO
        """At the marks: profit of what is on margin, value of coins, profit of everything."""
        self.at_stop = self.bare = self.wanted_bare = ZERO
        self.committed = self.margin = self.reserved = ZERO


class Kept:
    """The sums over all positions of a state, by group, by symbol and by currency."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = {}
        self.symbols: dict[str, Symbol] = {}
        self.worth: dict[str, Worth] = {}
        """By symbol, at its latest price."""
        self.money: dict[str, Money] = {}
        """By currency."""
        self.coins: dict[str, Decimal] = {}
        """By currency: what our positions hold among the balances, where it has a price."""
        self.moved_coins: dict[str, None] = {}
        """Currencies in which that has changed since `left` was told."""
        self.left: dict[str, Decimal] = {}
        """By currency, what lay among the balances beside them when it was told last."""
        self.cash: dict[str, Decimal] = {}
        """The balances as they were then."""
        self.naked: dict[str, None] = {}
        self.market: dict[str, AtMarket | None] = {}
        """Positions with entries that follow the market, and what those lose; None where that must
        be told anew.
        """
        self.unpriced: dict[str, None] = {}
        """Symbols with positions and without a price."""
        self.version = 0
        """Rises whenever anything here changes, or a price does."""
        self.equity: tuple[int, dict[str, Decimal], tuple[Decimal, frozenset[str]]] | None = None
        """As it was told last: at which version, with which cash."""
        self.by_symbol: tuple[tuple[int, int], dict[str, Sums]] | None = None
        """What each symbol has come to, as it was told last."""
        self.slots = self.open = self.unbounded = 0
        self.credits = 0
        """Positions that hold something on credit."""
        self.over: dict[str, None] = {}
        """Positions that were closed too much."""

    def put(self, name: str, part: Part, instrument: Instrument) -> bool:
        """Put a position's part in the place of what was known of it; whether that changes
        anything.
        """
        before = self.parts.get(name)
        if name in self.market:
            self.market[name] = None
        if before == part:
            return False
        if before is not None:
            self._step(before, instrument, -1)
        self.parts[name] = part
        self._list(name, part, self._step(part, instrument, 1))
        return True

    def drop(self, name: str) -> str | None:
        """Take out the part of a position that has ended; its symbol, or None where it had none."""
        part = self.parts.pop(name, None)
        if part is None:
            return None
        self._list(name, None, self._step(part, self.symbols[part.symbol].instrument, -1))
        return part.symbol

    def _step(self, part: Part, instrument: Instrument, sign: int) -> Symbol:
        step = _EXACT.add if sign > 0 else _EXACT.subtract
        symbol = self.symbols.get(part.symbol)
        if symbol is None:
            symbol = self.symbols[part.symbol] = Symbol(instrument)
        symbol.instrument = instrument
        symbol.step(part, step, sign)
        settle, quote = self._money(instrument.settle), self._money(instrument.quote)
        settle.at_stop = step(settle.at_stop, part.at_stop)
        quote.wanted_bare = step(quote.wanted_bare, part.wanted_bare)
        quote.margin, quote.reserved = (
            step(quote.margin, part.margin),
            step(quote.reserved, part.reserved),
        )
        self.slots += sign * part.slots
        self.open += sign * part.open
        self.unbounded += sign * part.unbounded
        self.credits += sign * bool(part.credit)
        return symbol

    def _list(self, name: str, part: Part | None, symbol: Symbol) -> None:
        """Keep a position's name where it belongs now; it keeps its place among the others."""
        lists: tuple[tuple[dict[str, Any], bool], ...] = (
            (symbol.names, part is not None),
            (symbol.exceeding, part is not None and part.exceeds),
            (self.over, part is not None and bool(part.over)),
            (self.naked, part is not None and part.naked),
            (self.market, part is not None and part.market),
        )
        for names, belongs in lists:
            if belongs:
                names.setdefault(name)
            else:
                names.pop(name, None)

    def _money(self, currency: str) -> Money:
        found = self.money.get(currency)
        if found is None:
            found = self.money[currency] = Money()
        return found

    def value(self, name: str, worth: Worth) -> None:
        """Put what a symbol is worth at its latest price in the place of what it was worth
        before.
        """
        before = self.worth.get(name, NOTHING)
        symbol = self.symbols[name]
        if before != worth:
            instrument = symbol.instrument
            settle, quote = self._money(instrument.settle), self._money(instrument.quote)
            if worth.coins != before.coins:
                self.moved_coins[instrument.base] = None
            for told, step in ((before, _EXACT.subtract), (worth, _EXACT.add)):
                settle.lent, settle.unrealised = (
                    step(settle.lent, told.lent),
                    step(settle.unrealised, told.unrealised),
                )
                quote.coins, quote.committed = (
                    step(quote.coins, told.value),
                    step(quote.committed, told.committed),
                )
                quote.margin, quote.bare = (
                    step(quote.margin, told.margin),
                    step(quote.bare, told.bare),
                )
                self.coins[instrument.base] = step(
                    self.coins.get(instrument.base, ZERO), told.coins
                )
        if worth.priced:
            self.unpriced.pop(name, None)
        else:
            self.unpriced[name] = None
        if symbol.groups:
            self.worth[name] = worth
        else:
            self.worth.pop(name, None)
            del self.symbols[name]
