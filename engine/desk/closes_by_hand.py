"""What a trader asks to be closed, or turned round."""

from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events
from engine.desk.entries import accept, refuse
from engine.desk.goals_by_hand import mirrored_goals
from engine.desk.ordering import tradable
from engine.desk.sizing import usable
from engine.desk.stops_by_hand import held
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.instrument import Instrument
from engine.model.money import ONE, plain
from engine.model.position import Position
from engine.model.side import Side


def close(ctx: Context, intent: i.ClosePosition) -> Events:
    """A position, or a part of it, is to be closed."""
    position = held(ctx, intent.position)
    if position is None:
        known = ctx.state.closed.get(intent.position)
        code = RefusalCode.UNKNOWN_POSITION if known is None else RefusalCode.NOTHING_LEFT
        yield from refuse(ctx, intent, code, intent.position)
        return
    if not usable(intent.part) or intent.part > ONE:
        yield from refuse(
            ctx, intent, RefusalCode.NOT_A_NUMBER, f"part {intent.part}", "above 0 up to 1"
        )
        return
    if intent.size is not None and not usable(intent.size):
        yield from refuse(
            ctx, intent, RefusalCode.NOT_A_NUMBER, f"size {intent.size}", "a size above zero"
        )
        return
    instrument = ctx.instrument(position)
    whole, size = takes_all(position, intent), closes(position, intent, instrument)
    full = position.closing >= position.size and position.closing_at is None
    if full or (position.closing and not whole):
        yield from refuse(ctx, intent, RefusalCode.ALREADY_CLOSING, position.symbol)
        return
    # the close ends its entry, at least
    fills = whole and any(not order.is_exit for order in ctx.state.orders_for(position.id))
    if not fills and not tradable(instrument, instrument.round_size(size), ctx.mark(position)):
        yield from refuse(
            ctx,
            intent,
            RefusalCode.PART_TOO_SMALL,
            plain(size),
            f"{instrument.min_size:f} or {instrument.min_cost:f} {instrument.quote}",
        )
        return
    yield from accept(ctx, intent, f"closing {plain(size)} {position.symbol}", position.id)
    yield e.ClosingBegan(ctx.now, position.id, size, "operator")


def takes_all(position: Position, intent: i.ClosePosition | i.LeaveAt) -> bool:
    """True for a close of all that is held."""
    return intent.part == ONE if intent.size is None else intent.size >= position.size


def closes(position: Position, intent: i.ClosePosition, instrument: Instrument) -> Decimal:
    """The size that a close takes of a position, on the lot."""
    if takes_all(position, intent):
        return position.size
    asked = position.size * intent.part if intent.size is None else intent.size
    return instrument.round_size(asked)


def mirrored(position: Position, intent_id: str, entry: Decimal) -> i.OpenBracket:
    """An entry of the same size on the other side, stop and target as far away."""

    def away(price: Decimal | None) -> i.Away | None:
        return None if price is None or price == entry else i.Away(abs(price - entry) / entry)

    return i.OpenBracket(
        id=f"{intent_id}/reverse",
        symbol=position.symbol,
        side=position.side.opposite,
        size=i.Base(position.size),
        stop=away(position.initial_stop),
        target=away(position.target),
        trail=position.trail,
        partials=mirrored_goals(position, away),
        # a position without a stop gets the symbol's own
        without=(i.Default.TARGET, i.Default.TRAIL, i.Default.EXPIRY),
        leverage=position.leverage,
        label=position.label,
        note=position.note,
        tags=position.tags,
    )


def reverse(ctx: Context, intent: i.Reverse) -> Events:
    """A position is to be closed, and the same size opened on the other side."""
    position = held(ctx, intent.position)
    if position is None:
        yield from refuse(ctx, intent, RefusalCode.UNKNOWN_POSITION, intent.position)
        return
    instrument = ctx.instrument(position)
    if position.side is Side.BUY and not instrument.can_short:
        yield from refuse(ctx, intent, RefusalCode.CANNOT_SHORT, position.symbol)
    elif ctx.state.blocks or ctx.state.halted:
        yield from refuse(
            ctx,
            intent,
            RefusalCode.ENTRIES_BLOCKED,
            ctx.state.block_texts() or "halted by you: :unhalt ends it",
        )
    elif position.closing >= position.size and position.closing_at is None:
        yield from refuse(ctx, intent, RefusalCode.ALREADY_CLOSING, position.symbol)
    else:
        yield from accept(
            ctx, intent, f"reversing {plain(position.size)} {position.symbol}", position.id
        )
        yield e.ReverseWanted(
            ctx.now, position.id, mirrored(position, intent.id, position.entry_price(instrument))
        )
        yield e.ClosingBegan(ctx.now, position.id, position.size, "reversed")
