"""Money as a console sees it."""

from decimal import Decimal

from msgspec import Struct


class SymbolView(Struct, frozen=True, gc=False):
    """What a symbol came to in a period, in the account's currency."""

    symbol: str
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    funding: Decimal
    if_flat: Decimal
    """All of it less what closing now costs in fees."""
    r: Decimal
    """Sum over the positions that ended in the period."""
    trades: int
    """How many ended."""


class PeriodView(Struct, frozen=True, gc=False):
    """What a period came to, in the account's currency: `result` is the change of the equity, and
    the sum of the next five.
    """

    name: str
    """day, session or all."""
    began_at: int
    result: Decimal
    """Less deposits and withdrawals."""
    realised: Decimal
    """Gross profit of closed size."""
    unrealised: Decimal
    """Gross profit of held size at the mark."""
    fees: Decimal
    """Paid, zero or above; each valued when it was paid."""
    funding: Decimal
    """What funding and loans paid, below zero for what they cost."""
    other: Decimal
    """What currencies and coins that no position holds gained or lost."""
    exit_fees: Decimal
    """What closing everything now would cost in fees, zero or above."""
    if_flat: Decimal
    """`result` less `exit_fees`."""
    share: Decimal | None
    """`result` as a fraction of the equity at the start."""
    drawdown: Decimal
    """From the highest equity of the period, zero or above."""
    deepest: Decimal
    """The largest of them in the period."""
    closed: int
    """Positions that ended."""
    symbols: tuple[SymbolView, ...] = ()


class AccountView(Struct, frozen=True, gc=False):
    """Money."""

    name: str
    venue: str
    live: bool
    """Whether real money is at stake."""
    currency: str
    equity: Decimal | None
    """None while some holding has no price: the limits, and the day, leave that out."""
    unpriced: tuple[str, ...]
    """Currencies that are left out of the equity."""
    cash: dict[str, Decimal]
    """As the venue has it, which keeps one average per symbol; `realised` counts by position."""
    day: Decimal | None
    """Change of the equity since the start of the day, less deposits and withdrawals."""
    realised: Decimal
    """Gross profit of everything that was ever closed."""
    unrealised: Decimal
    """Gross profit of what is held, at the mark."""
    fees: Decimal
    """Ever paid, each valued when it was paid."""
    financing: Decimal
    """What funding and lending paid, below zero for what they cost; not part of `realised`."""
    drawdown: Decimal
    """From the highest equity, as a positive fraction."""
    at_stops: Decimal | None
    """What is lost if every stop is hit now, fees included, zero or below; None where it is
    unbounded.
    """
    unbounded: bool
    """Whether a position, or an entry that may still fill, has no stop."""
    open_risk: Decimal
    """What limits count of it, zero or above: what is unbounded counts with its whole notional."""
    risk_limit: Decimal | None
    """Limit of the open risk, in the account's currency."""
    loss_limit: Decimal | None
    """What may be lost in a day, in the account's currency."""
    loss_limit_left: Decimal | None
    """What may still be lost today before entries are locked out."""
    margin: Decimal | None
    """The part of the equity that is bound as initial margin, as a fraction; zero where nothing is
    on margin, None where it can't be told.
    """
    naked: int
    """Positions that are NAKED or PARTIAL."""
    periods: tuple[PeriodView, ...] = ()
    """Day, session, all."""
