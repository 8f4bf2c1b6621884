"""Sums over all positions, kept so that no rule walks them: each position's part is taken out and
put back when something of it changes.

What follows the price is kept as sizes and costs of those positions that share a price and a margin
(a group), for profit and value are linear in the size; the price is put in once per symbol and
quote. Adding is exact, so that what is taken out leaves nothing behind, whatever came and went
meanwhile.
"""

from collections.abc import Callable
from decimal import Context as DecimalContext
from decimal import Decimal

from msgspec import Struct

from engine.model.figures import Sums
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.quote import Quote
from engine.model.side import Side

_EXACT = DecimalContext(prec=250)
"""Digits enough that no sum of ours is ever rounded."""
Step = Callable[[Decimal, Decimal], Decimal]


class Part(Struct, frozen=True):
    """What one position with its entries adds to the sums. Sizes are in base (or contracts), money
    in its instrument's currencies.
    """

    symbol: str
    side: Side
    leverage: Decimal | None
    size: Decimal
    """Held, without sign."""
    held: Decimal
    """The same, without what was closed too much."""
    cost: Decimal
    """What `held` was bought (or sold) for, in the settle currency."""
    over: Decimal
    """What was closed too much."""
    over_cost: Decimal
    wanted: Decimal
    """What its entries may still fill."""
    at_entry: Decimal
    """Notional of `size` at its entry price, for want of a better one."""
    wanted_at_entry: Decimal
    bare: Decimal
    """How much of it no stop covers, dust aside."""
    bare_at_entry: Decimal
    realised: Decimal
    fees: Decimal
    funding: Decimal
    at_stop: Decimal
    """What is lost where a stop covers it, entries of a fixed price included (settle currency)."""
    wanted_bare: Decimal
    """Notional of entries of a fixed price that would have no stop."""
    margin: Decimal
    """Initial margin of its entries (quote currency)."""
    reserved: Decimal
    """What its entries that buy are to pay (quote currency)."""
    credit: Decimal
    """Signed, what is held on credit."""
    unbounded: int
    """Losses that nothing bounds: of the position, of entries."""
    slots: int
    """One, but for dust."""
    open: int
    """One where something is held that can be traded."""
    naked: bool
    exceeds: bool
    """Whether its exits may take more than it holds."""
    market: bool
    """Whether it has entries that follow the market."""
    coins: bool
    """Whether what is held lies among the balances."""


class Group:
    """The sums of positions that share a price and a margin."""

    __slots__ = (
        "at_entry",
        "bare",
        "bare_at_entry",
        "coins",
        "cost",
        "count",
        "held",
        "leverage",
        "over",
        "over_cost",
        "side",
        "size",
        "wanted",
        "wanted_at_entry",
    )

    def __init__(self, part: Part) -> None:
        self.side, self.leverage, self.coins = part.side, part.leverage, part.coins
        self.count = 0
        self.size = self.held = self.cost = self.over = self.over_cost = self.wanted = ZERO
        self.at_entry = self.wanted_at_entry = self.bare = self.bare_at_entry = ZERO

    def step(self, part: Part, step: Step, sign: int) -> None:
        """Add a part, or take it out."""
        self.count += sign
        self.size, self.held, self.cost = (
            step(self.size, part.size),
            step(self.held, part.held),
            step(self.cost, part.cost),
        )
        self.over, self.over_cost = step(self.over, part.over), step(self.over_cost, part.over_cost)
        self.wanted, self.wanted_at_entry = (
            step(self.wanted, part.wanted),
            step(self.wanted_at_entry, part.wanted_at_entry),
        )
        self.at_entry = step(self.at_entry, part.at_entry)
        self.bare, self.bare_at_entry = (
            step(self.bare, part.bare),
            step(self.bare_at_entry, part.bare_at_entry),
        )

    def mark(self, quote: Quote) -> Decimal:
        """The price at which what it holds could be closed."""
        return quote.bid if self.side is Side.BUY else quote.ask


