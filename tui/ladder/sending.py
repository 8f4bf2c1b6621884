"""From a key to an intent: what an order from the ladder means where nothing is held, and where it
leaves.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.side import Side
from engine.model.view import PositionView
from tui import figures
from tui.ladder.picture import Picture

Filled = Callable[[i.OpenBracket, str], i.OpenBracket]


class Key(Struct, frozen=True):
    """What an order key says."""

    side: Side
    type: OrderType
    anchor: i.Anchor | None = None
    """Of a limit that the desk tells; None for one at the cursor."""

    def words(self, price: str) -> str:
        """Such as `BUY LIMIT`."""
        kind = {OrderType.LIMIT: "LIMIT", OrderType.STOP: "STOP", OrderType.MARKET: "MARKET"}
        place = f" {self.anchor.value}" if self.anchor is not None else price and f" {price}"
        return f"{self.side.value.upper()} {kind[self.type]}{place}"


KEYS: dict[str, Key] = {
    "buy": Key(Side.BUY, OrderType.LIMIT),
    "sell": Key(Side.SELL, OrderType.LIMIT),
    "buy-stop": Key(Side.BUY, OrderType.STOP),
    "sell-stop": Key(Side.SELL, OrderType.STOP),
    "join-bid": Key(Side.BUY, OrderType.LIMIT, i.Anchor.JOIN),
    "join-ask": Key(Side.SELL, OrderType.LIMIT, i.Anchor.JOIN),
    "improve-bid": Key(Side.BUY, OrderType.LIMIT, i.Anchor.IMPROVE),
    "improve-ask": Key(Side.SELL, OrderType.LIMIT, i.Anchor.IMPROVE),
    "buy-market": Key(Side.BUY, OrderType.MARKET),
    "sell-market": Key(Side.SELL, OrderType.MARKET),
}


class UnsendableError(ValueError):
    """A key that can send nothing here; the text says why, and what to do."""


class Wanted(Struct, frozen=True):
    """An order key, and all that it depends on."""

    key: Key
    symbol: str
    cursor: Decimal | None
    size: i.Size | None
    template: str
    picture: Picture | None
    position: PositionView | None
    """What is held of the symbol."""
    flip: bool = False

    @property
    def exits(self) -> bool:
        """Whether the order is against what is held."""
        return self.position is not None and self.position.side is not self.key.side


def intent_of(wanted: Wanted, name: str, filled: Filled | None) -> i.AnyIntent:
    """What the key asks for, under the id `name`. Raises UnsendableError."""
    if wanted.picture is None:
        raise UnsendableError("no book was on the screen yet")
    if wanted.size is None:
        raise UnsendableError("no size is chosen: 1 to 4, or 0 to type one")
    price = _price(wanted, wanted.picture)
    if wanted.exits:
        return _exit(wanted, wanted.picture, name, price)
    return _entry(wanted, wanted.picture, name, price, filled)


def _price(wanted: Wanted, picture: Picture) -> Decimal | None:
    """The price under the cursor, as it was painted."""
    if wanted.key.type is OrderType.MARKET or wanted.key.anchor is not None:
        return None
    if wanted.cursor is None or not picture.painted(wanted.cursor):
        raise UnsendableError("the cursor is off the screen: space centres the ladder")
    return wanted.cursor


def _entry(
    wanted: Wanted, picture: Picture, name: str, price: Decimal | None, filled: Filled | None
) -> i.AnyIntent:
    key = wanted.key
    assert wanted.size is not None
    entry = i.OpenBracket(
        id=name,
        symbol=wanted.symbol,
        side=key.side,
        size=wanted.size,
        type=key.type,
        price=price if key.type is OrderType.LIMIT else None,
        trigger=price if key.type is OrderType.STOP else None,
        anchored=None if key.anchor is None else i.Anchored(key.anchor),
        label="",
        seen=picture.seen,
    )
    if filled is None:
        return entry
    made = filled(entry, wanted.template)
    # a template fills in what protects; how it enters is what the key says
    return replace(
        made,
        size=entry.size,
        type=entry.type,
        price=entry.price,
        trigger=entry.trigger,
        anchored=entry.anchored,
        post_only=made.post_only and entry.type is OrderType.LIMIT and key.anchor is not None,
        seen=entry.seen,
    )


def _exit(wanted: Wanted, picture: Picture, name: str, price: Decimal | None) -> i.AnyIntent:
    """Never more than is held, and never an order that could open something."""
    key, held, seen = wanted.key, wanted.position, picture.seen
    assert held is not None
    if not isinstance(wanted.size, i.Base):
        raise UnsendableError("leaving needs a size in units: risk and money are for entries")
    asked = wanted.size.amount  # the desk cuts it to what is held when it decides
    if key.type is OrderType.STOP:
        raise UnsendableError("a stop against what is held is its stop: m moves it to the cursor")
    if key.type is OrderType.MARKET:
        if wanted.flip and wanted.size.amount >= held.size:
            return i.Reverse(id=name, position=held.id, seen=seen)
        return i.ClosePosition(id=name, position=held.id, size=asked, seen=seen)
    if price is None:  # the desk tells it when it decides, bounded by what was seen
        anchored = i.Anchored(key.anchor or i.Anchor.JOIN)
        return i.LeaveAt(id=name, position=held.id, size=asked, anchored=anchored, seen=seen)
    opposite = seen.bid if key.side is Side.SELL else seen.ask
    if (price - opposite) * key.side.sign > seen.ask - seen.bid:
        raise UnsendableError("that crosses by more than the spread: W and O leave at market")
    return i.LeaveAt(id=name, position=held.id, size=asked, price=price, seen=seen)


def told(wanted: Wanted, size: str, tick: Decimal) -> str:
    """What the key means, in a few words."""
    at = wanted.cursor if wanted.key.type is not OrderType.MARKET else None
    price = "" if at is None or wanted.key.anchor is not None else figures.price(at, tick)
    leaves = " (leaves, never more than is held)" if wanted.exits else ""
    return f"{wanted.key.words(price)} {size}{leaves}"
