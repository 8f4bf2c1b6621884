"""The card of an entry."""

from decimal import Decimal

from engine.desk import even, margin, symbols, totals
from engine.desk.checks import liquidated_at
from engine.desk.context import SECOND, Context
from engine.desk.draft import Draft, draft
from engine.desk.ordering import reduce_only
from engine.desk.previews import stakes
from engine.desk.previews.card import Line, at_stops, money, price_or_none, trail_text, under
from engine.desk.previews.stakes import Stake
from engine.desk.sizing import target_price
from engine.model import figures
from engine.model import intent as i
from engine.model.money import ONE, ZERO, grouped
from engine.model.order import OrderType
from engine.model.side import Side
from engine.model.view import Preview

LATELY, LARGE = 20, 5
"""Closed positions of a symbol whose median size is the usual one, and the multiple of it that is
told.
"""


def opened(ctx: Context, intent: i.OpenBracket) -> Preview:
    """What it buys or sells, and what that costs, risks and may bring."""
    title = f"{intent.side.value.upper()} {intent.symbol}"
    drafted = draft(ctx, intent)
    if not isinstance(drafted, Draft):
        return Preview(title, (), refusals=drafted)
    return Preview(
        title,
        (
            *_what(ctx, intent, drafted),
            *_cost(ctx, drafted),
            *_risk(ctx, drafted),
            *_reward(ctx, drafted),
            *_even(drafted),
            *_rules(drafted),
            *_margin(ctx, drafted),
            *at_stops_after(ctx, drafted),
        ),
        tuple(_warnings(ctx, drafted)),
        size=drafted.size,
        notional=ctx.to_account(drafted.notional, drafted.instrument.quote),
        risk=(
            None
            if drafted.risk is None
            else ctx.to_account(drafted.risk, drafted.instrument.settle)
        ),
    )


def _what(ctx: Context, asked: i.OpenBracket, d: Draft) -> list[Line]:
    shown = _shown(d)
    at_once = d.intent.type is OrderType.MARKET
    fills = (
        f"{grouped(min(d.size, shown))} displayed at {grouped(d.entry)}"
        if at_once
        else "nothing; it rests"
    )
    given = symbols.taken(asked, d.planned, ctx.rules.of(asked.symbol))
    return under(
        "what",
        *([Line("template", "", asked.template)] if asked.template else []),
        Line("size", "", f"{grouped(d.size)} = {d.notional:,.2f} {d.instrument.quote}"),
        Line("fills now", "", fills),
        Line("worst price", "", grouped(d.price) if d.price is not None else "any"),
        *_ends(ctx, d),
        *([Line("defaults", "", f"{given} (from symbols)")] if given else []),
    )


def _ends(ctx: Context, d: Draft) -> list[Line]:
    """When what has not filled is cancelled, and by whom."""
    if d.intent.expires_in is None or d.intent.type is OrderType.MARKET:
        return []
    where = "VENUE" if ctx.profile.expiry else "LOCAL"
    return [Line("expires", "", f"in {span(d.intent.expires_in)}, {where}")]


