"""Pre-flight: what an entry must pass before it becomes an order. One function per rule, one list of them; all refusals are told at once.

A check that can't be evaluated says no. Exits never come here.
"""

from collections.abc import Callable, Iterator
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.desk import goals, margin, symbols
from engine.desk.context import Context, nanoseconds
from engine.desk.events import Plan
from engine.desk.figures import at_stops
from engine.desk.lockouts import waits_for
from engine.desk.sizing import base_size, reference_price, stop_price, target_price, usable
from engine.desk.symbols import with_defaults
from engine.model.figures import ExpectedEntry
from engine.model.instrument import Instrument, Kind
from engine.model.intent import At, OpenBracket, Risk
from engine.model.money import ONE, ZERO
from engine.model.order import Order, OrderType, Role
from engine.model.position import Position
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


class Draft(Struct, frozen=True):
    """An entry with all its numbers on the venue's grid."""

    intent: OpenBracket
    """As asked, with the symbol's defaults."""
    instrument: Instrument
    quote: Quote
    size: Decimal
    entry: Decimal
    """Where it is expected to fill."""
    price: Decimal | None
    """The limit; for a market entry the worst acceptable price."""
    trigger: Decimal | None
    stop: Decimal | None
    target: Decimal | None
    leverage: Decimal | None
    """What was asked for, or what the venue lends to sell what is not held."""
    expected: ExpectedEntry
    """As it fills at the worst price of the visible book, or at the worst acceptable one where the book shows too little."""
    loses_at: Decimal | None
    """Where it would be closed at a loss if it filled so: its stop, or its trail's first; None without either."""

    @property
    def risk(self) -> Decimal | None:
        """What is lost there, both fees included (settle currency); None: without a stop nothing bounds it."""
        return None if self.loses_at is None else self.expected.risk(self.size, self.loses_at)

    @property
    def notional(self) -> Decimal:
        """In the quote currency."""
        return self.instrument.notional(self.size, self.entry)


Refusals = Iterator[Refusal]
Check = Callable[[Context, Draft], Refusals]


def draft(ctx: Context, intent: OpenBracket) -> Draft | tuple[Refusal, ...]:
    """The entry on the grid, or why there can be none."""
    instrument = ctx.state.instruments.get(intent.symbol)
    if instrument is None:
        return (Refusal("UNKNOWN_SYMBOL", intent.symbol, ", ".join(sorted(ctx.state.instruments)) or "none"),)
    intent = with_defaults(ctx, intent)
    numbers = tuple(_unusable(intent))
    if numbers:
        return numbers
    quote = ctx.quote(intent.symbol)
    if quote is None:
        return (Refusal("NO_PRICE", intent.symbol),)
    entry, leverage = reference_price(intent, quote), _leverage(ctx, intent, instrument)
    price = intent.price if intent.type is OrderType.LIMIT else intent.side.worse(entry, ctx.rules.max_slippage(intent.symbol))
    bound = None if price is None else instrument.round_bound(price, intent.side)
    at_best = ExpectedEntry(instrument, intent.side, entry, _rests(intent, quote), leverage, ctx.rates(instrument))
    sized = _sized(ctx, intent, at_best, quote, bound)
    if isinstance(sized, Refusal):
        return (sized,)
    size, expected, loses_at = sized
    return Draft(
        intent=intent,
        instrument=instrument,
        quote=quote,
        size=size,
        entry=entry,
        price=bound,
        trigger=None if intent.trigger is None else instrument.round_price(intent.trigger),
        stop=stop_price(intent.stop, entry, intent.side, instrument) if intent.stop else None,
        target=target_price(intent.target, entry, intent.side, instrument) if intent.target else None,
        leverage=leverage,
        expected=expected,
        loses_at=loses_at,
    )


def _rests(intent: OpenBracket, quote: Quote) -> bool:
    """Whether an entry waits in the book until somebody takes it, rather than taking what is there."""
    if intent.type is not OrderType.LIMIT or intent.price is None:
        return False
    return intent.post_only or (intent.price < quote.ask if intent.side is Side.BUY else intent.price > quote.bid)


