"""What an intent would do if it were asked now, without doing it: the same rules, read only."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from engine.desk import figures as desk_figures
from engine.desk import margin, symbols
from engine.desk.checks import Draft, draft, liquidated_at, refusals
from engine.desk.context import Context
from engine.desk.intents import break_even, held, looser, mirrored, stop_refusals
from engine.desk.ordering import reduce_only, tradable
from engine.desk.protection import working_stop
from engine.desk.sizing import stop_price, target_price
from engine.model import figures
from engine.model import intent as i
from engine.model.money import ONE, ZERO, grouped
from engine.model.order import OrderType
from engine.model.position import Position
from engine.model.refusal import Refusal
from engine.model.side import Side
from engine.model.view import Preview, PreviewLine

Line = PreviewLine


def money(amount: Decimal | None, currency: str) -> str:
    """An amount with its sign in words and figures, or that there is no rate."""
    if amount is None:
        return "no rate"
    return f"{'▲' if amount >= 0 else '▼'}{abs(amount):,.2f} {currency}"


def preview(ctx: Context, intent: i.AnyIntent) -> Preview:
    """The preview of any intent."""
    make = _MAKERS.get(type(intent))
    return Preview(type(intent).__name__, ()) if make is None else make(ctx, intent)


def _open(ctx: Context, intent: i.OpenBracket) -> Preview:
    title = f"{intent.side.value.upper()} {intent.symbol}"
    drafted = draft(ctx, intent)
    if not isinstance(drafted, Draft):
        return Preview(title, (), refusals=drafted)
    return Preview(
        title,
        (*_open_lines(ctx, drafted), *_part_lines(drafted), *_default_line(ctx, intent, drafted)),
        tuple(_open_warnings(ctx, drafted)),
        refusals(ctx, drafted),
    )


def _open_lines(ctx: Context, d: Draft) -> list[Line]:
    """What happens, what it costs, what is at risk, what is the reward, and what all stops would cost before and after."""
    instrument, quote, entry = d.instrument, d.quote, d.expected
    shown = quote.ask_size if d.intent.side is Side.BUY else quote.bid_size
    at_once, settle, rates = d.intent.type is OrderType.MARKET, instrument.settle, entry.rates
    position, money_of = entry.filled(d.size)
    leaves_at = d.loses_at or entry.price
    out = instrument.value(position.size, leaves_at) * rates.taker
    paid = rates.maker if entry.maker else rates.taker
    source = rates.maker_source if entry.maker else rates.source
    even = figures.break_even(position, money_of, instrument, rates.taker)
    lines = [
        Line("size", "", f"{grouped(d.size)} = {d.notional:,.2f} {instrument.quote}"),
        Line("fills now", "", f"{grouped(min(d.size, shown))} displayed at {grouped(d.entry)}" if at_once else "nothing; it rests"),
        Line("worst price", "", grouped(d.price) if d.price is not None else "any"),
        Line("entry fee", "", f"{position.fee_value:,.2f} {settle}, {'maker' if entry.maker else 'taker'} {paid:.2%}, {source}"),
        Line("exit fee", "", f"{out:,.2f} {settle}, taker {rates.taker:.2%}, {rates.source}"),
        *_margin_lines(ctx, d),
        Line("break-even", "", grouped(even) if even is not None else "—"),
        *_risk_lines(ctx, d),
    ]
    if d.target is not None:
        gain, risk = _reward(d, d.target), d.risk
        multiple = "" if risk is None or risk <= ZERO else f" = {gain / risk:.2f}R"
        lines.append(Line("reward", "", f"{gain:,.2f} {settle} at {grouped(d.target)}{multiple}", "good" if gain > ZERO else "bad"))
    return lines


def _reward(d: Draft, target: Decimal) -> Decimal:
    """Net over the targets, each for its part (settle currency)."""
    parts = [(one.part, target_price(one.place, d.entry, d.intent.side, d.instrument)) for one in d.intent.partials]
    rest = ONE - sum((part for part, _ in parts), ZERO)
    return sum((part * d.expected.net(d.size, price) for part, price in (*parts, (rest, target))), ZERO)


def _risk_lines(ctx: Context, d: Draft) -> list[Line]:
    instrument, (equity, _), before = d.instrument, ctx.equity(), desk_figures.at_stops(ctx)
    risk, settle = d.risk, d.instrument.settle
    if risk is None or d.loses_at is None:
        notional = desk_figures.in_account(ctx, d.notional, instrument.quote)
        told = f"UNBOUNDED without a stop; limits count {notional:,.2f} {ctx.state.currency}"
        return [Line("risk (1R)", "", told, "bad"), Line("at stops", unbounded(before.shown), "UNBOUNDED", "bad")]
    in_account = ctx.to_account(risk, settle)
    share = f" = {in_account / equity:.2%} of equity" if in_account is not None and equity > ZERO else ""
    after = None if before.shown is None or in_account is None else before.shown - max(in_account, ZERO)
    return [
        Line("risk (1R)", "", f"{risk:,.2f} {settle} at {grouped(d.loses_at)}{share}", "bad"),
        *_budget(ctx, in_account, equity),
        Line("at stops", unbounded(before.shown), unbounded(after), "plain" if after is not None else "bad"),
    ]


def unbounded(amount: Decimal | None) -> str:
    """What is lost at stops, with two decimals; UNBOUNDED where nothing bounds it."""
    return "UNBOUNDED" if amount is None else f"{amount:,.2f}".replace("-", "−")


def _part_lines(d: Draft) -> list[Line]:
    """Which part leaves at which of the nearer targets."""
    return [
        Line(f"target {number}", "", f"{grouped(d.instrument.round_size(d.size * one.part))} ({one.part:.0%}) at {grouped(price)}", "good")
        for number, one in enumerate(d.intent.partials, 1)
        if (price := target_price(one.place, d.entry, d.intent.side, d.instrument))
    ]


def _default_line(ctx: Context, asked: i.OpenBracket, d: Draft) -> list[Line]:
    """What the settings of the symbol added to what was asked."""
    given = symbols.taken(asked, d.intent, ctx.rules.of(asked.symbol))
    return [Line("defaults", "", f"{given} (from symbols)")] if given else []


def _margin_lines(ctx: Context, d: Draft) -> list[Line]:
    """What the entry would bind, and where it would be liquidated."""
    instrument = d.instrument
    if instrument.moves_coins(d.leverage):
        return []
    needed, used = margin.needed(ctx, instrument, d.size, d.entry, d.leverage), margin.used(ctx)
    at = liquidated_at(ctx, d)
    free = ctx.equity()[0] - (used or ZERO)
    times = min(d.leverage or instrument.max_leverage, instrument.max_leverage)
    return [
        Line(f"margin at {grouped(times)}×", f"{free:,.2f}", "no rate" if needed is None else f"{free - needed:,.2f} when {needed:,.2f} are bound"),
        Line("liquidation", "", "out of reach" if at is None else f"{grouped(at)}, {abs(at - d.entry) / d.entry:.1%} away"),
        *_funding_line(ctx, d),
    ]


def _funding_line(ctx: Context, d: Draft) -> list[Line]:
    told = margin.funding(ctx, d.instrument)
    if not told:
        return []
    amount = d.instrument.funding(d.size * d.intent.side.sign, d.entry, told[0])
    minutes = (told[1] - ctx.now) // 60_000_000_000
    return [Line("funding", "", f"{money(amount, d.instrument.settle)} an hour at {told[0]:.4%}, next in {minutes} min")]


def _budget(ctx: Context, risk: Decimal | None, equity: Decimal) -> list[Line]:
    left = desk_figures.loss_left(ctx, desk_figures.measured(ctx))
    if risk is None or left is None:
        return []
    return [Line("loss limit left", f"{left:,.2f}", f"{max(left - risk, ZERO):,.2f} after this loss", "plain" if risk < left else "bad")]


def _open_warnings(ctx: Context, d: Draft) -> list[str]:
    warnings = []
    instrument, side = d.instrument, d.intent.side
    if d.loses_at is None:
        warnings.append("no stop: the position will be NAKED")
    shown = d.quote.ask_size if side is Side.BUY else d.quote.bid_size
    if d.intent.type is OrderType.MARKET and d.size > shown:
        warnings.append(f"only {grouped(shown)} is displayed at the best price; the rest fills worse or not at all")
    smallest = max(instrument.min_size, instrument.round_size(instrument.size_for(instrument.min_cost, d.entry)) + instrument.lot)
    if d.size < 2 * smallest:
        warnings.append(f"a partial fill below {grouped(smallest)} could be neither protected nor closed")
    if d.target is not None and ctx.rules.target_order(d.intent.symbol) == "trigger":
        warnings.append("the target is a trigger (target_order): it is watched here")
    elif d.target is not None and not (ctx.profile.rest_together and reduce_only(ctx, instrument, d.leverage)):
        warnings.append("the venue can't rest stop and target together: the target is watched here")
    return warnings


def _move_stop(ctx: Context, intent: i.MoveStop) -> Preview:
    position = held(ctx, intent.position)
    if position is None:
        return Preview("Move stop", (), refusals=(Refusal("UNKNOWN_POSITION", intent.position),))
    instrument = ctx.instrument(position)
    against = stop_refusals(ctx, position, intent)
    suggestion, wanted = None, None
    if intent.stop is not None and not any(refusal.code == "NOT_A_NUMBER" for refusal in against):
        wanted = stop_price(intent.stop, position.entry_price(instrument), position.side, instrument)
        if isinstance(intent.stop, i.At) and intent.stop.price != wanted:
            suggestion = wanted
    widens = looser(position, wanted)
    against = tuple(refusal for refusal in against if refusal.code != "STOP_LOOSER")
    lines = _stop_lines(ctx, position, wanted)
    return Preview(f"Stop of {position.symbol}", tuple(lines), (), against, widens, suggestion)


def _stop_lines(ctx: Context, position: Position, wanted: Decimal | None) -> list[Line]:
    mark, equity = ctx.mark(position), ctx.equity()[0]
    unit = desk_figures.one_r(ctx, position)

    def told(stop: Decimal | None) -> tuple[str, str, str, str, str]:
        if stop is None:
            return ("none", "—", "UNBOUNDED", "—", "—")
        result = desk_figures.net(ctx, position, stop)
        away = "—" if not mark else f"{(stop - mark) / mark:+.2%}"
        multiple = figures.multiple(result, unit)
        in_account = ctx.to_account(result, position.settle)
        share = "—" if in_account is None or equity <= ZERO else f"{in_account / equity:+.2%}"
        return (grouped(stop), away, money(result, position.settle), "—" if multiple is None else f"{multiple:+.2f}R", share)

    names = ("stop", "distance", "at stop", "in R", "of equity")
    lines = [Line(name, old, new) for name, old, new in zip(names, told(position.stop), told(wanted), strict=True)]
    lines.append(_at_stops_line(ctx, position, wanted))
    lines.append(Line("venue", "", "amends the resting order" if working_stop(ctx, position) is not None else "places a new order"))
    return lines


def _at_stops_line(ctx: Context, position: Position, wanted: Decimal | None) -> Line:
    """What all stops would cost, before and after one is moved."""
    before, equity = desk_figures.at_stops(ctx), ctx.equity()[0]
    others = desk_figures.at_stops(ctx, without=position.id).shown
    bound = f" of {ctx.rules.risk.max_open_risk * equity:,.2f}"
    there = None if wanted is None else ctx.to_account(min(desk_figures.net(ctx, position, wanted), ZERO), position.settle)
    after = None if others is None or there is None else others + there
    said = "no rate" if wanted is not None and there is None else unbounded(after) + bound
    return Line("at stops", unbounded(before.shown) + bound, said, "bad" if after is None else "plain")


def _break_even(ctx: Context, intent: i.BreakEven) -> Preview:
    position = held(ctx, intent.position)
    if position is None:
        return Preview("Break-even", (), refusals=(Refusal("UNKNOWN_POSITION", intent.position),))
    return _move_stop(ctx, i.MoveStop(id=intent.id, position=position.id, stop=i.At(break_even(ctx, position))))


def _close(ctx: Context, intent: i.ClosePosition) -> Preview:
    position = held(ctx, intent.position)
    if position is None:
        return Preview("Close", (), refusals=(Refusal("UNKNOWN_POSITION", intent.position),))
    instrument = ctx.instrument(position)
    size = position.size if intent.part == ONE else instrument.round_size(position.size * intent.part)
    against = (
        ()
        if tradable(instrument, instrument.round_size(size), ctx.mark(position))
        else (Refusal("PART_TOO_SMALL", grouped(size), f"{instrument.min_size:f}"),)
    )
    return Preview(f"Close {grouped(size)} {position.symbol}", tuple(_exit_lines(ctx, position, size)), (), against)


def _exit_lines(ctx: Context, position: Position, size: Decimal) -> list[Line]:
    instrument, mark = ctx.instrument(position), ctx.mark(position)
    if mark is None:
        return [Line("price", "", "unknown: it goes to market")]
    fee = instrument.value(size, mark) * ctx.rates(instrument).taker
    profit = position.unrealised_profit(instrument, mark) * size / position.size - fee
    quote = ctx.quote(position.symbol)
    shown = ZERO if quote is None else quote.bid_size if position.side is Side.BUY else quote.ask_size
    worst = position.exits_by.worse(mark, ctx.rules.protection.exit_slippage)
    return [
        Line("proceeds", "", f"{instrument.notional(size, mark):,.2f} {instrument.quote} at {grouped(mark)}"),
        Line("displayed there", "", grouped(shown), "plain" if shown >= size else "bad"),
        Line("worst price first", "", grouped(instrument.round_bound(worst, position.exits_by))),
        Line("fee", "", f"{fee:,.2f} {position.settle}"),
        Line("result", "", money(profit, position.settle), "good" if profit >= 0 else "bad"),
        *_net_line(ctx, position, size),
    ]


def _net_line(ctx: Context, position: Position, size: Decimal) -> list[Line]:
    """What the whole trade ends with, where all of it is closed."""
    now, unit = desk_figures.net_now(ctx, position), desk_figures.one_r(ctx, position)
    multiple = figures.multiple(now, unit)
    if now is None or size != position.size:
        return []
    return [Line("net", "", money(now, position.settle) + ("" if multiple is None else f" = {multiple:+.2f}R"), "good" if now >= 0 else "bad")]


def _reverse(ctx: Context, intent: i.Reverse) -> Preview:
    position = held(ctx, intent.position)
    if position is None:
        return Preview("Reverse", (), refusals=(Refusal("UNKNOWN_POSITION", intent.position),))
    instrument = ctx.instrument(position)
    opened = mirrored(position, intent.id, position.entry_price(instrument))
    lines = [
        *_exit_lines(ctx, position, position.size),
        Line("then", "", f"{opened.side.value} {grouped(position.size)} {position.symbol}"),
    ]
    against = () if instrument.can_short or position.side is Side.SELL else (Refusal("CANNOT_SHORT", position.symbol),)
    return Preview(f"Reverse {position.symbol}", tuple(lines), (), against)


def _flatten(ctx: Context, intent: i.Flatten) -> Preview:
    lines = []
    total = ZERO
    for position in ctx.state.positions.values():
        if position.size > ZERO and not position.dust:
            told = {line.name: line.after for line in _exit_lines(ctx, position, position.size)}
            lines.append(Line(f"close {position.symbol}", grouped(position.signed_size), told.get("result", told.get("price", ""))))
            mark = ctx.mark(position)
            if mark is not None:
                total += ctx.to_account(position.unrealised_profit(ctx.instrument(position), mark), position.settle) or ZERO
    entries = sum(1 for order in ctx.state.orders.values() if not order.is_exit)
    lines.append(Line("entries", "", f"blocked until flat; {entries} cancelled"))
    lines.append(Line("orders", "", f"{len(ctx.state.orders)} of ours are cancelled; {len(ctx.state.foreign)} that are not ours stay"))
    lines.append(Line("unrealised now", "", money(total, ctx.state.currency), "good" if total >= 0 else "bad"))
    lines.append(Line("last step", "", "ask the venue until it says flat"))
    return Preview("Flatten everything", tuple(lines))


_MAKERS: dict[type, Callable[[Context, Any], Preview]] = {
    i.OpenBracket: _open,
    i.MoveStop: _move_stop,
    i.BreakEven: _break_even,
    i.ClosePosition: _close,
    i.Reverse: _reverse,
    i.Flatten: _flatten,
}
