"""What one position with its entries adds to the sums over all positions: sizes and money that no
price moves, and what its entries at market lose at one price.
"""

from decimal import Decimal

from msgspec import Struct

from engine.model.quote import Quote
from engine.model.side import Side


class Part(Struct, frozen=True, gc=False):
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


class AtMarket(Struct, frozen=True, gc=False):
    """What the entries of one position that follow the market lose at their stops, at one price."""

    quote: Quote | None
    """That price."""
    losses: tuple[tuple[bool, Decimal, str], ...]
    """Of each: whether its loss is bounded, what of it limits count, and in which currency."""
