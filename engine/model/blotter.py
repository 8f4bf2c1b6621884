"""The statistics of closed positions: the one place where they are computed.

A win is a net above zero, a loss one below. Money is in the currency of the positions: those of
several currencies are never summed. Figures in R leave out positions without a first stop.

    win rate       wins / trades
    expectancy     mean R of a trade
    profit factor  sum of wins / sum of losses, net; None without a loss
    fee share      fees / (gross, without its sign, of all trades)
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from msgspec import Struct

from engine.model.money import ZERO
from engine.model.view import ClosedView

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
SECOND = 1_000_000_000


class Statistics(Struct, frozen=True, gc=False):
    """What some closed positions of one currency came to."""

    name: str
    currency: str
    trades: int
    wins: int
    losses: int
    net: Decimal
    fees: Decimal
    win_rate: Decimal
    expectancy: Decimal | None
    """In R."""
    profit_factor: Decimal | None
    average_win: Decimal | None
    """In R."""
    average_loss: Decimal | None
    """In R, below zero."""
    best_streak: int
    """Most wins in a row, in the order in which they closed."""
    worst_streak: int
    """Most losses in a row."""
    fee_share: Decimal | None
    held: int
    """Mean holding time, nanoseconds."""


def statistics(name: str, closed: Sequence[ClosedView]) -> tuple[Statistics, ...]:
    """Of some closed positions, one for each currency; none for no position."""
    found = []
    for currency in dict.fromkeys(one.currency for one in closed):
        own = [one for one in closed if one.currency == currency]
        found.append(_of(name, currency, sorted(own, key=lambda one: one.closed_at)))
    return tuple(found)


def _of(name: str, currency: str, closed: Sequence[ClosedView]) -> Statistics:
    wins = [one for one in closed if one.profit > ZERO]
    losses = [one for one in closed if one.profit < ZERO]
    won = sum((one.profit for one in wins), ZERO)
    lost = -sum((one.profit for one in losses), ZERO)
    fees = sum((one.fees for one in closed), ZERO)
    gross = sum((abs(one.profit + one.fees - one.funding) for one in closed), ZERO)
    return Statistics(
        name,
        currency,
        trades=len(closed),
        wins=len(wins),
        losses=len(losses),
        net=won - lost,
        fees=fees,
        win_rate=Decimal(len(wins)) / len(closed),
        expectancy=_mean_r(closed),
        profit_factor=won / lost if lost else None,
        average_win=_mean_r(wins),
        average_loss=_mean_r(losses),
        best_streak=_streak(closed, 1),
        worst_streak=_streak(closed, -1),
        fee_share=fees / gross if gross else None,
        held=sum(one.closed_at - one.opened_at for one in closed) // len(closed),
    )


def _mean_r(closed: Sequence[ClosedView]) -> Decimal | None:
    known = [one.r for one in closed if one.r is not None]
    return sum(known, ZERO) / len(known) if known else None


def _streak(closed: Sequence[ClosedView], sign: int) -> int:
    longest = now = 0
    for one in closed:
        now = now + 1 if one.profit * sign > ZERO else 0
        longest = max(longest, now)
    return longest


def by(
    key: Callable[[ClosedView], Sequence[str]], closed: Sequence[ClosedView]
) -> tuple[Statistics, ...]:
    """The statistics of each group: a position belongs to every group that its key names."""
    groups: dict[str, list[ClosedView]] = {}
    for one in closed:
        for name in key(one):
            groups.setdefault(name, []).append(one)
    return tuple(found for name in sorted(groups) for found in statistics(name, groups[name]))


def symbols(one: ClosedView) -> Sequence[str]:
    """Its symbol."""
    return (one.symbol,)


def tags(one: ClosedView) -> Sequence[str]:
    """Each of its tags."""
    return one.tags or ("no tag",)


def hours(one: ClosedView) -> Sequence[str]:
    """The hour of the day in which it was opened, UTC."""
    return (f"{_opened(one):%H}:00",)


def weekdays(one: ClosedView) -> Sequence[str]:
    """The day of the week on which it was opened, UTC; with its number, so that they sort."""
    day = _opened(one).weekday()
    return (f"{day + 1} {WEEKDAYS[day]}",)


FIELDS = (
    "id", "symbol", "label", "side", "size", "entry", "exit", "net", "currency", "r", "mae_r",
    "mfe_r", "fees", "funding", "opened_at", "closed_at", "reason", "tags", "note",
)  # fmt: skip
"""The columns of a row."""


def row(one: ClosedView) -> dict[str, object]:
    """A closed position as a row of a file: money with all its digits, times in nanoseconds."""
    return {
        "id": one.id,
        "symbol": one.symbol,
        "label": one.label,
        "side": one.side.value,
        "size": one.size,
        "entry": one.entry,
        "exit": one.exit,
        "net": one.profit,
        "currency": one.currency,
        "r": one.r,
        "mae_r": one.mae,
        "mfe_r": one.mfe,
        "fees": one.fees,
        "funding": one.funding,
        "opened_at": one.opened_at,
        "closed_at": one.closed_at,
        "reason": one.reason,
        "tags": one.tags,
        "note": one.note,
    }


def _opened(one: ClosedView) -> datetime:
    return datetime.fromtimestamp(one.opened_at // SECOND, UTC)
