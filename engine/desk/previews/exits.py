"""The cards of what closes: a position or a part of it, a reversal, everything."""

from decimal import Decimal

from engine.desk import figures as desk_figures
from engine.desk import limit_exits_by_hand
from engine.desk.checks import refusals
from engine.desk.closes_by_hand import closes, mirrored
from engine.desk.context import Context
from engine.desk.draft import Draft, draft
from engine.desk.ordering import limits_rest
from engine.desk.previews import entries, stakes
from engine.desk.previews.card import Line, at_stops, money, nobody, price_or_none, under
from engine.desk.previews.stakes import Stake
from engine.desk.stops_by_hand import held
from engine.model import figures
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.money import ONE, ZERO, grouped
from engine.model.position import LimitExit, Position
from engine.model.refusal import Refusal
from engine.model.side import Side
from engine.model.view import Preview


def closed(ctx: Context, intent: i.ClosePosition) -> Preview:
    """A position that is closed, or a part of it."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Close", RefusalCode.UNKNOWN_POSITION, intent.position)
    size = part_of(ctx, position, intent)
    return Preview(
        f"Close {grouped(size)} {position.symbol}",
        (*exit_lines(ctx, position, size), *_at_stops(ctx, position, size)),
        _warnings(ctx, position, size),
    )


def left_at(ctx: Context, intent: i.LeaveAt) -> Preview:
    """A position, or a part of it, that leaves at a limit."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Leave at a limit", RefusalCode.UNKNOWN_POSITION, intent.position)
    one = limit_exits_by_hand.wanted(ctx, intent, position)
    if isinstance(one, Refusal):
        return Preview(f"Leave {position.symbol} at a limit", ())
    return Preview(
        f"Leave {grouped(one.left)} {position.symbol} at {grouped(one.price)}",
        (*_limit_lines(ctx, position, one), *_stop_stays(ctx)),
    )


def _stop_stays(ctx: Context) -> list[Line]:
    total = stakes.total(ctx)
    return at_stops(ctx, total, total)


def _limit_lines(ctx: Context, position: Position, one: LimitExit) -> list[Line]:
    """Where it waits, what it costs and brings once it fills."""
    instrument, rests = ctx.instrument(position), limits_rest(ctx, position)
    rates = ctx.rates(instrument)
    name, rate = ("maker", rates.maker) if rests else ("taker", rates.taker)
    fee = instrument.value(one.left, one.price) * rate
    profit = position.unrealised_profit(instrument, one.price) * one.left / position.size - fee
    where = "rests at the VENUE beside the stop"
    if not rests:
        where = "LOCAL: closed here once the price is there, never worse; the stop makes way then"
    shared = [Line("targets", "", "share what is left")] if position.target is not None else []
    return [
        *under(
            "what",
            Line("size", grouped(position.size), grouped(position.size - one.left)),
            Line("limit", "", where),
            *shared,
        ),
        *under("cost", Line("fee", "", f"{fee:,.2f} {position.settle}, {name} {rate:.2%}")),
        *under(
            "reward",
            Line("result", "", money(profit, position.settle), "good" if profit >= 0 else "bad"),
        ),
    ]


def part_of(ctx: Context, position: Position, intent: i.ClosePosition) -> Decimal:
    """The size of a part, on the lot; all of it where the part is no fraction, or the size none."""
    asked = intent.part if intent.size is None else intent.size
    if not asked.is_finite() or asked <= ZERO or intent.part > ONE:
        return position.size
    return closes(position, intent, ctx.instrument(position))


def exit_lines(ctx: Context, position: Position, size: Decimal) -> list[Line]:
    """What leaves at which price, its fee, and what that comes to."""
    instrument, mark = ctx.instrument(position), ctx.mark(position)
    left = Line("size", grouped(position.size), grouped(position.size - size))
    if mark is None:
        return [left, Line("price", "", "unknown: it goes to market")]
    rates = ctx.rates(instrument)
    fee = instrument.value(size, mark) * rates.taker
    profit = position.unrealised_profit(instrument, mark) * size / position.size - fee
    shown = _shown(ctx, position)
    worst = position.exits_by.worse(mark, ctx.rules.protection.exit_slippage)
    bound = grouped(instrument.round_bound(worst, position.exits_by))
    proceeds = f"{instrument.notional(size, mark):,.2f} {instrument.quote} at {grouped(mark)}"
    rate = f"taker {rates.taker:.2%}, {rates.source}"
    return [
        *under(
            "what",
            left,
            Line("proceeds", "", proceeds),
            Line("size at the best price", "", grouped(shown), "plain" if shown >= size else "bad"),
            Line("limit of the first order", "", bound),
        ),
        *under("cost", Line("fee", "", f"{fee:,.2f} {position.settle}, {rate}")),
        *under(
            "reward",
            Line("result", "", money(profit, position.settle), "good" if profit >= 0 else "bad"),
            *_net_line(ctx, position, size),
        ),
    ]


def _shown(ctx: Context, position: Position) -> Decimal:
    """What the book shows at the best price that the exit would take."""
    quote = ctx.quote(position.symbol)
    if quote is None:
        return ZERO
    return quote.bid_size if position.side is Side.BUY else quote.ask_size


def _net_line(ctx: Context, position: Position, size: Decimal) -> list[Line]:
    """What the whole trade ends with, where all of it is closed."""
    now, unit = desk_figures.net_now(ctx, position), desk_figures.one_r(ctx, position)
    multiple = figures.multiple(now, unit)
    if now is None or size != position.size:
        return []
    told = money(now, position.settle) + ("" if multiple is None else f" = {multiple:+.2f}R")
    return [Line("net", "", told, "good" if now >= 0 else "bad")]