def _sized(
    ctx: Context, intent: OpenBracket, at_best: ExpectedEntry, quote: Quote, bound: Decimal | None
) -> tuple[Decimal, ExpectedEntry, Decimal | None] | Refusal:
    """Size, expected fill and where that would lose: at the best price, or at the worst acceptable one where more is wanted than is displayed."""
    loses_at = _loses_at(intent, at_best)
    size = base_size(ctx, at_best, intent.size, loses_at)
    shown = quote.ask_size if intent.side is Side.BUY else quote.bid_size
    if isinstance(size, Refusal) or size <= shown or bound is None or at_best.maker or intent.type is OrderType.STOP:
        return size if isinstance(size, Refusal) else (size, at_best, loses_at)
    worst = replace(at_best, price=bound)
    there = _loses_at(intent, worst)
    if loses_at is None or there is None or worst.risk(size, there) <= at_best.risk(size, loses_at):
        return size, at_best, loses_at  # a stop at a distance moves with the fill: what is sold for less may lose less
    if isinstance(intent.size, Risk):
        size = base_size(ctx, worst, intent.size, there)
    return size if isinstance(size, Refusal) else (size, worst, there)


def _loses_at(intent: OpenBracket, entry: ExpectedEntry) -> Decimal | None:
    """The tighter of the stop and of where a trail that follows at once would begin."""
    side, instrument = intent.side, entry.instrument
    stop = stop_price(intent.stop, entry.price, side, instrument) if intent.stop else None
    if intent.trail is None or intent.trail.after is not None:
        return stop
    level = instrument.round_stop(entry.price - intent.trail.distance(entry.price) * side.sign, side.opposite)
    if stop is None:
        return level
    return max(stop, level) if side is Side.BUY else min(stop, level)


def _leverage(ctx: Context, intent: OpenBracket, instrument: Instrument) -> Decimal | None:
    least = ctx.profile.margin_leverage
    if intent.leverage is None and intent.side is Side.SELL and instrument.kind is Kind.SPOT and least > ONE:
        return min(least, instrument.max_leverage)
    return intent.leverage


def _unusable(intent: OpenBracket) -> Refusals:
    if intent.type is OrderType.LIMIT and intent.price is None:
        yield Refusal("PRICE_MISSING", "limit", "a price")
    if intent.type is OrderType.STOP and intent.trigger is None:
        yield Refusal("PRICE_MISSING", "stop", "a trigger")
    for what, number in (("price", intent.price), ("trigger", intent.trigger), ("leverage", intent.leverage)):
        if number is not None and not usable(number):
            yield Refusal("NOT_A_NUMBER", f"{what} {number}", "a number above zero")
    yield from goals.unusable(intent.partials)
    for what, place in (("stop", intent.stop), ("target", intent.target)):
        if place is None:
            continue
        number = place.price if isinstance(place, At) else place.fraction
        if not usable(number):
            yield Refusal("NOT_A_NUMBER", f"{what} {number}", "a number above zero")
        elif not isinstance(place, At) and number >= 1 and (what == "stop") is (intent.side is Side.BUY):
            yield Refusal("NOT_A_NUMBER", f"{what} {number}", "a fraction below 1")


def refusals(ctx: Context, drafted: Draft) -> tuple[Refusal, ...]:
    """Every reason against the entry. The venue's counters are asked only about what may go."""
    return tuple(refusal for check in CHECKS for refusal in check(ctx, drafted)) or tuple(_tokens(ctx, drafted))


def _mode(ctx: Context, _: Draft) -> Refusals:
    if ctx.state.halted:
        yield Refusal("HALTED")
    if ctx.state.blocks:
        yield Refusal("ENTRIES_BLOCKED", ctx.state.block_texts())


def _freshness(ctx: Context, d: Draft) -> Refusals:
    if ctx.is_stale(d.intent.symbol, ctx.rules.risk.sizing_age):
        yield Refusal("STALE_PRICE", d.intent.symbol, f"{ctx.rules.risk.sizing_age:g} s")


def _limits(ctx: Context, _: Draft) -> Refusals:
    missing = waits_for(ctx)
    if missing:
        yield Refusal("LIMITS_UNKNOWN", ", ".join(missing))


