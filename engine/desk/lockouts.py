"""What locks entries out, never exits: the day's loss, the drawdown, a losing streak, a position
without a stop; and the samples that losses are judged by.

The desk judges losses at each fill and close, before each entry, and every second while something
is held. It journals a sample of the equity at each fill, every ten seconds while something is held
(else every minute), and at once where the equity is higher, or has fallen deeper, than ever in the
day, the session, or since the start: so a crash loses no peak and no trough.

What has no price is left out, and an alert names it. Losses are always measured on one base: what
gets a price moves the base by its worth. After a start, entries wait up to half a minute for prices
of what the last sample counted; then the base is moved without them.
"""

from datetime import datetime
from decimal import Decimal

from engine.desk import events as e
from engine.desk import figures, margin, periods, totals
from engine.desk.context import SECOND, Context, Events, alert, cure, name_of, nanoseconds
from engine.desk.kept import kept
from engine.desk.protection import is_naked, tell
from engine.model import day
from engine.model.codes import AlertCode, BlockCode
from engine.model.money import ZERO
from engine.model.position import Position

SAMPLE = 10 * SECOND
"""Nanoseconds between samples of the equity while something is held."""
QUIET = 60 * SECOND
"""The same while nothing is."""
PATIENCE = 30 * SECOND
"""How long after a start the limits wait for the prices of what was counted before."""
NAKED = AlertCode.NAKED
"""The block while a position has no working stop."""
NAKED_FOR = 2 * SECOND
"""How long a position may be without a stop before it blocks entries: a stop is on its way."""
USED = (Decimal("0.5"), Decimal("0.8"))
"""Parts of the day's loss limit that are told when they are used up."""


def _same_day(ctx: Context, at: int) -> bool:
    """Whether `at` is of the day that it is now, by the clock and the hour that the
    settings name.
    """
    rules = ctx.rules.risk
    return day.began(at, rules.day_zone, rules.day_hour) == day.began(
        ctx.now, rules.day_zone, rules.day_hour
    )


# Judging


def judge(ctx: Context, *, keep: bool = False) -> Events:
    """Hold the losses against their bounds, and lock entries out where one is reached; `keep`
    journals a sample in any case.
    """
    if not ctx.state.cash or waits_for(ctx):
        return  # nothing is known yet
    ctx.board.judged_at = ctx.now
    yield from _rebase(ctx)
    ctx.board.base_known = True
    equity, missing = totals.equity(ctx)
    if ctx.state.day.began_at and not _same_day(ctx, ctx.state.day.began_at):
        yield from _new_day(ctx, equity)
    for name in periods.PERIODS:
        if name not in ctx.state.periods or (name == periods.SESSION and not ctx.board.in_session):
            yield e.PeriodBegan(ctx.now, name, periods.began(ctx, name, equity))
    ctx.board.in_session = True
    yield from nets(ctx)
    if (
        keep
        or sample_at(ctx) <= ctx.now
        or _is_news(ctx, equity)
        or missing != frozenset(ctx.state.unpriced)
        or _extremes(ctx)
    ):
        yield from _sample(ctx, equity, missing)
    yield from _lock_losses(ctx, equity)


def _sample(ctx: Context, equity: Decimal, missing: frozenset[str]) -> Events:
    ctx.board.sampled_at = ctx.now
    extremes = _extremes(ctx)
    ctx.board.further.clear()
    unrealised, _ = totals.unrealised(ctx)
    yield e.Sampled(ctx.now, equity, unrealised, extremes, tuple(sorted(missing)))


def _extremes(ctx: Context) -> dict[str, tuple[Decimal, Decimal]]:
    """The lowest and the highest price of the open positions that have gone further than the
    journal knows.
    """
    extremes = {}
    for name in sorted(ctx.board.further & ctx.state.positions.keys()):
        position = ctx.state.positions[name]
        low, high = ctx.extremes(position)
        if (
            position.is_open
            and low is not None
            and high is not None
            and (low, high) != (position.lowest, position.highest)
        ):
            extremes[position.id] = (low, high)
    return extremes


def _new_day(ctx: Context, equity: Decimal) -> Events:
    for part in USED:
        yield from cure(ctx, AlertCode.LOSS_USED, f"{part:.0%}")
    if BlockCode.DAILY_LOSS in ctx.state.blocks:
        yield e.EntriesAllowed(ctx.now, BlockCode.DAILY_LOSS)
        yield from cure(ctx, AlertCode.LOCKOUT, BlockCode.DAILY_LOSS)
    yield e.DayBegan(ctx.now, equity)
    yield e.PeriodBegan(ctx.now, periods.DAY, periods.began(ctx, periods.DAY, equity))