class Symbol:
    """The sums of one symbol."""

    __slots__ = (
        "credit",
        "exceeding",
        "fees",
        "funding",
        "groups",
        "instrument",
        "names",
        "realised",
        "sides",
        "slots",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.groups: dict[tuple[Side, Decimal | None], Group] = {}
        self.names: dict[str, None] = {}
        self.sides = {Side.BUY: 0, Side.SELL: 0}
        self.exceeding: dict[str, None] = {}
        self.slots = 0
        self.credit = self.realised = self.fees = self.funding = ZERO

    def step(self, part: Part, step: Step, sign: int) -> None:
        """Add a part, or take it out."""
        key = (part.side, part.leverage)
        group = self.groups.get(key)
        if group is None:
            group = self.groups[key] = Group(part)
        group.step(part, step, sign)
        if not group.count:
            del self.groups[key]
        self.sides[part.side] += sign
        self.slots += sign * part.slots
        self.credit = step(self.credit, part.credit)
        self.realised, self.fees = step(self.realised, part.realised), step(self.fees, part.fees)
        self.funding = step(self.funding, part.funding)


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


class Worth(Struct, frozen=True):
    """One symbol at one price."""

    priced: bool = True
    """Whether there is a price, or nothing that needs one."""
    lent: Decimal = ZERO
    """Profit of what is on margin (settle currency)."""
    value: Decimal = ZERO
    """What coins would bring, or cost (quote currency)."""
    coins: Decimal = ZERO
    """Signed, those that lie among the balances."""
    unrealised: Decimal = ZERO
    rest: Decimal = ZERO
    """Value of all that is held, as its closing would be charged (settle currency)."""
    committed: Decimal = ZERO
    """Notional of what is held and of entries (quote currency)."""
    margin: Decimal = ZERO
    """Initial margin of what is on margin (quote currency)."""
    bare: Decimal = ZERO
    """Notional of what no stop covers (quote currency)."""


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
        self.market: dict[str, None] = {}
        """Positions with entries that follow the market."""
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
        for names, belongs in (
            (symbol.names, part is not None),
            (symbol.exceeding, part is not None and part.exceeds),
            (self.over, part is not None and bool(part.over)),
            (self.naked, part is not None and part.naked),
            (self.market, part is not None and part.market),
        ):
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


NOTHING = Worth()


def worth_of(symbol: Symbol, quote: Quote | None) -> Worth:
    """What the positions of a symbol are worth at its latest price."""
    instrument, groups = symbol.instrument, tuple(symbol.groups.values())
    if quote is None:
        return Worth(
            priced=not any(group.size for group in groups),
            committed=sum((group.at_entry + group.wanted_at_entry for group in groups), ZERO),
            margin=sum((_margin(instrument, group, group.at_entry) for group in groups), ZERO),
            bare=sum((group.bare_at_entry for group in groups), ZERO),
        )
    told = [_at(instrument, group, group.mark(quote)) for group in groups]
    lent, value, coins, unrealised, rest, committed, margin, bare = (
        (sum(column, ZERO) for column in zip(*told, strict=True)) if told else (ZERO,) * 8
    )
    return Worth(True, lent, value, coins, unrealised, rest, committed, margin, bare)


def _at(instrument: Instrument, group: Group, mark: Decimal) -> tuple[Decimal, ...]:
    """The fields of `Worth` for one group at a price."""
    held, over, sign = group.held, group.over, group.side.sign
    profit = instrument.profit(group.side, held, group.cost, instrument.value(held, mark))
    if over:
        profit += instrument.profit(
            group.side.opposite, over, group.over_cost, instrument.value(over, mark)
        )
    coins = sign * (held - over) if group.coins else ZERO
    return (
        ZERO if group.coins else profit,
        coins * mark,
        coins,
        profit,
        instrument.value(group.size, mark),
        instrument.notional(group.size + group.wanted, mark),
        _margin(instrument, group, instrument.notional(group.size, mark)),
        instrument.notional(group.bare, mark),
    )


def _margin(instrument: Instrument, group: Group, notional: Decimal) -> Decimal:
    return (
        ZERO
        if group.coins
        else notional / min(group.leverage or instrument.max_leverage, instrument.max_leverage)
    )
