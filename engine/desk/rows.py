"""One row of what is shown: a position, an order, an ended position, a symbol becoming flat."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import figures, margin
from engine.desk.context import Context, on_margin
from engine.desk.ordering import limits_rest
from engine.desk.protection import may_be_gone, working_stop
from engine.model.counts import counted
from engine.model.figures import ended, multiple
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO
from engine.model.order import Order, Role, Status
from engine.model.position import LimitExit, Position, Protection
from engine.model.position_snapshot import PositionSnapshot
from engine.model.view import ClosedView, FlattenLine, OrderView, PositionView


def snapshot_of(ctx: Context, p: Position) -> PositionSnapshot:
    """How a position stands, as the journal keeps it."""
    instrument, mark = ctx.instrument(p), ctx.mark(p)
    held = p.is_open
    return PositionSnapshot(
        at=ctx.now,
        position=p.id,
        symbol=p.symbol,
        side=p.side.value,
        size=p.size,
        entry=p.entry_price(instrument) if p.entry_size else None,
        mark=mark,
        unrealised=None if mark is None else p.unrealised_profit(instrument, mark),
        stop=figures.stop_of(ctx, p) if held else None,
        at_stop=figures.at_stop(ctx, p) if held else None,
        protection=p.protection.value,
        currency=p.settle,
    )


# over 40 lines: one line for each field of the row
def position_row(ctx: Context, p: Position, version: int) -> PositionView:
    """An open position; `version` changes whenever it does."""
    instrument, mark, resting = ctx.instrument(p), ctx.mark(p), working_stop(ctx, p)
    unrealised = None if mark is None else p.unrealised_profit(instrument, mark)
    stop, quote, seen = figures.stop_of(ctx, p), ctx.quote(p.symbol), _seen(ctx, p)
    now, unit, rates = figures.net_now(ctx, p), figures.one_r(ctx, p), ctx.rates(instrument)
    return PositionView(
        id=p.id,
        version=version,
        symbol=p.symbol,
        label=p.label,
        side=p.side,
        size=p.size,
        currency=p.settle,
        entry=p.entry_price(instrument).quantize(instrument.tick),
        mark=mark,
        mark_at=None if quote is None else quote.at,
        stale=ctx.is_stale(p.symbol, ctx.rules.risk.price_age),
        unrealised=unrealised,
        realised=p.gross_profit(instrument),
        exit_fee=figures.exit_fee(ctx, p),
        in_account=None if unrealised is None else ctx.to_account(unrealised, p.settle),
        r=multiple(now, unit),
        stop=stop,
        stop_wanted=p.stop,
        protection=p.protection,
        protection_text=_protection_text(p, resting, _asleep(ctx, p)),
        stop_away=None if stop is None or not mark else (stop - mark) / mark,
        target=p.target,
        goals=tuple(p.goals_left(instrument)),
        limits=_limits(p),
        trail=p.trail,
        trailing=p.trailing,
        even=p.even,
        opened_at=p.opened_at or p.created_at,
        closing=p.closing > ZERO,
        dust=p.dust,
        leverage=p.leverage if on_margin(ctx, p) else None,
        liquidation=margin.liquidation(ctx, p),
        liquidation_away=margin.away(ctx, p),
        note=p.note,
        tags=p.tags,
        tick=instrument.tick,
        lot=instrument.lot,
        **_wheres(ctx, p),
        net=now,
        net_in_account=None if now is None else ctx.to_account(now, p.settle),
        one_r=unit,
        at_stop=figures.at_stop(ctx, p),
        unbounded=_is_unbounded(ctx, p, stop),
        break_even=figures.break_even(ctx, p),
        fees=p.fee_value,
        funding=ctx.state.money_of(p.id).funding,
        point=(point := _point(p, instrument)),
        point_in_account=None if point is None else ctx.to_account(point, p.settle),
        taker=rates.taker,
        taker_source=rates.source,
        mae=multiple(seen[0], unit),
        mfe=multiple(seen[1], unit),
    )


def _wheres(ctx: Context, p: Position) -> dict[str, str]:
    """Who waits for what is not the stop: the venue, or this process."""
    return {
        "limits_where": limits_where(ctx, p),
        "target_where": target_where(ctx, p),
        "trail_where": "" if p.trail is None else "off" if idle(ctx, p) else "local",
    }


def _point(p: Position, instrument: Instrument) -> Decimal | None:
    """What a unit of price is worth; an inverse contract's worth is no straight line."""
    return None if instrument.kind is Kind.INVERSE else p.size * instrument.contract_size


def _is_unbounded(ctx: Context, p: Position, stop: Decimal | None) -> bool:
    """Whether nothing bounds its loss, or not all of it."""
    held = p.size > ZERO and not p.dust
    return held and (stop is None or figures.uncovered(ctx, p) > ZERO)


def idle(ctx: Context, position: Position) -> bool:
    """Whether nothing here acts on the price of a position now: the desk is halted, or the price is
    too old to act on.
    """
    return ctx.state.halted or ctx.is_stale(position.symbol, ctx.rules.risk.price_age)


