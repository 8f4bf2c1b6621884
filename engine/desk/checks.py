"""Pre-flight: what an entry must pass before it becomes an order. One function per rule, one list
of them; all refusals are told at once.

A check that can't be evaluated says no. Exits never come here.
"""

from collections.abc import Callable
from decimal import Decimal

from engine.desk import even, goals, margin, symbols, totals
from engine.desk.bounds import blocked, notional_refusals, risk_refusals, too_far
from engine.desk.context import Context, nanoseconds
from engine.desk.draft import Draft, Refusals
from engine.desk.events import Plan
from engine.desk.kept import kept
from engine.desk.lockouts import waits_for
from engine.model.codes import RefusalCode
from engine.model.intent import OpenBracket
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.refusal import Refusal
from engine.model.side import Side

Check = Callable[[Context, Draft], Refusals]


def refusals(ctx: Context, drafted: Draft) -> tuple[Refusal, ...]:
    """Every reason against the entry. The venue's counters are asked only about what may go."""
    return tuple(refusal for check in CHECKS for refusal in check(ctx, drafted)) or tuple(
        _tokens(ctx, drafted)
    )


def _mode(ctx: Context, _: Draft) -> Refusals:
    yield from blocked(ctx)


def _freshness(ctx: Context, d: Draft) -> Refusals:
    if ctx.is_stale(d.intent.symbol, ctx.rules.risk.sizing_age):
        yield Refusal(RefusalCode.STALE_PRICE, d.intent.symbol, f"{ctx.rules.risk.sizing_age:g} s")


def _limits(ctx: Context, _: Draft) -> Refusals:
    missing = waits_for(ctx)
    if missing:
        yield Refusal(RefusalCode.LIMITS_UNKNOWN, ", ".join(missing))


def _minimums(_: Context, d: Draft) -> Refusals:
    if d.size < d.instrument.min_size or d.size == ZERO:
        yield Refusal(
            RefusalCode.SIZE_BELOW_MINIMUM,
            f"{d.size:f} {d.intent.symbol}",
            f"{d.instrument.min_size:f}",
        )
    elif d.notional < d.instrument.min_cost:
        yield Refusal(
            RefusalCode.COST_BELOW_MINIMUM,
            f"{d.notional:f}",
            f"{d.instrument.min_cost:f} {d.instrument.quote}",
        )


def _sides(ctx: Context, d: Draft) -> Refusals:
    """Stop, entry and target in their order, after rounding; the stop also against the market."""
    sign = d.intent.side.sign
    if d.stop is not None:
        if (d.entry - d.stop) * sign <= ZERO:
            yield Refusal(RefusalCode.STOP_WRONG_SIDE, f"{d.stop:f}", f"the entry at {d.entry:f}")
        elif (beyond := liquidated_at(ctx, d)) is not None and (d.stop - beyond) * sign <= ZERO:
            yield Refusal(RefusalCode.STOP_BEYOND_LIQUIDATION, f"{d.stop:f}", f"{beyond:f}")
        elif d.intent.type is OrderType.MARKET:
            exit_price = d.quote.bid if d.intent.side is Side.BUY else d.quote.ask
            if (exit_price - d.stop) * sign <= ZERO:
                yield Refusal(RefusalCode.STOP_WOULD_FIRE, f"{d.stop:f}", f"{exit_price:f}")
    elif ctx.rules.risk.require_stop and d.loses_at is None:
        yield Refusal(RefusalCode.STOP_REQUIRED)
    if d.target is not None and (d.target - d.entry) * sign <= ZERO:
        yield Refusal(RefusalCode.TARGET_WRONG_SIDE, f"{d.target:f}", f"the entry at {d.entry:f}")
    if d.trigger is not None and d.intent.type is OrderType.STOP:
        market = d.quote.ask if d.intent.side is Side.BUY else d.quote.bid
        if (d.trigger - market) * sign <= ZERO:
            yield Refusal(RefusalCode.TRIGGER_WRONG_SIDE, f"{d.trigger:f}", f"{market:f}")


def _partials(ctx: Context, d: Draft) -> Refusals:
    """Targets of parts: in their order between entry and target, each part and what is left of them
    tradable.
    """
    yield from goals.refusals(
        d.intent.partials, d.intent.side, d.instrument, d.size, d.entry, d.target
    )


def _rule(_: Context, d: Draft) -> Refusals:
    """The stop must be able to stand at break-even, and its ticks beyond, where the rule begins."""
    if d.intent.break_even is None:
        return
    at, stands = even.of_entry(d.intent, d.expected, d.size)
    if stands is None or (at - stands) * d.intent.side.sign <= ZERO:
        yield Refusal(
            RefusalCode.RULE_TOO_NEAR, f"{at:f}", "no price" if stands is None else f"{stands:f}"
        )