def left_after(ctx: Context, position: Position, size: Decimal) -> Stake:
    """What a position adds to what is lost at stops once `size` has left at the mark."""
    mark = ctx.mark(position)
    if size >= position.size or mark is None:
        return Stake() if size >= position.size else stakes.held(ctx, position)
    if desk_figures.at_stop(ctx, position) is None:
        return Stake(unbounded=1)
    return stakes.at(
        ctx, stakes.reduced(ctx, position, size, mark), desk_figures.stop_of(ctx, position)
    )


def _at_stops(ctx: Context, position: Position, size: Decimal) -> list[Line]:
    total = stakes.total(ctx)
    after = total.plus(stakes.held(ctx, position), -1).plus(left_after(ctx, position, size))
    if size >= position.size:  # its entries are cancelled
        after = after.plus(stakes.entries(ctx, position), -1)
    return at_stops(ctx, total, after)


def _warnings(ctx: Context, position: Position, size: Decimal) -> tuple[str, ...]:
    found = []
    if size > _shown(ctx, position):
        found.append("more than is displayed at the best price: the rest fills worse or later")
    if ctx.is_stale(position.symbol, ctx.rules.risk.price_age):
        found.append("the price is old: the result may be another")
    if position.symbol in ctx.board.modes:
        found.append(f"{position.symbol} takes no orders at the venue now")
    return tuple(found)


def reversed_(ctx: Context, intent: i.Reverse) -> Preview:
    """A position that is closed, and opened on the other side."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Reverse", RefusalCode.UNKNOWN_POSITION, intent.position)
    instrument = ctx.instrument(position)
    asked = mirrored(position, intent.id, position.entry_price(instrument))
    drafted = draft(ctx, asked)
    then = f"{asked.side.value} {grouped(position.size)} {position.symbol}"
    against = _against(ctx, position, drafted)
    lines = [*exit_lines(ctx, position, position.size), Line("then", "", then)]
    total = stakes.total(ctx)
    after = total.plus(stakes.held(ctx, position), -1).plus(stakes.entries(ctx, position), -1)
    certain = any(refusal.code not in SUMS for refusal in against)
    if isinstance(drafted, Draft) and not certain:
        lines += [
            Line("new stop", price_or_none(position.stop), price_or_none(drafted.loses_at)),
            Line("new target", price_or_none(position.target), price_or_none(drafted.target)),
            *_new_risk(drafted),
        ]
        after = after.plus(entries.stake(ctx, drafted))
    opens = "will" if certain else "may"
    return Preview(
        f"Reverse {position.symbol}",
        (*lines, *at_stops(ctx, total, after)),
        (
            *_warnings(ctx, position, position.size),
            *(f"the other side {opens} not open: {refusal.text}" for refusal in against),
        ),
    )


def _new_risk(drafted: Draft) -> list[Line]:
    risk, settle = drafted.risk, drafted.instrument.settle
    told = "UNBOUNDED" if risk is None else f"{risk:,.2f} {settle}"
    return under("risk", Line("new risk (1R)", "", told, "bad"))


SUMS = frozenset(
    {
        RefusalCode.MAX_POSITIONS,
        RefusalCode.MAX_POSITIONS_PER_SYMBOL,
        RefusalCode.MAX_POSITION_NOTIONAL,
        RefusalCode.MAX_EXPOSURE,
        RefusalCode.MAX_OPEN_RISK,
        RefusalCode.INSUFFICIENT_FUNDS,
        RefusalCode.INSUFFICIENT_MARGIN,
        RefusalCode.TOO_MANY_OPEN_ORDERS,
        RefusalCode.NO_TOKENS,
    }
)
"""Refusals that count what is held now: once the position is closed they may be gone."""


def _against(
    ctx: Context, position: Position, drafted: Draft | tuple[Refusal, ...]
) -> list[Refusal]:
    """Why the other side would not open once the position is closed."""
    found = refusals(ctx, drafted) if isinstance(drafted, Draft) else drafted
    own = {RefusalCode.OPPOSITE_POSITION, RefusalCode.PENDING}
    name = position.label or position.id
    return [refusal for refusal in found if not (refusal.code in own and refusal.value == name)]


def flat(ctx: Context, intent: i.Flatten) -> Preview:
    """Everything is closed and cancelled."""
    state, lines, total = ctx.state, [], ZERO
    for position in state.positions.values():
        if position.size <= ZERO or position.dust:
            continue
        told = {line.name: line.after for line in exit_lines(ctx, position, position.size)}
        # as the receipt tells it, with both fees; what it brings from here stands on a close's card
        net = told.get("net") or told.get("result") or told.get("price", "")
        lines.append(Line(f"close {position.symbol}", grouped(position.signed_size), net))
        mark = ctx.mark(position)
        if mark is not None:
            profit = position.unrealised_profit(ctx.instrument(position), mark)
            total += ctx.to_account(profit, position.settle) or ZERO
    entering = sum(1 for order in state.orders.values() if not order.is_exit)
    orders = f"{len(state.orders)} of ours cancelled; {len(state.foreign)} of others left alone"
    unrealised = money(total, state.currency)
    lines += [
        Line("entries", "", f"blocked until flat; {entering} cancelled"),
        Line("orders", "", orders),
        Line("last step", "", "ask the venue until it says flat"),
        *under("reward", Line("unrealised now", "", unrealised, "good" if total >= 0 else "bad")),
        *at_stops(ctx, stakes.total(ctx), Stake()),
    ]
    return Preview("Flatten everything", tuple(lines))
