"""What is lost if every stop is hit, before and after something: the sum over all that is held or
may still fill, and what each position and each entry adds to it.
"""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.desk import figures, totals
from engine.desk.context import Context
from engine.desk.protection import working_stop
from engine.model import figures as model
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.position import Position, Protection
from engine.model.side import Side


class Stake(Struct, frozen=True, gc=False):
    """What is lost, in the account's currency."""

    lost: Decimal = ZERO
    """Zero or above, of what stops bound."""
    unbounded: int = 0
    """Positions and entries of which nothing bounds the loss."""
    unrated: bool = False
    """Whether no rate converts a part of it."""

    def plus(self, other: "Stake", sign: int = 1) -> "Stake":
        """Both together; with a sign of -1, less the other."""
        return Stake(
            self.lost + sign * other.lost,
            self.unbounded + sign * other.unbounded,
            self.unrated or other.unrated,
        )

    @property
    def shown(self) -> Decimal | None:
        """As *at stops* is shown: zero or below, None for UNBOUNDED."""
        return None if self.unbounded else -self.lost


def total(ctx: Context) -> Stake:
    """Of everything."""
    lost, _, unbounded = totals.lost_at_stops(ctx)
    return Stake(lost, unbounded)


def held(ctx: Context, position: Position) -> Stake:
    """What a position adds by what it holds."""
    if position.size <= ZERO or position.dust:
        return Stake()
    lost, bare = totals.lost_of(ctx, position)
    return Stake(lost, int(bool(bare)))


def entry(ctx: Context, order: Order) -> Stake:
    """What an entry adds by what may still fill."""
    position = ctx.state.positions.get(order.position)
    if position is None or order.is_exit or order.remaining <= ZERO:
        return Stake()
    price = figures.fixed_price(order)
    if price is None:
        quote = ctx.quote(order.symbol)
        best = None if quote is None else quote.ask if order.side is Side.BUY else quote.bid
        price = best or order.price or ZERO
    loss = figures.entry_at_stop(ctx, order, position, price)
    return Stake(unbounded=1) if loss is None else _of(ctx, loss, position.settle)


def entries(ctx: Context, position: Position) -> Stake:
    """What all entries of a position add."""
    found = Stake()
    for order in ctx.state.orders_for(position.id):
        found = found.plus(entry(ctx, order))
    return found


def at(ctx: Context, position: Position, stop: Decimal | None) -> Stake:
    """What a position adds once its stop works at `stop` for all that it holds."""
    if position.size <= ZERO or position.dust:
        return Stake()
    if stop is None:
        return Stake(unbounded=1)
    return _of(ctx, max(-figures.net(ctx, position, stop), ZERO), position.settle)


def halted(ctx: Context, position: Position) -> Stake:
    """What a position adds once nothing here acts for it any more."""
    closes = (
        position.closing >= position.size and position.closing_at is None and not position.unfilled
    )
    if position.protection is not Protection.GUARDED or closes:
        return held(ctx, position)
    resting = working_stop(ctx, position)
    covered = ZERO if resting is None else resting.remaining
    bare = model.uncovered(position, covered, position.stop, watched=False)
    return Stake(unbounded=1) if bare else held(ctx, position)


def reduced(ctx: Context, position: Position, size: Decimal, price: Decimal) -> Position:
    """The position once `size` of it has left at `price`, at the taker's fee."""
    instrument = ctx.instrument(position)
    value = instrument.value(size, price)
    return replace(
        position,
        exit_size=position.exit_size + size,
        exit_value=position.exit_value + value,
        fee_value=position.fee_value + value * ctx.rates(instrument).taker,
    )


def _of(ctx: Context, amount: Decimal, currency: str) -> Stake:
    converted = ctx.to_account(amount, currency)
    return Stake(amount if converted is None else converted, unrated=converted is None)