def span(nanoseconds: int) -> str:
    """A time as people write it: 90s, 10m, 1h30m."""
    seconds = nanoseconds // SECOND
    if seconds < 120 or seconds % 60:
        return f"{seconds}s"
    hours, minutes = divmod(seconds // 60, 60)
    return (
        f"{hours}h{minutes:02}m" if hours and minutes else f"{hours}h" if hours else f"{minutes}m"
    )


def _shown(d: Draft) -> Decimal:
    """What the book shows at the best price that the entry would take."""
    return d.quote.ask_size if d.intent.side is Side.BUY else d.quote.bid_size


def _cost(ctx: Context, d: Draft) -> list[Line]:
    """Fees in and out with their rates' sources, the spread, and what funding is paid."""
    instrument, quote, entry = d.instrument, d.quote, d.expected
    settle, rates = instrument.settle, entry.rates
    position, _ = entry.filled(d.size)
    out = instrument.value(position.size, d.loses_at or entry.price) * rates.taker
    paid = rates.maker if entry.maker else rates.taker
    source = rates.maker_source if entry.maker else rates.source
    kind = "maker" if entry.maker else "taker"
    spread = instrument.notional(d.size, quote.ask - quote.bid)
    wide = (quote.ask - quote.bid) / quote.mid
    return under(
        "cost",
        Line("entry fee", "", f"{position.fee_value:,.2f} {settle}, {kind} {paid:.2%}, {source}"),
        Line("exit fee", "", f"{out:,.2f} {settle}, taker {rates.taker:.2%}, {rates.source}"),
        Line("spread", "", f"{spread:,.2f} {instrument.quote}, {wide:.3%}"),
        *_funding(ctx, d),
    )


def _funding(ctx: Context, d: Draft) -> list[Line]:
    told = margin.funding(ctx, d.instrument)
    if not told:
        return []
    amount = d.instrument.funding(d.size * d.intent.side.sign, d.entry, told[0])
    minutes = (told[1] - ctx.now) // 60_000_000_000
    return [
        Line(
            "funding",
            "",
            f"{money(amount, d.instrument.settle)} an hour at {told[0]:.4%}, next in {minutes} min",
        )
    ]


def _risk(ctx: Context, d: Draft) -> list[Line]:
    instrument, (equity, _) = d.instrument, totals.equity(ctx)
    risk, settle = d.risk, d.instrument.settle
    if risk is None or d.loses_at is None:
        notional = totals.in_account(ctx, d.notional, instrument.quote)
        told = f"UNBOUNDED without a stop; limits count {notional:,.2f} {ctx.state.currency}"
        return under("risk", Line("risk (1R)", "", told, "bad"))
    in_account = ctx.to_account(risk, settle)
    share = (
        f" = {in_account / equity:.2%} of equity"
        if in_account is not None and equity > ZERO
        else ""
    )
    told = f"{risk:,.2f} {settle} at {grouped(d.loses_at)}{share}"
    return under("risk", Line("risk (1R)", "", told, "bad"), *_budget(ctx, in_account, equity))


def _budget(ctx: Context, risk: Decimal | None, equity: Decimal) -> list[Line]:
    left = totals.loss_left(ctx, totals.measured(ctx))
    if risk is None or left is None:
        return []
    return [
        Line(
            "loss limit left",
            f"{left:,.2f}",
            f"{max(left - risk, ZERO):,.2f} after this loss",
            "plain" if risk < left else "bad",
        )
    ]


def _reward(ctx: Context, d: Draft) -> list[Line]:
    """What each target brings for its part, and all of them together."""
    settle, where = d.instrument.settle, "VENUE" if _rests(ctx, d) else "LOCAL"
    lines = []
    for number, (part, price) in enumerate(legs(d), 1):
        size = grouped(d.instrument.round_size(d.size * part))
        told = f"{size} ({part:.0%}) at {grouped(price)}{_in_r(d, _net(d, price))}"
        if d.intent.partials:
            lines.append(Line(f"target {number}", "", f"{told}, {where}", "good"))
    if d.target is not None:
        gain = reward(d)
        told = f"{gain:,.2f} {settle} at {grouped(d.target)}{_in_r(d, gain)}"
        lines.append(Line("reward", "", told, "good" if gain > ZERO else "bad"))
    return under("reward", *lines)


def _in_r(d: Draft, amount: Decimal) -> str:
    return "" if d.risk is None or d.risk <= ZERO else f" = {amount / d.risk:.2f}R"


def legs(d: Draft) -> list[tuple[Decimal, Decimal]]:
    """Part and price of each target, the rest last."""
    found = [
        (one.part, target_price(one.place, d.entry, d.intent.side, d.instrument))
        for one in d.intent.partials
    ]
    rest = ONE - sum((part for part, _ in found), ZERO)
    return found if d.target is None else [*found, (rest, d.target)]


def reward(d: Draft) -> Decimal:
    """Net over the targets, each for its part (settle currency)."""
    return sum((part * _net(d, price) for part, price in legs(d)), ZERO)


def _even(d: Draft) -> list[Line]:
    position, money_of = d.expected.filled(d.size)
    even = figures.break_even(position, money_of, d.instrument, d.expected.rates.taker)
    return under("break-even", Line("break-even", "", grouped(even) if even is not None else "—"))


def _rules(d: Draft) -> list[Line]:
    """Where the stop goes by itself, and from when on."""
    intent, found = d.intent, []
    if intent.break_even is not None:
        at, stands = even.of_entry(intent, d.expected, d.size)
        told = f"stop → {price_or_none(stands)} once at {grouped(at)}{_in_r(d, _net(d, at))}, LOCAL"
        found.append(Line("break-even rule", "", told))
    if intent.trail is not None:
        found.append(Line("trail", "", f"{trail_text(intent.trail)}, LOCAL"))
    return under("break-even", *found)


def _net(d: Draft, price: Decimal) -> Decimal:
    return d.expected.net(d.size, price)


def _margin(ctx: Context, d: Draft) -> list[Line]:
    """What the entry would bind, and where it would be liquidated."""
    instrument = d.instrument
    if instrument.moves_coins(d.leverage):
        return []
    needed, used = (
        margin.needed(ctx, instrument, d.size, d.entry, d.leverage),
        totals.margin_used(ctx),
    )
    at = liquidated_at(ctx, d)
    free = totals.equity(ctx)[0] - (used or ZERO)
    times = min(d.leverage or instrument.max_leverage, instrument.max_leverage)
    left = "no rate" if needed is None else f"{free - needed:,.2f} when {needed:,.2f} are bound"
    away = (
        "out of reach" if at is None else f"{grouped(at)}, {abs(at - d.entry) / d.entry:.1%} away"
    )
    return under(
        "margin",
        Line(f"margin at {grouped(times)}×", f"{free:,.2f}", left),
        Line("liquidation", "", away),
    )


def stake(ctx: Context, d: Draft) -> Stake:
    """What the entry adds to what is lost at stops."""
    if d.risk is None:
        return Stake(unbounded=1)
    lost = ctx.to_account(max(d.risk, ZERO), d.instrument.settle)
    return Stake(max(d.risk, ZERO) if lost is None else lost, unrated=lost is None)


def at_stops_after(ctx: Context, d: Draft) -> list[Line]:
    """What all stops would cost before and after the entry."""
    before = stakes.total(ctx)
    return at_stops(ctx, before, before.plus(stake(ctx, d)))


def _warnings(ctx: Context, d: Draft) -> list[str]:
    warnings = []
    instrument = d.instrument
    if d.loses_at is None:
        warnings.append("no stop: the position will be NAKED")
    shown = _shown(d)
    if d.intent.type is OrderType.MARKET and d.size > shown:
        warnings.append(
            f"only {grouped(shown)} is displayed at the best price; the rest fills worse or not"
            " at all"
        )
    smallest = max(
        instrument.min_size,
        instrument.round_size(instrument.size_for(instrument.min_cost, d.entry)) + instrument.lot,
    )
    if d.size < 2 * smallest:
        warnings.append(
            f"a partial fill below {grouped(smallest)} could be neither protected nor closed"
        )
    warnings += _local(ctx, d)
    usual = usual_size(ctx, d.intent.symbol)
    if usual and d.size >= LARGE * usual:
        warnings.append(f"{d.size / usual:.0f} times your usual size of {grouped(usual)}")
    return warnings


def _rests(ctx: Context, d: Draft) -> bool:
    """Whether targets rest at the venue beside the stop."""
    together = ctx.profile.rest_together and reduce_only(ctx, d.instrument, d.leverage)
    return together and ctx.rules.target_order(d.intent.symbol) != "trigger"


def _local(ctx: Context, d: Draft) -> list[str]:
    """Which of its exits end with this process."""
    many = len(legs(d)) > 1
    targets, are = ("the targets", "are") if many else ("the target", "is")
    it = "they are" if many else "it is"
    if not legs(d) or _rests(ctx, d):
        return []
    if ctx.rules.target_order(d.intent.symbol) == "trigger":
        kind = "triggers" if many else "a trigger"
        return [f"{targets} {are} {kind} (target_order): {it} watched here"]
    return [f"the venue can't rest stop and {targets[4:]} together: {targets} {are} watched here"]


def usual_size(ctx: Context, symbol: str) -> Decimal | None:
    """The median of what the last positions of a symbol held; None before there are a few."""
    sizes = [p.entry_size for p in ctx.state.closed.values() if p.symbol == symbol][-LATELY:]
    return sorted(sizes)[len(sizes) // 2] if len(sizes) >= LARGE else None
