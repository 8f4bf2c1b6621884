"""What the venue admits in a symbol changes while the engine runs.

Its mode: while it takes no closes, a stop that rests is not taken away for one, and no guard is
claimed that could not act. And its steps of price and size: what is to be sent is moved onto them,
or each exit would be refused for the same digit.
"""

from msgspec.structs import replace

from engine.desk import custody
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure
from engine.model.codes import AlertCode
from engine.model.instrument import Instrument
from engine.model.position import Goal, Position
from engine.model.report import MarketMode, Relisted


def on_mode(ctx: Context, report: MarketMode) -> Events:
    """Keep it, tell it, and look at each position of the symbol: a changed mode begins the pace of
    its exits anew.
    """
    if report.closes:
        ctx.board.modes.pop(report.symbol, None)
        yield from cure(ctx, AlertCode.MARKET_CLOSED, report.symbol)
    else:
        ctx.board.modes[report.symbol] = report
        yield from alert(
            ctx, AlertCode.MARKET_CLOSED, report.symbol, f"{report.mode} mode", report.symbol
        )
    for position in list(ctx.state.positions_in(report.symbol)):
        if report.closes and position.retry_at is not None:
            yield e.StopRetrySet(ctx.now, position.id, position.stop_refusals, None)
        yield from custody.keep(ctx, position.id)


def on_relisted(ctx: Context, report: Relisted) -> Events:
    """Take over what is traded now; exits that were refused are tried again at once, at places that
    fit.
    """
    old, new = ctx.state.instruments.get(report.instrument.symbol), report.instrument
    # what was large enough when it was bought does not become dust by decree
    if old is not None and ctx.state.positions_in(new.symbol):
        new = replace(
            new, min_size=min(old.min_size, new.min_size), min_cost=min(old.min_cost, new.min_cost)
        )
    ctx.board.list(new)
    if old == new:
        return
    yield e.InstrumentListed(ctx.now, new)
    for position in list(ctx.state.positions_in(new.symbol)):
        yield from _fit(ctx, position, new)
        refused = ctx.state.positions[position.id]
        if refused.retry_at is not None:
            yield e.StopRetrySet(ctx.now, position.id, refused.stop_refusals, None)
        yield from custody.keep(ctx, position.id)


def _fit(ctx: Context, position: Position, new: Instrument) -> Events:
    """Move stop and targets onto the steps of a symbol: a stop never further from the entry."""
    stop = None if position.stop is None else new.round_stop(position.stop, position.exits_by)
    if stop != position.stop and stop:
        yield e.StopMoved(ctx.now, position.id, stop, by="venue")
    target = None if position.target is None else new.round_price(position.target)
    if target != position.target and target:
        yield e.TargetMoved(ctx.now, position.id, target, by="venue")
    goals = tuple(
        Goal(new.round_price(goal.price) or goal.price, goal.part) for goal in position.goals
    )
    if goals != position.goals:
        yield e.GoalsSet(ctx.now, position.id, goals, by="venue")
    # a limit is never worse than it was said
    limits = tuple(
        replace(one, price=new.round_bound(one.price, position.exits_by) or one.price)
        for one in position.limits
    )
    if limits != position.limits:
        yield e.LimitsSet(ctx.now, position.id, limits, by="venue")