def target_where(ctx: Context, position: Position) -> str:
    """Who would close a position at its target now."""
    if position.target is None:
        return ""
    if any(
        order.role is Role.TARGET and order.is_working
        for order in ctx.state.orders_for(position.id)
    ):
        return "venue"
    return "off" if idle(ctx, position) else "local"


def _seen(ctx: Context, position: Position) -> tuple[Decimal | None, Decimal | None]:
    """The lowest and the highest net so far, where one was seen."""
    return figures.nets_seen(ctx, position) or (None, None)


def _limits(position: Position) -> tuple[LimitExit, ...]:
    """What leaves at a limit, as far as it is held."""
    return tuple(replace(one, left=left) for one, left in position.limits_left(position.size))


def limits_where(ctx: Context, position: Position) -> str:
    """Who would let a position leave at its limits now."""
    if not position.limits:
        return ""
    if limits_rest(ctx, position):
        return "venue"
    return "off" if idle(ctx, position) else "local"


def _asleep(ctx: Context, position: Position) -> str:
    """What of a position nobody watches now, in words; empty where all that it has would act."""
    parts = ["target"] if target_where(ctx, position) == "off" else []
    parts += ["limit exit"] if limits_where(ctx, position) == "off" else []
    parts += ["trail"] if position.trail is not None and idle(ctx, position) else []
    parts += (
        ["stop"]
        if ctx.state.halted and position.stop is not None and working_stop(ctx, position) is None
        else []
    )
    if not parts:
        return ""
    return f"{'halted' if ctx.state.halted else 'price too old'}: {' and '.join(parts)} not watched"


def _protection_text(position: Position, resting: Order | None, asleep: str) -> str:
    if position.dust:
        return "below what the venue trades"
    if asleep and not position.closing:
        return asleep
    if resting is not None and may_be_gone(resting):
        watched = "watched here" if position.protection is Protection.GUARDED else "not watched"
        what = "being closed" if position.closing else watched
        return f"{what}; the venue has not said whether the stop is cancelled"
    match position.protection:
        case Protection.VENUE:
            return "a stop rests at the venue"
        case Protection.GUARDED:
            if position.closing:
                return "being closed"
            return (
                "watched here; the venue's stop is on its way"
                if resting is None
                else "watched here"
            )
        case Protection.PARTIAL:
            return "the venue's stop covers a part"
        case _:
            return "no stop" if position.stop is None else "the price is too old to watch"


def state_word(order: Order) -> str:
    """One word for where an order is."""
    if order.foreign:
        return "foreign"
    if order.in_doubt:
        return "UNKNOWN"
    if order.cancel_pending:
        return "cancelling"
    if order.amend_pending:
        return "amending"
    if order.triggered:
        return "triggered"
    words = {Status.PENDING: "sent", Status.OPEN: "open", Status.PARTIALLY_FILLED: "partial"}
    return words.get(order.status, order.status.value)


def order_row(ctx: Context, order: Order) -> OrderView:
    """An open order, and why it is in doubt."""
    instrument = ctx.state.instruments.get(order.symbol)
    doubt = ctx.state.doubts.get(order.client_order_id)
    evidence = ""
    if doubt is not None:
        evidence = (
            f"{doubt.request}: {doubt.text}; asked {counted(doubt.asked, 'time')},"
            f" {counted(doubt.absences, 'time')} not found"
        )
    tick, lot = (
        (instrument.tick, instrument.lot)
        if instrument is not None
        else (Decimal("0.01"), Decimal("0.00000001"))
    )
    number = ctx.state.numbers.get(order.client_order_id, 0)
    return OrderView(order, state_word(order), evidence, tick, lot, number)


def closed_row(ctx: Context, p: Position) -> ClosedView:
    """An ended position."""
    instrument, money = ctx.instrument(p), ctx.state.money_of(p.id)
    profit, unit = ended(p, money, instrument), figures.one_r(ctx, p)
    return ClosedView(
        id=p.id,
        symbol=p.symbol,
        label=p.label,
        side=p.side,
        size=p.entry_size,
        currency=p.settle,
        entry=p.entry_price(instrument).quantize(instrument.tick),
        exit=(p.exit_price(instrument) or ZERO).quantize(instrument.tick),
        profit=profit,
        fees=p.fee_value,
        r=multiple(profit, unit),
        opened_at=p.opened_at or p.created_at,
        closed_at=p.closed_at or 0,
        reason=p.close_reason,
        note=p.note,
        tags=p.tags,
        one_r=unit,
        funding=money.funding,
        mae=multiple(money.lowest, unit),
        mfe=multiple(money.highest, unit),
    )


def flatten_line(ctx: Context, symbol: str) -> FlattenLine:
    """How far a symbol is on its way to flat."""
    held = sum((p.signed_size for p in ctx.state.positions.values() if p.symbol == symbol), ZERO)
    orders = [order for order in ctx.state.orders.values() if order.symbol == symbol]
    if any(order.in_doubt for order in orders):
        word = "asking the venue what became of an order"
    elif any(order.role is Role.CLOSE for order in orders):
        word = "closing"
    elif orders:
        word = "cancelling"
    elif held:
        word = "waiting"
    else:
        word = "asking the venue"
    return FlattenLine(symbol, held, len(orders), word)
