"""The bounds that a new entry and a changed one have in common."""

from decimal import Decimal

from msgspec.structs import replace

from engine.desk import figures, totals
from engine.desk.context import Context
from engine.desk.draft import Refusals
from engine.desk.lockouts import at_entry
from engine.desk.sizing import stop_price
from engine.model.codes import RefusalCode
from engine.model.money import ZERO
from engine.model.order import Order, OrderType
from engine.model.place import At
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


def blocked(ctx: Context) -> Refusals:
    """What lets no entry through now."""
    if ctx.state.halted:
        yield Refusal(RefusalCode.HALTED)
    blocks = at_entry(ctx)
    if blocks:
        yield Refusal(RefusalCode.ENTRIES_BLOCKED, "; ".join(blocks.values()))


def too_far(ctx: Context, quote: Quote, price: Decimal) -> Refusals:
    """Why no entry may wait at a price: it is a slip of the finger."""
    bound = ctx.rules.risk.max_limit_distance
    if abs(price - quote.mid) > quote.mid * bound:
        yield Refusal(RefusalCode.LIMIT_TOO_FAR, f"{price:f}", f"{bound:%} of {quote.mid:f}")


def notional_refusals(ctx: Context, symbol: str, order: Decimal, added: Decimal) -> Refusals:
    """Why no entry may cost `order`, of which `added` is not yet counted among what is committed
    (both in the account's currency).
    """
    account, rules = ctx.state.currency, ctx.rules.risk
    equity, _ = totals.equity(ctx)
    if rules.max_order_notional is not None and order > rules.max_order_notional:
        yield Refusal(
            RefusalCode.MAX_ORDER_NOTIONAL,
            f"{order:.2f} {account}",
            f"{rules.max_order_notional:f} {account}",
        )
    for code, amount, bound in (
        (RefusalCode.MAX_ORDER_NOTIONAL, order, rules.max_order),
        (
            RefusalCode.MAX_POSITION_NOTIONAL,
            added + totals.committed(ctx, symbol),
            rules.max_position,
        ),
        (RefusalCode.MAX_EXPOSURE, added + totals.committed(ctx), rules.max_exposure),
    ):
        if amount > bound * equity:
            yield Refusal(
                code,
                f"{amount:.2f} {account}",
                f"{bound:f} times the equity of {equity:.2f} {account}",
            )


def risk_refusals(ctx: Context, trade: Decimal, added: Decimal) -> Refusals:
    """Why no entry may lose `trade`, of which `added` is not yet counted among what is lost at all
    stops (both in the account's currency).
    """
    equity, _ = totals.equity(ctx)
    rules = ctx.rules.risk
    if rules.max_trade_risk is not None and trade > rules.max_trade_risk * equity:
        yield Refusal(
            RefusalCode.MAX_TRADE_RISK, f"{trade:.2f}", f"{rules.max_trade_risk:%} of {equity:.2f}"
        )
    total = added + totals.at_stops(ctx).counted
    if total > rules.max_open_risk * equity:
        yield Refusal(
            RefusalCode.MAX_OPEN_RISK, f"{total:.2f}", f"{rules.max_open_risk:%} of {equity:.2f}"
        )


def amended(ctx: Context, order: Order, after: Order) -> Refusals:
    """Why an entry can't have another price: what would be refused of a new one at that price.

    The bounds of risk and of exposure are asked only about what the change adds; what blocks
    entries, only about a price that is more likely to fill.
    """
    quote = ctx.quote(order.symbol)
    if quote is None:
        yield Refusal(RefusalCode.NO_PRICE, order.symbol)
        return
    waits = after.type is OrderType.STOP_LIMIT and not after.triggered
    asked = after.trigger if waits else after.price
    if asked is None:
        return
    buys, sign = order.side is Side.BUY, order.side.sign
    stood = order.trigger if waits else order.price
    if stood is None or (asked - stood) * (-sign if waits else sign) > ZERO:
        yield from blocked(ctx)
    yield from too_far(ctx, quote, asked)
    market = quote.ask if buys else quote.bid
    if waits and (asked - market) * sign <= ZERO:
        yield Refusal(RefusalCode.TRIGGER_WRONG_SIDE, f"{asked:f}", f"{market:f}")
    entry = asked if waits else min(asked, market) if buys else max(asked, market)
    yield from _places(ctx, order, entry)
    yield from _added(ctx, order, after)


def _places(ctx: Context, order: Order, entry: Decimal) -> Refusals:
    """Stop and target on their sides of where it is to fill now."""
    position, plan = ctx.state.positions.get(order.position), ctx.state.plans.get(order.position)
    if position is None:
        return
    stop, target, sign = position.stop, position.target, order.side.sign
    if plan is not None and plan.stop is not None:
        stop = stop_price(plan.stop, entry, order.side, ctx.instrument(position))
    if plan is not None and isinstance(plan.target, At):
        target = plan.target.price
    if stop is not None and (entry - stop) * sign <= ZERO:
        yield Refusal(RefusalCode.STOP_WRONG_SIDE, f"{stop:f}", f"the entry at {entry:f}")
    if target is not None and (target - entry) * sign <= ZERO:
        yield Refusal(RefusalCode.TARGET_WRONG_SIDE, f"{target:f}", f"the entry at {entry:f}")


def _added(ctx: Context, order: Order, after: Order) -> Refusals:
    """The bounds on cost and on risk, where the change adds to them."""
    costs = _costs(ctx, after) - _costs(ctx, order)
    if costs > ZERO:
        whole = _costs(ctx, replace(after, filled=ZERO))
        yield from notional_refusals(ctx, order.symbol, whole, costs)
    more = _loses(ctx, after) - _loses(ctx, order)
    if more > ZERO:
        yield from risk_refusals(ctx, _loses(ctx, replace(after, filled=ZERO)), more)


def _costs(ctx: Context, order: Order) -> Decimal:
    """What is left of an entry, in the account's currency."""
    instrument = ctx.state.instruments[order.symbol]
    cost = instrument.notional(order.remaining, figures.fixed_price(order) or ZERO)
    return totals.in_account(ctx, cost, instrument.quote)


def _loses(ctx: Context, order: Order) -> Decimal:
    """What is left of an entry loses at its stop, in the account's currency; its whole notional, or
    up to the liquidation, without one.
    """
    position = ctx.state.positions.get(order.position)
    price = figures.fixed_price(order)
    if position is None or price is None:
        return ZERO
    lost = figures.entry_at_stop(ctx, order, position, price)
    if lost is None:
        return totals.up_to_liquidation(ctx, _costs(ctx, order))
    return totals.in_account(ctx, lost, ctx.instrument(position).settle)
