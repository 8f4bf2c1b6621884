"""The venue's mode of a symbol: while it takes no closes, a stop that rests is not taken away for one, and no guard is claimed that could not act."""

from engine.desk import custody
from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure
from engine.model.report import MarketMode


def on_mode(ctx: Context, report: MarketMode) -> Events:
    """Keep it, tell it, and look at each position of the symbol: a changed mode begins the pace of its exits anew."""
    if report.closes:
        ctx.board.modes.pop(report.symbol, None)
        yield from cure(ctx, "MARKET_CLOSED", report.symbol)
    else:
        ctx.board.modes[report.symbol] = report
        yield from alert(ctx, "MARKET_CLOSED", report.symbol, f"{report.mode} mode", report.symbol)
    for position in list(ctx.state.positions_in(report.symbol)):
        if report.closes and position.retry_at is not None:
            yield e.StopRetrySet(ctx.now, position.id, position.stop_refusals, None)
        yield from custody.keep(ctx, position.id)