def _minimums(_: Context, d: Draft) -> Refusals:
    if d.size < d.instrument.min_size or d.size == ZERO:
        yield Refusal("SIZE_BELOW_MINIMUM", f"{d.size:f} {d.intent.symbol}", f"{d.instrument.min_size:f}")
    elif d.notional < d.instrument.min_cost:
        yield Refusal("COST_BELOW_MINIMUM", f"{d.notional:f}", f"{d.instrument.min_cost:f} {d.instrument.quote}")


def _sides(ctx: Context, d: Draft) -> Refusals:
    """Stop, entry and target in their order, after rounding; the stop also against the market."""
    sign = d.intent.side.sign
    if d.stop is not None:
        if (d.entry - d.stop) * sign <= ZERO:
            yield Refusal("STOP_WRONG_SIDE", f"{d.stop:f}", f"the entry at {d.entry:f}")
        elif (beyond := liquidated_at(ctx, d)) is not None and (d.stop - beyond) * sign <= ZERO:
            yield Refusal("STOP_BEYOND_LIQUIDATION", f"{d.stop:f}", f"{beyond:f}")
        elif d.intent.type is OrderType.MARKET:
            exit_price = d.quote.bid if d.intent.side is Side.BUY else d.quote.ask
            if (exit_price - d.stop) * sign <= ZERO:
                yield Refusal("STOP_WOULD_FIRE", f"{d.stop:f}", f"{exit_price:f}")
    elif ctx.rules.risk.require_stop and d.loses_at is None:
        yield Refusal("STOP_REQUIRED")
    if d.target is not None and (d.target - d.entry) * sign <= ZERO:
        yield Refusal("TARGET_WRONG_SIDE", f"{d.target:f}", f"the entry at {d.entry:f}")
    if d.trigger is not None and d.intent.type is OrderType.STOP:
        market = d.quote.ask if d.intent.side is Side.BUY else d.quote.bid
        if (d.trigger - market) * sign <= ZERO:
            yield Refusal("TRIGGER_WRONG_SIDE", f"{d.trigger:f}", f"{market:f}")


def _partials(ctx: Context, d: Draft) -> Refusals:
    """Targets of parts: in their order between entry and target, each part and what is left of them tradable."""
    yield from goals.refusals(d.intent, d.instrument, d.size, d.entry, d.target)


def liquidated_at(ctx: Context, d: Draft) -> Decimal | None:
    """Where the venue would liquidate what the entry adds to."""
    if d.intent.side is Side.BUY and d.instrument.moves_coins(d.leverage):
        return None
    return margin.liquidated_at(ctx, d.instrument, d.intent.side, ctx.borrowed(d.intent.symbol) * d.intent.side.sign + d.size, d.entry)


def _distance(ctx: Context, d: Draft) -> Refusals:
    bound = ctx.rules.risk.max_limit_distance
    asked = d.price if d.intent.type is OrderType.LIMIT else d.trigger
    if asked is not None and abs(asked - d.quote.mid) > d.quote.mid * bound:
        yield Refusal("LIMIT_TOO_FAR", f"{asked:f}", f"{bound:%} of {d.quote.mid:f}")


def _slippage(ctx: Context, d: Draft) -> Refusals:
    """A market entry crosses the spread: half of it is slippage that is known before."""
    if d.intent.type is not OrderType.MARKET:
        return
    bound = ctx.rules.max_slippage(d.intent.symbol)
    expected = abs(d.entry - d.quote.mid) / d.quote.mid
    if expected > bound:
        yield Refusal("SLIPPAGE", f"{expected:.3%}", f"{bound:%}")
    share = ctx.rules.risk.max_book_share
    shown = d.quote.ask_size if d.intent.side is Side.BUY else d.quote.bid_size
    if share is not None and d.size > share * shown:
        yield Refusal("BOOK_SHARE", f"{d.size:f}", f"{share:f} times the {shown:f} displayed")


def _slots(ctx: Context, _: Draft) -> Refusals:
    """Open positions and entries in flight; a pending close frees no slot before it fills, and dust takes none."""
    taken = sum(1 for position in ctx.state.positions.values() if not position.dust)
    if taken >= ctx.rules.risk.max_positions:
        yield Refusal("MAX_POSITIONS", str(taken), str(ctx.rules.risk.max_positions))