def liquidated_at(ctx: Context, d: Draft) -> Decimal | None:
    """Where the venue would liquidate what the entry adds to."""
    if d.intent.side is Side.BUY and d.instrument.moves_coins(d.leverage):
        return None
    return margin.liquidated_at(
        ctx,
        d.instrument,
        d.intent.side,
        totals.borrowed(ctx, d.intent.symbol) * d.intent.side.sign + d.size,
        d.entry,
    )


def _distance(ctx: Context, d: Draft) -> Refusals:
    asked = d.price if d.intent.type is OrderType.LIMIT else d.trigger
    if asked is not None:
        yield from too_far(ctx, d.quote, asked)


def _slippage(ctx: Context, d: Draft) -> Refusals:
    """A market entry crosses the spread: half of it is slippage that is known before."""
    if d.intent.type is not OrderType.MARKET:
        return
    bound = ctx.rules.max_slippage(d.intent.symbol)
    expected = abs(d.entry - d.quote.mid) / d.quote.mid
    if expected > bound:
        yield Refusal(RefusalCode.SLIPPAGE, f"{expected:.3%}", f"{bound:%}")
    share = ctx.rules.risk.max_book_share
    shown = d.quote.ask_size if d.intent.side is Side.BUY else d.quote.bid_size
    if share is not None and d.size > share * shown:
        yield Refusal(
            RefusalCode.BOOK_SHARE, f"{d.size:f}", f"{share:f} times the {shown:f} displayed"
        )


def _slots(ctx: Context, _: Draft) -> Refusals:
    """Open positions and entries in flight; a pending close frees no slot before it fills, and dust
    takes none.
    """
    taken = kept(ctx).slots
    if taken >= ctx.rules.risk.max_positions:
        yield Refusal(RefusalCode.MAX_POSITIONS, str(taken), str(ctx.rules.risk.max_positions))


def _slots_in_symbol(ctx: Context, d: Draft) -> Refusals:
    """The same in one symbol."""
    symbol = d.intent.symbol
    bound = ctx.rules.max_positions(symbol)
    known = kept(ctx).symbols.get(symbol)
    held = 0 if known is None else known.slots
    if bound is not None and held >= bound:
        own = ctx.rules.of(symbol).max_positions is not None
        source = symbols.key(symbol, "max_positions") if own else "risk.max_positions_per_symbol"
        yield Refusal(
            RefusalCode.MAX_POSITIONS_PER_SYMBOL, f"{held} in {symbol}", f"{bound} ({source})"
        )


def _sizes(ctx: Context, d: Draft) -> Refusals:
    """The trader's own smallest and largest entry of the symbol, in the unit of its size."""
    own, symbol = ctx.rules.of(d.intent.symbol), d.intent.symbol
    if own.min_size is not None and d.size < own.min_size:
        yield Refusal(
            RefusalCode.MIN_SIZE,
            f"{d.size:f} {symbol}",
            f"{own.min_size:f} ({symbols.key(symbol, 'min_size')})",
        )
    if own.max_size is not None and d.size > own.max_size:
        yield Refusal(
            RefusalCode.MAX_SIZE,
            f"{d.size:f} {symbol}",
            f"{own.max_size:f} ({symbols.key(symbol, 'max_size')})",
        )


def _notionals(ctx: Context, d: Draft) -> Refusals:
    rate = ctx.board.rate(d.instrument.quote, ctx.state.currency)
    if rate is None:
        yield Refusal(RefusalCode.NO_RATE, d.instrument.quote, ctx.state.currency)
        return
    equity, _ = totals.equity(ctx)
    account = ctx.state.currency
    if equity <= ZERO:
        yield Refusal(
            RefusalCode.INSUFFICIENT_FUNDS,
            f"{d.notional * rate:f} {account}",
            f"{equity:f} {account}",
        )
        return
    yield from notional_refusals(ctx, d.intent.symbol, d.notional * rate, d.notional * rate)


def _risk(ctx: Context, d: Draft) -> Refusals:
    """What is lost at the stop, both fees included; without a stop the whole notional counts, or up
    to the liquidation.
    """
    bounded = d.risk is not None
    risk = (
        ctx.to_account(max(d.risk or ZERO, ZERO), d.instrument.settle)
        if bounded
        else ctx.to_account(d.notional, d.instrument.quote)
    )
    if risk is None:
        return  # told by _notionals
    risk = risk if bounded else totals.up_to_liquidation(ctx, risk)
    yield from risk_refusals(ctx, risk, risk)


