"""The cards of what moves a position's stop, target or trail."""

from contextlib import suppress
from decimal import Decimal

from engine.desk import figures as desk_figures
from engine.desk import totals
from engine.desk.context import Context
from engine.desk.goals_by_hand import new_goals
from engine.desk.ordering import rests_together
from engine.desk.places import UntoldError
from engine.desk.previews import stakes
from engine.desk.previews.card import (
    Line,
    at_stops,
    money,
    nobody,
    price_or_none,
    trail_text,
    under,
)
from engine.desk.protection import working_stop
from engine.desk.sizing import usable
from engine.desk.stops_by_hand import break_even, held, looser, stop_at, target_at
from engine.model import figures
from engine.model import intent as i
from engine.model.codes import RefusalCode
from engine.model.money import ZERO, grouped
from engine.model.place import Place, number_of
from engine.model.position import Goal, Position
from engine.model.refusal import Refusal
from engine.model.view import Preview


def moved(ctx: Context, intent: i.MoveStop) -> Preview:
    """A stop that moves, or goes."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Move stop", RefusalCode.UNKNOWN_POSITION, intent.position)
    wanted = wanted_stop(ctx, position, intent.stop)
    asked = intent.stop.price if isinstance(intent.stop, i.At) else wanted
    suggestion = None if asked == wanted else wanted
    return Preview(
        f"Stop of {position.symbol}",
        tuple(stop_lines(ctx, position, wanted)),
        _bare(position) if intent.stop is None else (),
        looser=looser(position, wanted),
        suggestion=suggestion,
    )


def wanted_stop(ctx: Context, position: Position, place: Place | None) -> Decimal | None:
    """Where a stop is to stand; None for nowhere, and where no price can be told."""
    with suppress(UntoldError):
        return stop_at(ctx, position, place) if place and usable(number_of(place)) else None
    return None


def _wanted_target(ctx: Context, position: Position, place: Place | None) -> Decimal | None:
    with suppress(UntoldError):
        return target_at(ctx, position, place) if place and usable(number_of(place)) else None
    return None


def _bare(position: Position) -> tuple[str, ...]:
    return (f"nothing bounds the loss of {position.symbol}, and it blocks entries",)


def stop_lines(ctx: Context, position: Position, wanted: Decimal | None) -> list[Line]:
    """Where the stop stands, what is lost there, and what all stops would cost."""
    mark, equity = ctx.mark(position), totals.equity(ctx)[0]
    unit = desk_figures.one_r(ctx, position)

    def told(stop: Decimal | None) -> tuple[str, str, str, str, str]:
        if stop is None:
            return ("none", "—", "UNBOUNDED", "—", "—")
        result = desk_figures.net(ctx, position, stop)
        away = "—" if not mark else f"{(stop - mark) / mark:+.2%}"
        multiple = figures.multiple(result, unit)
        in_account = ctx.to_account(result, position.settle)
        share = "—" if in_account is None or equity <= ZERO else f"{in_account / equity:+.2%}"
        return (
            grouped(stop),
            away,
            money(result, position.settle),
            "—" if multiple is None else f"{multiple:+.2f}R",
            share,
        )

    before, after = told(position.stop), told(wanted)
    lines = [
        Line(name, before[at], after[at])
        for at, name in enumerate(("stop", "distance", "at stop", "in R", "of equity"))
    ]
    total = stakes.total(ctx)
    then = total.plus(stakes.held(ctx, position), -1).plus(stakes.at(ctx, position, wanted))
    return [
        *under("what", *lines[:2], Line("venue", "", venue_does(ctx, position, wanted))),
        *under("risk", *lines[2:]),
        *at_stops(ctx, total, then),
    ]


def venue_does(ctx: Context, position: Position, wanted: Decimal | None) -> str:
    """What the venue is asked to do about the stop."""
    resting = working_stop(ctx, position)
    if wanted is None:
        return "nothing" if resting is None else "cancels the resting order"
    if resting is None:
        return "places a new order"
    if resting.trigger == wanted:
        return "nothing"
    return "amends the resting order" if ctx.profile.amend else "cancels it, places a new order"


def evened(ctx: Context, intent: i.BreakEven) -> Preview:
    """The stop at break-even."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Break-even", RefusalCode.UNKNOWN_POSITION, intent.position)
    even = break_even(ctx, position, intent.ticks)
    return moved(ctx, i.MoveStop(id=intent.id, position=position.id, stop=i.At(even)))


