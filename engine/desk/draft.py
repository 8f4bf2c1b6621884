"""The entry that an intent means, with all its numbers on the grid; or why there can be none."""

from collections.abc import Iterator
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.desk import goals, places, wishes
from engine.desk.context import Context
from engine.desk.places import UntoldError
from engine.desk.sizing import base_size, reference_price, stop_price, target_price, usable
from engine.desk.symbols import with_defaults
from engine.model.codes import RefusalCode
from engine.model.figures import ExpectedEntry
from engine.model.instrument import Instrument, Kind
from engine.model.intent import OpenBracket, Risk
from engine.model.money import ONE, ZERO
from engine.model.order import OrderType
from engine.model.place import Away, number_of
from engine.model.quote import Quote
from engine.model.refusal import Refusal
from engine.model.side import Side


class Draft(Struct, frozen=True, gc=False):
    """An entry with all its numbers on the venue's grid."""

    intent: OpenBracket
    """As asked, with the symbol's defaults, and with its places as prices."""
    planned: OpenBracket
    """The same with its places as what they are told by: for each fill they are told anew."""
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
    """As it fills at the worst price of the visible book, or at the worst acceptable one where the
    book shows too little.
    """
    loses_at: Decimal | None
    """Where it would be closed at a loss if it filled so: its stop, or its trail's first; None
    without either.
    """

    @property
    def risk(self) -> Decimal | None:
        """What is lost there, both fees included (settle currency); None: without a stop nothing
        bounds it.
        """
        return None if self.loses_at is None else self.expected.risk(self.size, self.loses_at)

    @property
    def notional(self) -> Decimal:
        """In the quote currency."""
        return self.instrument.notional(self.size, self.entry)


Refusals = Iterator[Refusal]


def draft(ctx: Context, intent: OpenBracket) -> Draft | tuple[Refusal, ...]:
    """The entry on the grid, or why there can be none."""
    instrument = ctx.state.instruments.get(intent.symbol)
    if instrument is None:
        known = ", ".join(sorted(ctx.state.instruments)) or "none"
        return (Refusal(RefusalCode.UNKNOWN_SYMBOL, intent.symbol, known),)
    intent = with_defaults(ctx, intent)
    if numbers := tuple(_unusable(intent)):
        return numbers
    quote = ctx.quote(intent.symbol)
    if quote is None:
        return (Refusal(RefusalCode.NO_PRICE, intent.symbol),)
    told = _wished(ctx, intent, quote, instrument)
    return (told,) if isinstance(told, Refusal) else _drafted(ctx, *told, quote)


def _drafted(
    ctx: Context,
    intent: OpenBracket,
    at_best: ExpectedEntry,
    bound: Decimal | None,
    quote: Quote,
) -> Draft | tuple[Refusal, ...]:
    """The entry with its size, and with its targets and rules at prices."""
    instrument = at_best.instrument
    sized = _sized(ctx, intent, at_best, quote, bound)
    if isinstance(sized, Refusal):
        return (sized,)
    size, expected, loses_at = sized
    placed = _placed(ctx, intent, expected, size, loses_at)
    if isinstance(placed, Refusal):
        return (placed,)
    planned, intent = placed
    entry, side = at_best.price, intent.side
    return Draft(
        intent=intent,
        planned=planned,
        instrument=instrument,
        quote=quote,
        size=size,
        entry=entry,
        price=bound,
        trigger=None if intent.trigger is None else instrument.round_price(intent.trigger),
        stop=stop_price(intent.stop, entry, side, instrument) if intent.stop else None,
        target=target_price(intent.target, entry, side, instrument) if intent.target else None,
        leverage=at_best.leverage,
        expected=expected,
        loses_at=loses_at,
    )


def _placed(
    ctx: Context,
    intent: OpenBracket,
    expected: ExpectedEntry,
    size: Decimal,
    loses_at: Decimal | None,
) -> tuple[OpenBracket, OpenBracket] | Refusal:
    """The entry with its places as what they are told by, and as prices."""
    try:
        basis = places.of_entry(ctx, expected, size, loses_at)
        if size <= ZERO:
            return intent, intent
        planned = wishes.gains_at_distance(intent, basis, expected.price)
        return planned, places.told(planned, basis)
    except UntoldError as error:
        return Refusal(RefusalCode.PLACE_UNKNOWN, error.value, error.bound)


