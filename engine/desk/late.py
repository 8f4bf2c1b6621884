"""Executions that are told late: each is set against what a settlement booked in its stead.

An execution may be heard of long after the venue's picture showed what it did. If the operator (or
a flatten) has settled that difference meanwhile, the holding and the venue's money are in the books
already: booked once more, the execution would make a position that does not exist. `stood_in`
remembers each such settlement. `settled` sets an execution against them: of what was taken into
custody or booked as gone, price and fee are put right; what was called not ours is given back and
then booked as usual.
"""

from collections.abc import Generator
from decimal import Decimal

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import totals
from engine.desk.context import Context, Events
from engine.desk.state import StandIn
from engine.model.account import add_cash
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.netting import Net
from engine.model.order import Order
from engine.model.report import Picture
from engine.model.side import Side


def stood_in(picture: Picture, booked: Fill, *, lent: bool) -> e.StoodIn:
    """Remember what a settlement booked on a position from a picture."""
    return e.StoodIn(booked.at, replace(booked, at=picture.at), lent)


def left_alone(
    ctx: Context,
    picture: Picture,
    instrument: Instrument,
    change: Decimal,
    name: str,
    *,
    lent: bool,
) -> Events:
    """Remember a signed change of the account that a settlement called not ours; nothing without a
    price.
    """
    quote = ctx.quote(instrument.symbol)
    if not change or quote is None:
        return
    side = Side.BUY if change > ZERO else Side.SELL
    fill = Fill(
        name,
        "",
        instrument.symbol,
        side,
        quote.mid,
        abs(change),
        ZERO,
        instrument.settle,
        Liquidity.TAKER,
        picture.at,
    )
    yield e.StoodIn(ctx.now, fill, lent)


def settled(
    ctx: Context, order: Order, fill: Fill, fee_value: Decimal
) -> Generator[e.AnyEvent, None, Fill | None]:
    """Set an execution against the settlements that stand for it; returns what of it is still to be
    booked.
    """
    left: Fill | None = fill
    while left is not None and (stand := _stand_in(ctx, order, left)) is not None:
        part, matched, left = _split(ctx, order, left, stand)
        if stand.fill.position:
            value = fee_value * part.size / fill.size
            yield from _exchange(ctx, part, stand, matched, value)
        else:
            yield from _give_back(ctx, part, stand, matched)
            return (
                part
                if left is None
                else replace(part, size=left.size + part.size, fee=left.fee + part.fee)
            )
    return left


def _stand_in(ctx: Context, order: Order, fill: Fill) -> StandIn | None:
    """The oldest settlement that this execution may explain: of its symbol and side, from a picture
    told after it.
    """
    lent = not ctx.state.instruments[fill.symbol].moves_coins(order.leverage)
    for stand in ctx.state.stand_ins.values():
        known = stand.fill
        same = (known.symbol, known.side, stand.lent) == (fill.symbol, fill.side, lent)
        if same and fill.at < known.at and order.created_at < known.at:
            return stand
    return None


def _split(
    ctx: Context, order: Order, fill: Fill, stand: StandIn
) -> tuple[Fill, Decimal, Fill | None]:
    """The part of an execution that a stand-in covers, how much of the stand-in that is (net of
    fees), and the rest.
    """
    instrument = ctx.state.instruments[fill.symbol]
    net = abs(fill.base_change(instrument, order.leverage))
    if net <= stand.fill.size:
        return fill, net, None
    size = instrument.round_size(fill.size * stand.fill.size / net)
    if size <= ZERO:
        return fill, stand.fill.size, None
    part = fill.part(fill.execution_id, size, fill.position)
    rest = fill.part(f"{fill.execution_id}/rest", fill.size - size, fill.position)
    return part, min(abs(part.base_change(instrument, order.leverage)), stand.fill.size), rest


def _exchange(
    ctx: Context, part: Fill, stand: StandIn, matched: Decimal, fee_value: Decimal
) -> Events:
    """Price and fee of the execution take the place of the market's price; what it had cost by then
    counts as a loss of the day.
    """
    instrument = ctx.state.instruments[part.symbol]
    replaced = replace(stand.fill, size=matched)
    fill = replace(part, position=stand.fill.position)
    before, _ = totals.equity(ctx)
    yield e.FillSettled(
        ctx.now, fill, fee_value, replaced, _money(ctx, fill, replaced, fee_value, lent=stand.lent)
    )
    made = instrument.profit(
        fill.side,
        fill.size,
        instrument.value(fill.size, fill.price),
        instrument.value(fill.size, replaced.price),
    )
    due = ctx.to_account(made - fee_value, instrument.settle)
    change = None if due is None else totals.equity(ctx)[0] - before - due
    if change:  # the settlement had moved what losses are measured from
        yield e.Rebased(ctx.now, change)


def _money(
    ctx: Context, fill: Fill, stand: Fill, fee_value: Decimal, *, lent: bool
) -> dict[str, Decimal]:
    """What the execution changes of the money that the settlement did not take over with the
    venue's balances.
    """
    state, instrument, cash = ctx.state, ctx.state.instruments[fill.symbol], dict[str, Decimal]()

    def contained(currency: str) -> bool:
        return state.taken.get(currency, 0) >= stand.at

    if not contained(fill.fee_currency):
        cash = add_cash(cash, fill.fee_currency, -fill.fee)
    if not lent:
        if not contained(instrument.quote):
            cash = add_cash(cash, instrument.quote, -fill.size * fill.price * fill.side.sign)
        return cash
    position = state.positions.get(fill.position) or state.closed.get(fill.position)
    if position is None:
        return cash
    after = replace(position, **position.exchanged(fill, stand, instrument, fee_value))
    taken = state.taken.get(instrument.settle, 0)
    # what closed it later was booked against the stand-in's price
    opens = fill.side is position.side
    if not contained(instrument.settle) or (
        opens and not (position.closed_at is not None and position.closed_at < taken)
    ):
        cash = add_cash(
            cash,
            instrument.settle,
            after.gross_profit(instrument) - position.gross_profit(instrument),
        )
    # the venue's count had this price already, and its money stays as it is
    if opens and state.nets.get(fill.symbol, Net()).told:
        change = after.unrealised_profit(instrument, fill.price) - position.unrealised_profit(
            instrument, fill.price
        )
        cash = add_cash(cash, instrument.settle, -change)
    return cash


def _give_back(ctx: Context, part: Fill, stand: StandIn, matched: Decimal) -> Events:
    """What was called not ours is ours: taken out of that, before the execution is booked as any
    other.
    """
    state, instrument, cash = ctx.state, ctx.state.instruments[part.symbol], ctx.state.cash
    yield e.StandInUsed(ctx.now, stand.fill.execution_id, matched)

    def taken_over(currency: str) -> bool:
        return state.taken.get(currency, 0) >= stand.fill.at

    if stand.lent:
        yield e.LeftElsewhere(ctx.now, part.symbol, -matched * part.side.sign)
        net = state.nets.get(part.symbol)
        if net is not None:
            yield e.NetSettled(
                ctx.now,
                part.symbol,
                net.before(instrument, part.side, matched, instrument.value(matched, part.price)),
            )
    else:
        cash = add_cash(cash, instrument.base, -matched * part.side.sign)
        if taken_over(instrument.quote):
            cash = add_cash(cash, instrument.quote, part.size * part.price * part.side.sign)
    if taken_over(part.fee_currency) and (stand.lent or part.fee_currency != instrument.base):
        cash = add_cash(cash, part.fee_currency, part.fee)
    if cash is not state.cash:
        yield e.CashReported(ctx.now, cash)
