"""From `buy` and `sell` to an entry."""

from decimal import Decimal

from engine.grammar import terms
from engine.grammar import tree as t
from engine.grammar.around import Around
from engine.grammar.prices import HUNDRED, Told
from engine.grammar.wrong import Span, wrong
from engine.model.intent import Anchor, Anchored, At, Base, BreakEvenRule, OpenBracket, Place
from engine.model.money import grouped
from engine.model.order import OrderType
from engine.model.side import Side
from engine.model.view import FeedView

LIKE = Decimal("0.2")
"""How near to the price, as a fraction of it, a size is a price that lacks its `at` ..."""
BEYOND = 20
"""... where it would cost more than so many times the equity."""


OF_THE_DESK = frozenset(anchor.value for anchor in Anchor)
"""Anchors that the desk tells itself."""


def entry(command: t.Enter, around: Around, key: str) -> OpenBracket:
    """The entry that a command stands for. Raises WrongError."""
    symbol = around.symbol(command.symbol, command.span)
    feed = around.feed(symbol, command.symbol.span if command.symbol else command.span)
    _is_no_price(command, around, feed)
    kind, at = _kind(command)
    told = Told(around, symbol, command.side)
    told_there = None if at is None else anchored(at)
    price = None
    if at is not None:
        price = told.limit(at, command.side) if kind is OrderType.LIMIT else told.price(at)
    told.entry = _expected(command.side, kind, price, feed)
    stop = None if command.stop is None else terms.place(told, command.stop)
    _sides(command, told, feed, kind, stop)
    size = terms.size(around, command.size)
    whole = size.amount if isinstance(size, Base) else None
    places = [terms.place(told, leg.place) for leg in command.legs]
    partials, target = terms.targets(command.legs, places, whole)
    intent = OpenBracket(
        id=key,
        symbol=symbol,
        side=command.side,
        size=size,
        type=kind,
        price=price if kind is OrderType.LIMIT and told_there is None else None,
        trigger=price if kind is OrderType.STOP and told_there is None else None,
        anchored=told_there,
        stop=stop,
        target=target,
        partials=partials,
        trail=None if command.trail is None else terms.trail(told, command.trail),
        break_even=_rule(command),
        expires_in=_lifetime(command, kind),
        post_only=command.post,
        ioc=command.ioc,
        leverage=command.leverage,
        note=command.note,
        tags=command.tags,
    )
    return _templated(intent, command, around)


def anchored(node: t.AnyPrice) -> Anchored | None:
    """A price that the desk tells itself when it decides, by the market of that moment."""
    if not isinstance(node, t.Anchored) or node.anchor not in OF_THE_DESK:
        return None
    step = node.offset
    if step is None:
        return Anchored(Anchor(node.anchor))
    if step.unit == "t":
        return Anchored(Anchor(node.anchor), ticks=step.value)
    return Anchored(Anchor(node.anchor), fraction=step.value / HUNDRED)


def _rule(command: t.Enter) -> BreakEvenRule | None:
    if command.even_after is None:
        return None
    return BreakEvenRule(terms.distance(command.even_after))


def _lifetime(command: t.Enter, kind: OrderType) -> int | None:
    if command.expire is None:
        return None
    if kind is OrderType.MARKET:
        span = command.expire.span
        text = "only what waits expires: add “at” or “when” and a price"
        raise wrong(span.start, span.end, text)
    return command.expire.nanoseconds


def _kind(command: t.Enter) -> tuple[OrderType, t.AnyPrice | None]:
    """The type of the order, and what tells its price."""
    if command.at is not None and command.when is not None:
        span = command.when.span
        text = "“at” and “when” exclude each other: a stop entry is bounded by risk.max_slippage"
        raise wrong(span.start, span.end, text)
    kind = OrderType.MARKET
    if command.at is not None:
        kind = OrderType.LIMIT
    elif command.when is not None:
        kind = OrderType.STOP
    for said, word in ((command.post, "post"), (command.ioc, "ioc")):
        if said and kind is not OrderType.LIMIT:
            text = f"“{word}” is said of a limit: add “at” and a price"
            raise wrong(command.span.end, command.span.end, text, "at bid")
    return kind, command.at or command.when


def _expected(side: Side, kind: OrderType, price: Decimal | None, feed: FeedView) -> Decimal:
    """Where it is expected to fill."""
    market = feed.ask if side is Side.BUY else feed.bid
    if price is None or kind is OrderType.MARKET:
        return market
    if kind is OrderType.STOP:
        return price
    return min(price, market) if side is Side.BUY else max(price, market)


def _is_no_price(command: t.Enter, around: Around, feed: FeedView) -> None:
    """Refuse a size that is a price without its `at`."""
    size, equity = command.size, around.view.account.equity
    span = size.span
    if isinstance(size, t.Variable):
        set_before = around.variables.get(size.name)
        size = set_before if isinstance(set_before, t.Amount) else size
    if not isinstance(size, t.Amount) or command.at or command.when or equity is None:
        return
    price = feed.bid
    if abs(size.value - price) <= price * LIKE and size.value * price > BEYOND * abs(equity):
        raw = f"{size.value:f}"
        said = f"{grouped(size.value)} looks like a price of {feed.symbol}"
        raise wrong(span.start, span.end, f"{said}: write “at {raw}”, and a size before it")


def _sides(
    command: t.Enter, told: Told, feed: FeedView, kind: OrderType, stop: Place | None
) -> None:
    """Refuse a stop on the side where the entry would gain."""
    if not isinstance(stop, At) or command.stop is None or told.entry is None:
        return
    long = command.side is Side.BUY
    if kind is OrderType.MARKET:
        bound, what = (feed.bid if long else feed.ask), "the market of"
    else:
        bound, what = told.entry, "the entry at"
    if (bound - stop.price) * command.side.sign > 0:
        return
    beyond, right = ("above", "below") if long else ("below", "above")
    whose = f"a {'long' if long else 'short'}’s stop is {right}"
    text = f"a stop at {stop.price:f} is {beyond} {what} {grouped(bound)}: {whose}"
    raise wrong(command.stop.span.start, command.stop.span.end, text)


def _templated(intent: OpenBracket, command: t.Enter, around: Around) -> OpenBracket:
    """The entry with what its template, or that of the symbol, says of what was not said."""
    span = _behind(command)
    if around.filled is None:
        if command.template:
            raise wrong(span.start, span.end, f"no template is called “{command.template}” here")
        return intent
    try:
        return around.filled(intent, command.template)
    except ValueError as error:
        raise wrong(span.start, span.end, str(error)) from error


def _behind(command: t.Enter) -> Span:
    return Span(command.span.end, command.span.end)