def _is_news(ctx: Context, equity: Decimal) -> bool:
    """Whether the equity is higher, or has fallen deeper, than the samples know."""
    peak = ctx.state.day.peak
    if (
        peak is None
        or equity > peak
        or (peak > ZERO and (peak - equity) / peak > ctx.state.day.trough)
    ):
        return True
    return any(
        equity > period.peak or period.peak - equity > period.fall
        for period in ctx.state.periods.values()
    )


def _lock_losses(ctx: Context, equity: Decimal) -> Events:
    today, rules = ctx.state.day, ctx.rules.risk
    left = totals.loss_left(ctx, equity)
    if left is not None and today.equity is not None and rules.daily_loss is not None:
        lost = (today.equity - equity) / today.equity
        yield from _used(ctx, lost, rules.daily_loss)
        if left <= ZERO and lost > ZERO:
            text = f"the day's loss of {lost:.2%} has reached {rules.daily_loss:.2%}"
            yield from _lock(
                ctx, BlockCode.DAILY_LOSS, text, day.ends(ctx.now, rules.day_zone, rules.day_hour)
            )
    if rules.max_drawdown is not None and today.peak is not None and today.peak > ZERO:
        fall = (today.peak - equity) / today.peak
        if fall >= rules.max_drawdown and fall > ZERO:
            yield from _lock(
                ctx,
                BlockCode.DRAWDOWN,
                f"the drawdown of {fall:.2%} has reached {rules.max_drawdown:.2%}",
                None,
            )


def _used(ctx: Context, lost: Decimal, limit: Decimal) -> Events:
    """Tell once a day when half, and when most, of the day's loss limit is used up. Both are
    fractions of the day's first equity.
    """
    for part in USED:
        subject = f"{part:.0%}"
        told = any(
            a.code == AlertCode.LOSS_USED and a.subject == subject and _same_day(ctx, a.at)
            for a in (*ctx.state.alerts.values(), *ctx.state.ended_alerts)
        )
        if not told and limit * part <= lost < limit and lost > ZERO:
            yield from alert(
                ctx, AlertCode.LOSS_USED, subject, f"the day's loss is {lost:.2%} of {limit:.2%}"
            )


# What has no price


def waits_for(ctx: Context) -> tuple[str, ...]:
    """What keeps the limits from being computed: prices that a start still waits for, or all of
    them.
    """
    _, missing = totals.equity(ctx)
    gone = missing - ctx.state.unpriced.keys()
    if (
        gone
        and not ctx.board.base_known
        and ctx.state.day.equity is not None
        and ctx.now < ctx.board.restarted_at + PATIENCE
    ):
        return tuple(sorted(gone))
    held = {name for name, amount in ctx.state.cash.items() if amount}
    return tuple(sorted(held)) if held and held <= missing else ()


def _rebase(ctx: Context) -> Events:
    """Move what losses are measured from by the worth of what got a price, or has none any more;
    tell what is left out.
    """
    equity, missing = totals.equity(ctx)
    known, last = frozenset(ctx.state.unpriced), ctx.state.day.last
    base = equity if missing == known else totals.equity_without(ctx, known)[0]
    if missing - known and not ctx.board.base_known and last is not None and base != last:
        yield e.Rebased(ctx.now, base - last)
    if last is not None and equity != base:
        yield e.Rebased(ctx.now, equity - base)
    for name in sorted(missing):
        yield from alert(ctx, AlertCode.UNPRICED, name)
    for standing in list(ctx.state.alerts.values()):
        if standing.code == AlertCode.UNPRICED and standing.subject not in missing:
            yield e.AlertCured(ctx.now, standing.key)


# How far an open position has gone


def nets(ctx: Context, positions: tuple[Position, ...] = ()) -> Events:
    """Journal how low and how high the net of open positions has been, where that is news."""
    for position in positions or _changed(ctx):
        if position.size <= ZERO:
            continue
        seen, money = figures.nets_seen(ctx, position), ctx.state.money_of(position.id)
        if seen is not None and seen != (money.lowest, money.highest):
            yield e.NetSeen(ctx.now, position.id, *seen)
    if not positions:
        ctx.board.looked_at = ctx.state.revisions.last


def _changed(ctx: Context) -> list[Position]:
    """The positions that have gone further, or of which anything has changed, since this was asked
    for last.
    """
    state, board = ctx.state, ctx.board
    wider, changed = board.widened(), state.revisions.since(board.looked_at)
    if changed is None:
        wider.update(state.positions)
    board.further |= wider
    names = wider if changed is None else wider.union(changed)
    return [state.positions[name] for name in sorted(names & state.positions.keys())]


# Other lockouts


def after_loss(ctx: Context) -> Events:
    """A position closed: count the streak."""
    rules = ctx.rules.risk
    if rules.losing_streak and ctx.state.day.losses >= rules.losing_streak:
        until = ctx.now + nanoseconds(rules.cool_down)
        yield from _lock(
            ctx, BlockCode.LOSING_STREAK, f"{ctx.state.day.losses} losses in a row", until
        )