def _slots_in_symbol(ctx: Context, d: Draft) -> Refusals:
    """The same in one symbol."""
    symbol = d.intent.symbol
    bound = ctx.rules.max_positions(symbol)
    held = sum(1 for position in ctx.state.positions_in(symbol) if not position.dust)
    if bound is not None and held >= bound:
        own = ctx.rules.of(symbol).max_positions is not None
        source = symbols.key(symbol, "max_positions") if own else "risk.max_positions_per_symbol"
        yield Refusal("MAX_POSITIONS_PER_SYMBOL", f"{held} in {symbol}", f"{bound} ({source})")


def _sizes(ctx: Context, d: Draft) -> Refusals:
    """The trader's own smallest and largest entry of the symbol, in the unit of its size."""
    own, symbol = ctx.rules.of(d.intent.symbol), d.intent.symbol
    if own.min_size is not None and d.size < own.min_size:
        yield Refusal("MIN_SIZE", f"{d.size:f} {symbol}", f"{own.min_size:f} ({symbols.key(symbol, 'min_size')})")
    if own.max_size is not None and d.size > own.max_size:
        yield Refusal("MAX_SIZE", f"{d.size:f} {symbol}", f"{own.max_size:f} ({symbols.key(symbol, 'max_size')})")


def _notionals(ctx: Context, d: Draft) -> Refusals:
    account = ctx.state.currency
    equity, _ = ctx.equity()
    rate = ctx.board.rate(d.instrument.quote, account)
    if rate is None:
        yield Refusal("NO_RATE", d.instrument.quote, account)
        return
    if equity <= ZERO:
        yield Refusal("INSUFFICIENT_FUNDS", f"{d.notional * rate:f} {account}", f"{equity:f} {account}")
        return
    order = d.notional * rate
    rules = ctx.rules.risk
    if rules.max_order_notional is not None and order > rules.max_order_notional:
        yield Refusal("MAX_ORDER_NOTIONAL", f"{order:.2f} {account}", f"{rules.max_order_notional:f} {account}")
    symbol, everything = order, order
    for held_symbol, held in committed(ctx):
        everything += held
        symbol += held if held_symbol == d.intent.symbol else ZERO
    for code, amount, bound in (
        ("MAX_ORDER_NOTIONAL", order, rules.max_order),
        ("MAX_POSITION_NOTIONAL", symbol, rules.max_position),
        ("MAX_EXPOSURE", everything, rules.max_exposure),
    ):
        if amount > bound * equity:
            yield Refusal(code, f"{amount:.2f} {account}", f"{bound:f} times the equity of {equity:.2f} {account}")


def committed(ctx: Context) -> Iterator[tuple[str, Decimal]]:
    """Notional per position held and per entry in flight, in the account's currency; what has no rate counts at its own number."""
    wanted: dict[str, Decimal] = {}
    for order in ctx.state.orders.values():
        if order.role is Role.ENTRY:
            wanted[order.position] = wanted.get(order.position, ZERO) + order.remaining
    for position in ctx.state.positions.values():
        instrument = ctx.instrument(position)
        size = abs(position.size) + wanted.get(position.id, ZERO)
        price = ctx.mark(position) or position.entry_price(instrument)
        if size and price:
            notional = instrument.notional(size, price)
            converted = ctx.to_account(notional, instrument.quote)
            yield position.symbol, notional if converted is None else converted


def _risk(ctx: Context, d: Draft) -> Refusals:
    """What is lost at the stop, both fees included; without a stop the whole notional counts."""
    equity, _ = ctx.equity()
    bounded = d.risk is not None
    risk = ctx.to_account(max(d.risk or ZERO, ZERO), d.instrument.settle) if bounded else ctx.to_account(d.notional, d.instrument.quote)
    if risk is None:
        return  # told by _notionals
    rules = ctx.rules.risk
    if rules.max_trade_risk is not None and risk > rules.max_trade_risk * equity:
        yield Refusal("MAX_TRADE_RISK", f"{risk:.2f}", f"{rules.max_trade_risk:%} of {equity:.2f}")
    total = risk + at_stops(ctx).counted
    if total > rules.max_open_risk * equity:
        yield Refusal("MAX_OPEN_RISK", f"{total:.2f}", f"{rules.max_open_risk:%} of {equity:.2f}")