def trailed(ctx: Context, intent: i.SetTrail) -> Preview:
    """The stop follows the price, or no longer."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Trail", RefusalCode.UNKNOWN_POSITION, intent.position)
    lines = stop_lines(ctx, position, trailed_to(ctx, position, intent))
    trail = Line("trail", trail_text(position.trail), trail_text(intent.trail))
    warnings = () if intent.trail is None else ("the trail is LOCAL: it ends with this process",)
    return Preview(f"Trail of {position.symbol}", (trail, *lines), warnings)


def trailed_to(ctx: Context, position: Position, intent: i.SetTrail) -> Decimal | None:
    """Where the stop stands right after a trail is set: closer if it follows at once."""
    mark, trail = ctx.mark(position), intent.trail
    if trail is None or not trail.at_once or mark is None:
        return position.stop
    distance = trail.distance(mark) * position.side.sign
    level = ctx.instrument(position).round_stop(mark - distance, position.exits_by)
    stop = position.tighter(position.stop, level)
    return stop if stop is not None and stop > ZERO else position.stop


def aimed(ctx: Context, intent: i.MoveTarget) -> Preview:
    """A target that moves, or goes."""
    position = held(ctx, intent.position)
    if position is None:
        return nobody("Target", RefusalCode.UNKNOWN_POSITION, intent.position)
    wanted = _wanted_target(ctx, position, intent.target)
    parts: tuple[Goal, ...] | Refusal = position.goals
    if intent.partials is not None:
        parts = new_goals(ctx, position, intent.partials, wanted)
    after = position.goals if isinstance(parts, Refusal) else parts
    shown = [Line("parts", parts_text(position.goals), parts_text(after))]
    return Preview(
        f"Target of {position.symbol}",
        (
            *under("what", *(shown if position.goals or after else [])),
            *target_lines(ctx, position, position.target, wanted),
        ),
        _local(ctx, position) if wanted is not None or after else (),
        (parts,) if isinstance(parts, Refusal) else (),
    )


def parts_text(goals: tuple[Goal, ...]) -> str:
    """Targets of parts in words: `25% at 63,000, 25% at 64,000`."""
    told = [f"{grouped(goal.part * 100)}% at {grouped(goal.price)}" for goal in goals]
    return ", ".join(told) or "none"


def _local(ctx: Context, position: Position) -> tuple[str, ...]:
    if rests_together(ctx, position):
        return ()
    return ("the target is LOCAL: it is watched here and ends with this process",)


def target_lines(
    ctx: Context, position: Position, before: Decimal | None, after: Decimal | None
) -> list[Line]:
    """Where the target stands and lives, and what the whole trade ends with there."""
    mark, unit, rests = (
        ctx.mark(position),
        desk_figures.one_r(ctx, position),
        rests_together(ctx, position),
    )
    where = "VENUE" if rests else "LOCAL"

    def told(target: Decimal | None) -> tuple[str, str, str, str, str]:
        if target is None:
            return ("none", "—", "—", "—", "—")
        result = _net_at(ctx, position, target, maker=rests)
        away = "—" if not mark else f"{(target - mark) / mark:+.2%}"
        multiple = figures.multiple(result, unit)
        in_r = "—" if multiple is None else f"{multiple:+.2f}R"
        return grouped(target), away, where, money(result, position.settle), in_r

    old, new = told(before), told(after)
    names = ("target", "distance", "where", "at target", "in R")
    lines = [Line(name, old[at], new[at]) for at, name in enumerate(names)]
    total = stakes.total(ctx)
    return [
        *under("what", *lines[:3]),
        *under("reward", *lines[3:]),
        *at_stops(ctx, total, total),
    ]


def _net_at(ctx: Context, position: Position, price: Decimal, *, maker: bool) -> Decimal:
    instrument = ctx.instrument(position)
    rates = ctx.rates(instrument)
    rate = rates.maker if maker else rates.taker
    return figures.net(position, ctx.state.money_of(position.id), instrument, price, rate)


def goal_lines(
    ctx: Context, position: Position, before: Decimal | None, after: Decimal | None
) -> list[Line]:
    """The target of a part that moves or goes."""
    total = stakes.total(ctx)
    return [
        Line("target of a part", price_or_none(before), price_or_none(after)),
        *at_stops(ctx, total, total),
    ]