def _lock(ctx: Context, code: str, text: str, until: int | None) -> Events:
    if code in ctx.state.blocks:
        return
    yield e.EntriesBlocked(ctx.now, code, text, until)
    zone = ctx.rules.risk.day_zone
    clears = (
        ""
        if until is None
        else (
            " (until"
            f" {datetime.fromtimestamp(until // day.SECOND, day.zone_of(zone)):%Y-%m-%d %H:%M:%S}"
            f" {zone})"
        )
    )
    yield from alert(ctx, AlertCode.LOCKOUT, code, text + clears)


def bare(ctx: Context) -> list[Position]:
    """The positions that have had no working stop for too long, dust aside."""
    return [
        position
        for position in map(ctx.state.positions.__getitem__, kept(ctx).naked)
        if figures.uncovered(ctx, position) and position.protection_since + NAKED_FOR <= ctx.now
    ]


def naked_at(ctx: Context, position: Position) -> int | None:
    """When a position begins to block entries; None where it does not."""
    blocks = ctx.rules.risk.naked_blocks and NAKED not in ctx.state.blocks
    return position.protection_since + NAKED_FOR if blocks and is_naked(position) else None


def naked(ctx: Context) -> Events:
    """Block entries while a position has no working stop; open them again when all have one."""
    if NAKED not in ctx.state.blocks and not ctx.rules.risk.naked_blocks:
        return
    found = bare(ctx) if ctx.rules.risk.naked_blocks else []
    if found and NAKED not in ctx.state.blocks:
        names = ", ".join(name_of(position) for position in found)
        yield e.EntriesBlocked(
            ctx.now, NAKED, f"{names} has no working stop (risk.naked_blocks)", None
        )
    elif NAKED in ctx.state.blocks and not kept(ctx).naked:
        yield e.EntriesAllowed(ctx.now, NAKED)


def at_entry(ctx: Context) -> dict[str, str]:
    """By code, in words, what blocks an entry that is asked for now: what stands, and what judging
    it first would add or end.
    """
    blocks = {block.code: block.text for block in ctx.state.blocks.values()}
    found: list[e.AnyEvent] = list(naked(ctx))
    if ctx.state.cash and not waits_for(ctx):
        if ctx.state.day.began_at and not _same_day(ctx, ctx.state.day.began_at):
            blocks.pop(BlockCode.DAILY_LOSS, None)
        else:
            found = [*_lock_losses(ctx, totals.equity(ctx)[0]), *found]
    for event in found:
        if isinstance(event, e.EntriesBlocked):
            blocks[event.code] = event.text
        elif isinstance(event, e.EntriesAllowed):
            blocks.pop(event.code, None)
    return blocks


# Time


def holds(ctx: Context) -> bool:
    """Whether anything is held that a price can move."""
    return kept(ctx).open > 0


def sample_at(ctx: Context) -> int:
    """When the equity is to be journaled again."""
    at = ctx.board.sampled_at
    return ctx.now if at is None else at + (SAMPLE if holds(ctx) else QUIET)


def judge_at(ctx: Context) -> int:
    """When losses are to be judged again, if nothing happens until then."""
    return min(sample_at(ctx), ctx.board.judged_at + SECOND) if holds(ctx) else sample_at(ctx)


def pulse(ctx: Context) -> Events:
    """Once a second: blocks that have served their time, prices that have gone stale or come back,
    and losses.
    """
    state = ctx.state
    for block in list(state.blocks.values()):
        if block.until is not None and block.until <= ctx.now:
            yield e.EntriesAllowed(ctx.now, block.code)
            yield from cure(ctx, AlertCode.LOCKOUT, block.code)
    yield from _staleness(ctx)
    ctx.board.margin_at = ctx.now
    yield from margin.tell(ctx)
    yield from naked(ctx)
    # its lockout has just ended: its base must, too
    new_day = bool(state.day.began_at) and not _same_day(ctx, state.day.began_at)
    if new_day or judge_at(ctx) <= ctx.now:
        yield from judge(ctx)


def _staleness(ctx: Context) -> Events:
    """Only what is held or wanted matters: a price that nobody needs may be old."""
    symbols = ctx.state.holders
    for symbol in list(symbols):
        if ctx.is_stale(symbol, ctx.rules.risk.price_age):
            yield from alert(
                ctx, AlertCode.STALE_PRICE, symbol, f"older than {ctx.rules.risk.price_age:g} s"
            )
        elif f"{AlertCode.STALE_PRICE}:{symbol}" in ctx.state.alerts:
            yield from cure(ctx, AlertCode.STALE_PRICE, symbol)
        else:
            continue
        for name in list(symbols[symbol]):
            yield from tell(ctx, name)
    for key, standing in list(ctx.state.alerts.items()):
        if standing.code == AlertCode.STALE_PRICE and standing.subject not in symbols:
            yield e.AlertCured(ctx.now, key)
