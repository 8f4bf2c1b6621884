"""The sums of the positions of one symbol, and what they are worth at its latest price.

What follows the price is kept as sizes and costs of those positions that share a price and a margin
(a group), for profit and value are linear in the size; the price is put in once per symbol and
quote.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct

from engine.desk.parts import Part
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.quote import Quote
from engine.model.side import Side

Step = Callable[[Decimal, Decimal], Decimal]
"""Adds, or takes out, an amount."""


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


class Worth(Struct, frozen=True, gc=False):
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
