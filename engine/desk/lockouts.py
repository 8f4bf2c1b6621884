"""What locks entries out, never exits: the day's loss, the drawdown, a losing streak, a stale market; and the samples they are judged by."""

from datetime import datetime
from decimal import Decimal

from engine.desk import events as e
from engine.desk import margin
from engine.desk.board import Board
from engine.desk.context import Context, Events, alert, cure, nanoseconds
from engine.desk.protection import tell
from engine.model import day
from engine.model.money import ZERO

SAMPLE = 60_000_000_000
"""Nanoseconds between samples of the equity."""


USED = (Decimal("0.5"), Decimal("0.8"))
"""Parts of the day's loss limit that are told when they are used up."""


def _same_day(ctx: Context, at: int) -> bool:
    """Whether `at` is of the day that it is now, by the clock and the hour that the settings name."""
    rules = ctx.rules.risk
    return day.began(at, rules.day_zone, rules.day_hour) == day.began(ctx.now, rules.day_zone, rules.day_hour)


def sample(ctx: Context) -> Events:
    """Journal the equity and the extremes of what is open, and judge the losses. Nothing is said while a holding has no price."""
    equity, unpriced = ctx.equity()
    if unpriced:
        return
    extremes = {}
    for position in ctx.state.positions.values():
        low, high = ctx.extremes(position)
        if position.is_open and low is not None and high is not None:
            extremes[position.id] = (low, high)
    if ctx.state.day.began_at and not _same_day(ctx, ctx.state.day.began_at):
        yield e.DayBegan(ctx.now, equity)
        for part in USED:
            yield from cure(ctx, "LOSS_USED", f"{part:.0%}")
        if "DAILY_LOSS" in ctx.state.blocks:
            yield e.EntriesAllowed(ctx.now, "DAILY_LOSS")
            yield from cure(ctx, "LOCKOUT", "DAILY_LOSS")
    unrealised, _ = ctx.unrealised()
    yield e.Sampled(ctx.now, equity, unrealised, extremes)
    yield from judge(ctx, equity)


def judge(ctx: Context, equity: Decimal) -> Events:
    """Lock out entries where a loss has reached its bound."""
    today, rules = ctx.state.day, ctx.rules.risk
    if rules.daily_loss is not None and today.equity is not None and today.equity > ZERO:
        lost = (today.equity - equity) / today.equity
        yield from _used(ctx, lost, rules.daily_loss)
        if lost >= rules.daily_loss and lost > ZERO:
            text = f"the day's loss of {lost:.2%} has reached {rules.daily_loss:.2%}"
            yield from _lock(ctx, "DAILY_LOSS", text, day.ends(ctx.now, rules.day_zone, rules.day_hour))
    if rules.max_drawdown is not None and today.peak is not None and today.peak > ZERO:
        fall = (today.peak - equity) / today.peak
        if fall >= rules.max_drawdown and fall > ZERO:
            yield from _lock(ctx, "DRAWDOWN", f"the drawdown of {fall:.2%} has reached {rules.max_drawdown:.2%}", None)


def _used(ctx: Context, lost: Decimal, limit: Decimal) -> Events:
    """Tell once a day when half, and when most, of the day's loss limit is used up. Both are fractions of the day's first equity."""
    for part in USED:
        subject = f"{part:.0%}"
        told = any(
            a.code == "LOSS_USED" and a.subject == subject and _same_day(ctx, a.at) for a in (*ctx.state.alerts.values(), *ctx.state.ended_alerts)
        )
        if not told and limit * part <= lost < limit and lost > ZERO:
            yield from alert(ctx, "LOSS_USED", subject, f"the day's loss is {lost:.2%} of {limit:.2%}")


def after_loss(ctx: Context) -> Events:
    """A position closed: count the streak."""
    rules = ctx.rules.risk
    if rules.losing_streak and ctx.state.day.losses >= rules.losing_streak:
        until = ctx.now + nanoseconds(rules.cool_down)
        yield from _lock(ctx, "LOSING_STREAK", f"{ctx.state.day.losses} losses in a row", until)


def _lock(ctx: Context, code: str, text: str, until: int | None) -> Events:
    if code in ctx.state.blocks:
        return
    yield e.EntriesBlocked(ctx.now, code, text, until)
    zone = ctx.rules.risk.day_zone
    clears = "" if until is None else f" (until {datetime.fromtimestamp(until // day.SECOND, day.zone_of(zone)):%Y-%m-%d %H:%M:%S} {zone})"
    yield from alert(ctx, "LOCKOUT", code, text + clears)


def sample_at(board: Board, now: int) -> int:
    """When the equity is to be journaled again."""
    return now if board.sampled_at is None else board.sampled_at + SAMPLE


def pulse(ctx: Context) -> Events:
    """Once a second: blocks that have served their time, prices that have gone stale or come back, and the sample that is due."""
    state = ctx.state
    for block in list(state.blocks.values()):
        if block.until is not None and block.until <= ctx.now:
            yield e.EntriesAllowed(ctx.now, block.code)
            yield from cure(ctx, "LOCKOUT", block.code)
    yield from _staleness(ctx)
    ctx.board.margin_at = ctx.now
    yield from margin.tell(ctx)
    new_day = bool(state.day.began_at) and not _same_day(ctx, state.day.began_at)  # its lockout has just ended: its base must, too
    if new_day or sample_at(ctx.board, ctx.now) <= ctx.now:
        ctx.board.sampled_at = ctx.now
        yield from sample(ctx)


def _staleness(ctx: Context) -> Events:
    """Only what is held or wanted matters: a price that nobody needs may be old."""
    symbols: dict[str, list[str]] = {}
    for position in ctx.state.positions.values():
        symbols.setdefault(position.symbol, []).append(position.id)
    for symbol, names in symbols.items():
        if ctx.is_stale(symbol, ctx.rules.risk.price_age):
            yield from alert(ctx, "STALE_PRICE", symbol, f"older than {ctx.rules.risk.price_age:g} s")
        elif f"STALE_PRICE:{symbol}" in ctx.state.alerts:
            yield from cure(ctx, "STALE_PRICE", symbol)
        else:
            continue
        for name in names:
            yield from tell(ctx, name)
    for key, standing in list(ctx.state.alerts.items()):
        if standing.code == "STALE_PRICE" and standing.subject not in symbols:
            yield e.AlertCured(ctx.now, key)
