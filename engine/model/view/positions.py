"""Rows of a console: positions, orders, and what has ended."""

from decimal import Decimal

from msgspec import Struct

from engine.model.order import Order, Trail
from engine.model.place import BreakEvenAt
from engine.model.position import LimitExit, Protection
from engine.model.side import Side


class PositionView(Struct, frozen=True, gc=False):
    """One open position as it stands now."""

    id: str
    version: int
    """Changes whenever the position does: a dialog captures it and looks again when it differs."""
    symbol: str
    label: str
    side: Side
    size: Decimal
    currency: str
    """Of its profit."""
    entry: Decimal
    mark: Decimal | None
    """The price at which it could be closed now; None while no price is known."""
    mark_at: int | None
    """When that price was told (nanoseconds)."""
    stale: bool
    unrealised: Decimal | None
    """Before the exit's fee, in `currency`."""
    realised: Decimal
    """Gross profit of what was closed."""
    exit_fee: Decimal | None
    """What closing all of it now would cost in fees."""
    in_account: Decimal | None
    """Unrealised profit in the account's currency; None without a rate."""
    r: Decimal | None
    """Net over 1R."""
    stop: Decimal | None
    """Where the working stop or the guard stands: the venue's confirmed one where there is one."""
    stop_wanted: Decimal | None
    """Where it was asked to be."""
    protection: Protection
    protection_text: str
    """More about it: why it is guarded or naked."""
    stop_away: Decimal | None
    """Signed distance from the mark to the stop as a fraction of the mark."""
    target: Decimal | None
    """Where all that is left leaves."""
    trail: Trail | None
    trailing: bool
    opened_at: int
    closing: bool
    dust: bool
    leverage: Decimal | None
    """Of what is on margin; None for coins, and where the venue's highest counts."""
    liquidation: Decimal | None
    """Where the venue would liquidate it."""
    liquidation_away: Decimal | None
    """How far that is from the mark, as a fraction of the mark."""
    note: str
    tags: tuple[str, ...]
    tick: Decimal
    lot: Decimal
    goals: tuple[tuple[Decimal, Decimal], ...] = ()
    """Price and size of each target of a part that is not reached, the nearest first."""
    limits: tuple[LimitExit, ...] = ()
    """What leaves at a limit, the nearest first."""
    limits_where: str = ""
    """venue, local or off, as of the target; empty without any."""
    target_where: str = ""
    """venue (an order rests there), local (watched here, and it would close now), off (nobody
    watches it now), or empty without a target.
    """
    trail_where: str = ""
    """local (followed here, and ends with this process), off (nobody follows it now), or empty
    without a trail.
    """
    net: Decimal | None = None
    """What the whole trade ends with if the rest closes at the mark: fees and funding included."""
    net_in_account: Decimal | None = None
    """The same in the account's currency; None without a rate."""
    one_r: Decimal | None = None
    """1R: what the whole entry would have lost at its first stop; None without one."""
    at_stop: Decimal | None = None
    """Net if the working stop fills at its price; None where it is unbounded."""
    unbounded: bool = False
    """Whether nothing bounds its loss, or not all of it."""
    break_even: Decimal | None = None
    """Where the rest alone closes at zero."""
    fees: Decimal = Decimal(0)
    """Paid so far, valued when paid."""
    funding: Decimal = Decimal(0)
    """What funding and loans paid so far, below zero for what they cost."""
    point: Decimal | None = None
    """What is gained or lost with each unit of price, fees aside; None of an inverse contract,
    whose worth is no straight line.
    """
    point_in_account: Decimal | None = None
    """The same in the account's currency; None without a rate."""
    taker: Decimal = Decimal(0)
    """The fee rate that leaving is counted with."""
    taker_source: str = ""
    """Where that rate is known from: venue, last fill, 30-day volume, or assumed."""
    mae: Decimal | None = None
    """Lowest net so far, in R."""
    mfe: Decimal | None = None
    """Highest net so far, in R."""
    even: BreakEvenAt | None = None
    """Where the price must come for its stop to go to break-even by itself; None without such a
    rule, and once it fired. It is watched here.
    """


class OrderView(Struct, frozen=True, gc=False):
    """One open order, with the grid of its symbol."""

    order: Order
    state: str
    """A word for its state: open, partial, sent, UNKNOWN, cancelling, amending, foreign."""
    evidence: str
    """Why it is UNKNOWN and what is being done."""
    tick: Decimal
    lot: Decimal
    number: int = 0
    """What people call it, #14 for short: the same as long as it is open, and after a restart; 0
    for one that is not ours.
    """


class ClosedView(Struct, frozen=True, gc=False):
    """A position that has ended."""

    id: str
    symbol: str
    label: str
    side: Side
    size: Decimal
    currency: str
    entry: Decimal
    exit: Decimal
    profit: Decimal
    """Net: gross, less fees, with funding."""
    fees: Decimal
    r: Decimal | None
    """Net over 1R."""
    opened_at: int
    closed_at: int
    reason: str
    note: str
    tags: tuple[str, ...]
    one_r: Decimal | None = None
    funding: Decimal = Decimal(0)
    mae: Decimal | None = None
    """Lowest net, in R."""
    mfe: Decimal | None = None
    """Highest net, in R."""
