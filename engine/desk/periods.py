"""Day, session and everything since the start: what each is measured from, and what it came to so
far.
"""

from decimal import Decimal

from engine.desk.context import Context
from engine.desk.totals import by_symbol, funding_of_all, measured, summed
from engine.model.figures import Period, Sums, since
from engine.model.money import ZERO
from engine.model.view import PeriodView, SymbolView

DAY, SESSION, ALL = "day", "session", "all"
PERIODS = (DAY, SESSION, ALL)


def trades(ctx: Context) -> dict[str, tuple[int, Decimal]]:
    """By symbol: ended positions, and the sum of their R."""
    return {symbol: (done.trades, done.r) for symbol, done in ctx.state.traded.items()}


def began(ctx: Context, name: str, equity: Decimal) -> Period:
    """A period that is measured from this moment; `all` counts what was traded before it, too."""
    if name == ALL:
        return Period(ctx.now, equity, equity)
    symbols = {
        name: sums.plus(Sums(exit_fees=sums.exit_fees), -1) for name, sums in by_symbol(ctx).items()
    }
    return Period(ctx.now, equity, equity, ZERO, symbols, trades(ctx), funding_of_all(ctx))


def period(ctx: Context, name: str) -> PeriodView | None:
    """What a period came to so far; None before the first sample of the equity."""
    start = ctx.state.periods.get(name)
    if start is None:
        return None
    equity, now = measured(ctx), since(by_symbol(ctx), start.symbols)
    came = summed(now)
    result, funding = equity - start.equity, funding_of_all(ctx) - start.funding
    known = came.realised + came.unrealised - came.fees + funding
    peak = max(start.peak, equity)
    counts = {symbol: _closed_since(symbol, done, start) for symbol, done in trades(ctx).items()}
    return PeriodView(
        name=name,
        began_at=start.began_at,
        result=result,
        realised=came.realised,
        unrealised=came.unrealised,
        fees=came.fees,
        funding=funding,
        other=result - known,
        exit_fees=came.exit_fees,
        if_flat=result - came.exit_fees,
        share=result / start.equity if start.equity > ZERO else None,
        drawdown=peak - equity,
        deepest=max(start.fall, peak - equity),
        closed=sum(count for count, _ in counts.values()),
        symbols=tuple(
            _symbol(symbol, sums, *counts.get(symbol, (0, ZERO)))
            for symbol, sums in sorted(now.items())
            if _counts(sums, symbol, counts)
        ),
    )


def _closed_since(symbol: str, done: tuple[int, Decimal], start: Period) -> tuple[int, Decimal]:
    count, multiple = start.trades.get(symbol, (0, ZERO))
    return done[0] - count, done[1] - multiple


def _counts(sums: Sums, symbol: str, counts: dict[str, tuple[int, Decimal]]) -> bool:
    """Whether a symbol did anything in the period."""
    return sums != Sums() or bool(counts.get(symbol, (0, ZERO))[0])


def _symbol(symbol: str, sums: Sums, count: int, multiple: Decimal) -> SymbolView:
    if_flat = sums.result - sums.exit_fees
    return SymbolView(
        symbol, sums.realised, sums.unrealised, sums.fees, sums.funding, if_flat, multiple, count
    )
