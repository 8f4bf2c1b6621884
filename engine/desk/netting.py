"""The venue's own arithmetic of what is on margin, where others trade on the account or something
is settled.

Our executions alone tell what the venue counts (`engine.model.netting`). An execution of another
program changes it, and the money with it: that is told, and as long as the money has not been
settled since, no part of what differs is taken for funding.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk import events as e
from engine.desk.context import Context, Events, alert, cure
from engine.desk.doubts import LATE
from engine.model.codes import AlertCode
from engine.model.fill import Fill
from engine.model.money import ZERO, plain
from engine.model.netting import Net
from engine.model.report import Picture
from engine.model.side import Side

FOREIGN = AlertCode.FOREIGN_TRADES
NEARLY = Decimal("0.000001")
"""Of a holding's cost: what a venue's average may be rounded by."""


def settle(ctx: Context, picture: Picture, symbol: str) -> Events:
    """A symbol has been settled: its one position is what the venue says, for what the venue says,
    or else at the market's price.
    """
    known, quote = ctx.state.nets.get(symbol, Net()), ctx.quote(symbol)
    net, instrument = known, ctx.state.instruments[symbol]
    beyond = picture.net.get(symbol, ZERO) - known.size
    if beyond and quote is not None:
        side, size = Side.BUY if beyond > ZERO else Side.SELL, abs(beyond)
        net, made = net.after(instrument, side, size, instrument.value(size, quote.mid))
        net = net.beside(made, ZERO)
    net = _as_told(ctx, picture, symbol, net)
    if net != known:
        yield e.NetSettled(ctx.now, symbol, net)


def recount(ctx: Context, picture: Picture, currency: str) -> Events:
    """Money is about to be settled: where the venue counts what we hold at another average, so do
    we from now on.
    """
    for symbol, known in list(ctx.state.nets.items()):
        if ctx.state.instruments[symbol].settle == currency:
            net = _as_told(ctx, picture, symbol, known)
            if net != known:
                yield e.NetSettled(ctx.now, symbol, net)


def _as_told(ctx: Context, picture: Picture, symbol: str, net: Net) -> Net:
    price, instrument = picture.entered.get(symbol), ctx.state.instruments[symbol]
    if price is None or not net.size or picture.net.get(symbol) != net.size:
        return net
    cost = instrument.value(abs(net.size), price)
    return net if abs(cost - net.cost) <= cost * NEARLY else net.costing(instrument, cost)


# Other programs


def tell(ctx: Context, picture: Picture, agreeing: frozenset[str]) -> Events:
    """Say that somebody else has traded since the last picture, in money that is also paid as
    funding, and that it shows in what differs.
    """
    for currency in agreeing:
        yield from agreed(ctx, currency)
    known_till = ctx.state.reconciled_at - LATE
    for currency in sorted(
        {ctx.state.instruments[symbol].settle for symbol in _ours(ctx)} - agreeing
    ):
        since = max(known_till, ctx.state.taken.get(currency, 0))
        theirs = [
            fill
            for fill in picture.fills
            if fill.at > since and _is_foreign(ctx, fill) and _moves(ctx, fill, currency)
        ]
        if theirs and not is_mixed(ctx, currency):
            last = theirs[-1]
            what = f"{last.side.value} {plain(last.size)} {last.symbol} at {plain(last.price)}"
            more = f" and {len(theirs) - 1} more" if len(theirs) > 1 else ""
            yield from alert(ctx, FOREIGN, currency, f"{what}{more}", currency)


def is_mixed(ctx: Context, currency: str) -> bool:
    """Whether another program's trades are in what of this money differs."""
    return f"{FOREIGN}:{currency}" in ctx.state.alerts


def agreed(ctx: Context, currency: str) -> Events:
    """Nothing of the money differs any more, or it has been settled."""
    yield from cure(ctx, FOREIGN, currency)


def _ours(ctx: Context) -> Iterator[str]:
    """Symbols that we hold on margin, or held lately."""
    for position in (*ctx.state.positions.values(), *ctx.state.closed.values()):
        if not ctx.instrument(position).moves_coins(position.leverage):
            yield position.symbol


def _is_foreign(ctx: Context, fill: Fill) -> bool:
    return (
        fill.execution_id not in ctx.state.executions
        and ctx.state.order(fill.client_order_id) is None
    )


def _moves(ctx: Context, fill: Fill, currency: str) -> bool:
    instrument = ctx.state.instruments.get(fill.symbol)
    return instrument is None or currency in (
        instrument.settle,
        instrument.quote,
        instrument.base,
        fill.fee_currency,
    )