def _wished(
    ctx: Context, intent: OpenBracket, quote: Quote, instrument: Instrument
) -> tuple[OpenBracket, ExpectedEntry, Decimal | None] | Refusal:
    """The entry with its price, its size and its stop in numbers; how it is expected to fill at the
    best price; and its limit, or its worst acceptable price.
    """
    told = wishes.anchored(intent, quote, instrument)
    if not isinstance(told, Refusal):
        told = wishes.in_money(ctx, told, instrument)
    if isinstance(told, Refusal):
        return told
    entry = reference_price(told, quote)
    price = (
        told.price
        if told.type is OrderType.LIMIT
        else told.side.worse(entry, ctx.rules.max_slippage(told.symbol))
    )
    at_best = ExpectedEntry(
        instrument,
        told.side,
        entry,
        _rests(told, quote),
        _leverage(ctx, told, instrument),
        ctx.rates(instrument),
    )
    stopped = wishes.stop_at_distance(ctx, told, at_best)
    if isinstance(stopped, Refusal):
        return stopped
    return stopped, at_best, None if price is None else instrument.round_bound(price, told.side)


def _rests(intent: OpenBracket, quote: Quote) -> bool:
    """Whether an entry waits in the book until somebody takes it, rather than taking what
    is there.
    """
    if intent.type is not OrderType.LIMIT or intent.price is None:
        return False
    return intent.post_only or (
        intent.price < quote.ask if intent.side is Side.BUY else intent.price > quote.bid
    )


def _sized(
    ctx: Context, intent: OpenBracket, at_best: ExpectedEntry, quote: Quote, bound: Decimal | None
) -> tuple[Decimal, ExpectedEntry, Decimal | None] | Refusal:
    """Size, expected fill and where that would lose: at the best price, or at the worst acceptable
    one where more is wanted than is displayed.
    """
    loses_at = _loses_at(intent, at_best)
    size = base_size(ctx, at_best, intent.size, loses_at)
    shown = quote.ask_size if intent.side is Side.BUY else quote.bid_size
    if (
        isinstance(size, Refusal)
        or size <= shown
        or bound is None
        or at_best.maker
        or intent.type is OrderType.STOP
    ):
        return size if isinstance(size, Refusal) else (size, at_best, loses_at)
    worst = replace(at_best, price=bound)
    there = _loses_at(intent, worst)
    if loses_at is None or there is None or worst.risk(size, there) <= at_best.risk(size, loses_at):
        # a stop at a distance moves with the fill: what is sold for less may lose less
        return size, at_best, loses_at
    if isinstance(intent.size, Risk):
        size = base_size(ctx, worst, intent.size, there)
    return size if isinstance(size, Refusal) else (size, worst, there)


def _loses_at(intent: OpenBracket, entry: ExpectedEntry) -> Decimal | None:
    """The tighter of the stop and of where a trail that follows at once would begin."""
    side, instrument = intent.side, entry.instrument
    stop = stop_price(intent.stop, entry.price, side, instrument) if intent.stop else None
    if intent.trail is None or not intent.trail.at_once:
        return stop
    level = instrument.round_stop(
        entry.price - intent.trail.distance(entry.price) * side.sign, side.opposite
    )
    if stop is None:
        return level
    return max(stop, level) if side is Side.BUY else min(stop, level)


def _leverage(ctx: Context, intent: OpenBracket, instrument: Instrument) -> Decimal | None:
    least = ctx.profile.margin_leverage
    if (
        intent.leverage is None
        and intent.side is Side.SELL
        and instrument.kind is Kind.SPOT
        and least > ONE
    ):
        return min(least, instrument.max_leverage)
    return intent.leverage


def _unusable(intent: OpenBracket) -> Refusals:
    told = intent.anchored is not None
    if intent.type is OrderType.LIMIT and intent.price is None and not told:
        yield Refusal(RefusalCode.PRICE_MISSING, "limit", "a price")
    if intent.type is OrderType.STOP and intent.trigger is None and not told:
        yield Refusal(RefusalCode.PRICE_MISSING, "stop", "a trigger")
    if intent.post_only and intent.type is not OrderType.LIMIT:
        yield Refusal(RefusalCode.PRICE_MISSING, "post-only", "a limit")
    for what, number in (
        ("price", intent.price),
        ("trigger", intent.trigger),
        ("leverage", intent.leverage),
    ):
        if number is not None and not usable(number):
            yield Refusal(RefusalCode.NOT_A_NUMBER, f"{what} {number}", "a number above zero")
    yield from goals.unusable(intent.partials)
    yield from _unusable_places(intent)


def _unusable_places(intent: OpenBracket) -> Refusals:
    trail, rule = intent.trail, intent.break_even
    for what, place in (
        ("stop", intent.stop),
        ("target", intent.target),
        ("trail after", None if trail is None else trail.begins),
        ("break-even after", None if rule is None else rule.after),
    ):
        if place is None:
            continue
        number = number_of(place)
        if not usable(number):
            yield Refusal(RefusalCode.NOT_A_NUMBER, f"{what} {number}", "a number above zero")
        elif (
            isinstance(place, Away)
            and number >= 1
            and (what == "stop") is (intent.side is Side.BUY)
        ):
            yield Refusal(RefusalCode.NOT_A_NUMBER, f"{what} {number}", "a fraction below 1")