def _shorts(ctx: Context, d: Draft) -> Refusals:
    if d.intent.side is Side.SELL and not d.instrument.can_short:
        yield Refusal("CANNOT_SHORT", d.intent.symbol)
    if d.intent.leverage is not None and d.intent.leverage > d.instrument.max_leverage:
        yield Refusal("LEVERAGE_TOO_HIGH", f"{d.intent.leverage:f}", f"{d.instrument.max_leverage:f}")
    for position in ctx.state.positions_in(d.intent.symbol):
        if position.side is not d.intent.side:
            yield Refusal("OPPOSITE_POSITION", position.label or position.id)
        elif not d.instrument.moves_coins(d.leverage) and _exceeds(ctx, position):  # its exits reduce all of the symbol: soon also the newcomer
            yield Refusal("PENDING", position.label or position.id)


def _exceeds(ctx: Context, position: Position) -> bool:
    """Whether a position's exits may take more than it holds, and can't all be made smaller at once."""
    exits = [order for order in ctx.state.orders_for(position.id) if order.is_exit]
    unsettled = any(order.in_doubt or not order.is_working for order in exits)
    return position.closing > ZERO or (unsettled and sum((order.remaining for order in exits), ZERO) > position.size)


def _funds(ctx: Context, d: Draft) -> Refusals:
    """A spot buy without leverage is paid in full, fee included, from what no other entry has reserved."""
    if d.intent.side is Side.SELL or not d.instrument.moves_coins(d.leverage):
        return
    free = ctx.state.cash.get(d.instrument.quote, ZERO)
    for order in ctx.state.orders.values():
        other = ctx.state.instruments[order.symbol]
        if not order.is_exit and order.side is Side.BUY and other.quote == d.instrument.quote and order.price:
            free -= other.notional(order.remaining, order.price)
    needed = d.notional * (1 + ctx.rates(d.instrument).taker)
    if needed > free:
        currency = d.instrument.quote
        yield Refusal("INSUFFICIENT_FUNDS", f"{needed:.2f} {currency}", f"{free:.2f} {currency}")


def _margin(ctx: Context, d: Draft) -> Refusals:
    """What is on margin binds a part of the equity: the entry's must be free."""
    if d.instrument.moves_coins(d.leverage):
        return
    equity, _ = ctx.equity()
    used, needed = margin.used(ctx), margin.needed(ctx, d.instrument, d.size, d.entry, d.leverage)
    if equity > ZERO and used is not None and needed is not None and needed > equity - used:  # the rest is told by _notionals
        currency = ctx.state.currency
        yield Refusal("INSUFFICIENT_MARGIN", f"{needed:.2f} {currency}", f"{equity - used:.2f} {currency}")


def _orders(ctx: Context, d: Draft) -> Refusals:
    """The entry and the stop and target that it will need must fit under the venue's cap."""
    count = sum(1 for order in ctx.state.orders.values() if order.symbol == d.intent.symbol)
    parts = len(d.intent.partials)
    if count + 3 + parts > ctx.profile.max_open_orders:
        kept = "three" if not parts else str(3 + parts)
        yield Refusal("TOO_MANY_OPEN_ORDERS", str(count), f"{ctx.profile.max_open_orders}, less {kept} for the bracket")


def _tokens(ctx: Context, d: Draft) -> Refusals:
    """An entry that could not leave before its deadline is not journaled as sent."""
    if ctx.board.leaves_after is None or not ctx.profile.deadline:
        return
    seconds = ctx.rules.requests.entry_deadline
    entry = Order("", "", d.intent.symbol, d.intent.side, d.intent.type, Role.ENTRY, d.size, touched_at=ctx.now)
    after = ctx.board.leaves_after(entry)
    if after is None or after > nanoseconds(seconds):
        yield Refusal("NO_TOKENS", f"{seconds:g} s", "in some minutes" if after is None else f"in {after / 1e9:.1f} s")


CHECKS: tuple[Check, ...] = (
    _mode,
    _freshness,
    _limits,
    _minimums,
    _sizes,
    _sides,
    _partials,
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
    return Plan(intent.id, intent.stop, intent.target, intent.trail, intent.partials, began_at=now)