def _shorts(ctx: Context, d: Draft) -> Refusals:
    if d.intent.side is Side.SELL and not d.instrument.can_short:
        yield Refusal(RefusalCode.CANNOT_SHORT, d.intent.symbol)
    if d.intent.leverage is not None and d.intent.leverage > d.instrument.max_leverage:
        yield Refusal(
            RefusalCode.LEVERAGE_TOO_HIGH,
            f"{d.intent.leverage:f}",
            f"{d.instrument.max_leverage:f}",
        )
    known = kept(ctx).symbols.get(d.intent.symbol)
    if known is None:
        return
    # all of them only where some are in the way
    against = known.names if known.sides[d.intent.side.opposite] else known.exceeding
    for position in map(ctx.state.positions.__getitem__, against):
        if position.side is not d.intent.side:
            yield Refusal(RefusalCode.OPPOSITE_POSITION, position.label or position.id)
        elif (
            not d.instrument.moves_coins(d.leverage) and position.id in known.exceeding
        ):  # its exits reduce all of it: soon also the newcomer
            yield Refusal(RefusalCode.PENDING, position.label or position.id)


def _funds(ctx: Context, d: Draft) -> Refusals:
    """A spot buy without leverage is paid in full, fee included, from what no other entry has
    reserved.
    """
    if d.intent.side is Side.SELL or not d.instrument.moves_coins(d.leverage):
        return
    free = ctx.state.cash.get(d.instrument.quote, ZERO)
    free -= totals.reserved(ctx, d.instrument.quote)
    needed = d.notional * (1 + ctx.rates(d.instrument).taker)
    if needed > free:
        currency = d.instrument.quote
        yield Refusal(
            RefusalCode.INSUFFICIENT_FUNDS, f"{needed:.2f} {currency}", f"{free:.2f} {currency}"
        )


def _margin(ctx: Context, d: Draft) -> Refusals:
    """What is on margin binds a part of the equity: the entry's must be free."""
    if d.instrument.moves_coins(d.leverage):
        return
    equity, _ = totals.equity(ctx)
    used, needed = (
        totals.margin_used(ctx),
        margin.needed(ctx, d.instrument, d.size, d.entry, d.leverage),
    )
    # the rest is told by _notionals
    if equity > ZERO and used is not None and needed is not None and needed > equity - used:
        currency = ctx.state.currency
        yield Refusal(
            RefusalCode.INSUFFICIENT_MARGIN,
            f"{needed:.2f} {currency}",
            f"{equity - used:.2f} {currency}",
        )


def _orders(ctx: Context, d: Draft) -> Refusals:
    """The entry and the stop and target that it will need must fit under the venue's cap."""
    count = ctx.state.open_in.get(d.intent.symbol, 0)
    parts = len(d.intent.partials)
    if count + 3 + parts > ctx.profile.max_open_orders:
        kept = "three" if not parts else str(3 + parts)
        yield Refusal(
            RefusalCode.TOO_MANY_OPEN_ORDERS,
            str(count),
            f"{ctx.profile.max_open_orders}, less {kept} for the bracket",
        )


def _tokens(ctx: Context, d: Draft) -> Refusals:
    """An entry that could not leave before its deadline is not journaled as sent."""
    if ctx.board.leaves_after is None or not ctx.profile.deadline:
        return
    seconds = ctx.rules.requests.entry_deadline
    entry = Order(
        "",
        "",
        d.intent.symbol,
        d.intent.side,
        d.intent.type,
        Role.ENTRY,
        d.size,
        touched_at=ctx.now,
    )
    after = ctx.board.leaves_after(entry)
    if after is None or after > nanoseconds(seconds):
        yield Refusal(
            RefusalCode.NO_TOKENS,
            f"{seconds:g} s",
            "in some minutes" if after is None else f"in {after / 1e9:.1f} s",
        )


CHECKS: tuple[Check, ...] = (
    _mode,
    _freshness,
    _limits,
    _minimums,
    _sizes,
    _sides,
    _partials,
    _rule,
    _distance,
    _slippage,
    _shorts,
    _slots,
    _slots_in_symbol,
    _notionals,
    _risk,
    _funds,
    _margin,
    _orders,
)


def plan_of(intent: OpenBracket, now: int) -> Plan:
    """What the bracket wants once it fills."""
    return Plan(
        intent.id,
        intent.stop,
        intent.target,
        intent.trail,
        intent.partials,
        began_at=now,
        even=intent.break_even,
    )
