"""What stands at each price of a ladder: sizes, our orders, marks, volume, and the net there."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from msgspec import Struct

from engine.model.order import Order
from engine.model.side import Side
from engine.model.view import OrderView, PositionView
from engine.session.messages import DepthTold, Queued
from tui.ladder.window import Window

ZERO = Decimal(0)
UNKNOWN = "?"


class Row(Struct, frozen=True):
    """One price."""

    price: Decimal
    bid: Decimal | None = None
    """Size; zero for a price whose size nobody told, None where nothing stands."""
    ask: Decimal | None = None
    buys: Decimal = ZERO
    """Of our own buy orders, what has not filled."""
    sells: Decimal = ZERO
    marks: str = ""
    """E entry, S stop, T1 target, L liquidation, ◂ last trade."""
    volume: Decimal = ZERO
    net: Decimal | None = None
    queue: str = ""
    """Of our first order there: size ahead of it, and all that is shown at its price."""


class Level(Struct, frozen=True):
    """A price that matters."""

    name: str
    mark: str
    price: Decimal


def levels_of(position: PositionView | None) -> list[Level]:
    """Where a position protects and leaves, what protects first."""
    if position is None:
        return []
    found = []
    if position.stop is not None:
        found.append(Level("stop", "S", position.stop))
    if position.liquidation is not None:
        found.append(Level("liquidation", "L", position.liquidation))
    targets = [price for price, _ in position.goals]
    targets += [] if position.target is None else [position.target]
    for number, price in enumerate(targets, start=1):
        name = "target" if len(targets) == 1 else f"target {number}"
        found.append(Level(name, f"T{number}", price))
    return [*found, Level("entry", "E", position.entry)]


def order_price(order: Order) -> Decimal | None:
    """The price at which an order stands on a ladder: its trigger while it waits for one."""
    waits = order.trigger is not None and not order.triggered
    return order.trigger if waits else order.price


def row_of(window: Window, side: Side, price: Decimal) -> Decimal:
    """The row of a price: bids are rounded down, asks up."""
    return window.below(price) if side is Side.BUY else window.above(price)


def ours_at(window: Window, orders: Iterable[OrderView], price: Decimal) -> list[OrderView]:
    """Our orders in the row of a price, entries first."""
    found = [
        one
        for one in orders
        if not one.order.foreign
        and (at := order_price(one.order)) is not None
        and row_of(window, one.order.side, at) == price
    ]
    return sorted(found, key=lambda one: one.order.is_exit)


class Shown(Struct):
    """What a ladder is made of, at one moment."""

    window: Window
    told: DepthTold
    orders: tuple[OrderView, ...]
    """Of the symbol."""
    position: PositionView | None
    net: Callable[[Decimal], Decimal | None]


def rows_of(shown: Shown) -> list[Row]:
    """All rows of the window, from the top."""
    window, told = shown.window, shown.told
    bids = _grouped(told.bids, window.below, lambda price: price < window.bottom)
    asks = _grouped(told.asks, window.above, lambda price: price > window.top)
    volume = _volume(window, told)
    marks, own, queues = _marks(shown), _own(shown), _queues(shown)
    return [
        Row(
            price,
            bids.get(price),
            asks.get(price),
            own.get((Side.BUY, price), ZERO),
            own.get((Side.SELL, price), ZERO),
            marks.get(price, ""),
            volume.get(price, ZERO),
            shown.net(price),
            queues.get(price, ""),
        )
        for price in window.prices()
    ]


def _grouped(
    levels: Iterable[tuple[Decimal, Decimal]],
    row: Callable[[Decimal], Decimal],
    beyond: Callable[[Decimal], bool],
) -> dict[Decimal, Decimal]:
    found: dict[Decimal, Decimal] = {}
    for price, size in levels:  # the best first
        if beyond(price):
            break
        at = row(price)
        found[at] = found.get(at, ZERO) + size
    return found


def _volume(window: Window, told: DepthTold) -> dict[Decimal, Decimal]:
    """Below the market a trade counts in the row of a bid, above it in that of an ask."""
    middle = told.bids[0][0] if told.bids else ZERO
    found: dict[Decimal, Decimal] = {}
    for price, size in told.volume:
        at = window.below(price) if price <= middle else window.above(price)
        found[at] = found.get(at, ZERO) + size
    return found


def _marks(shown: Shown) -> dict[Decimal, str]:
    found: dict[Decimal, str] = {}
    for level in levels_of(shown.position):
        at = shown.window.nearest(level.price)
        found[at] = found.get(at, "") + level.mark
    if shown.told.tape:
        at = shown.window.nearest(shown.told.tape[-1].price)
        found[at] = found.get(at, "") + "◂"
    return found


def _own(shown: Shown) -> dict[tuple[Side, Decimal], Decimal]:
    found: dict[tuple[Side, Decimal], Decimal] = {}
    for one in shown.orders:
        price = order_price(one.order)
        if price is not None and not one.order.foreign:
            at = (one.order.side, row_of(shown.window, one.order.side, price))
            found[at] = found.get(at, ZERO) + one.order.remaining
    return found


def _queues(shown: Shown) -> dict[Decimal, str]:
    places: Mapping[str, Queued] = {one.order: one for one in shown.told.queue}
    found: dict[Decimal, str] = {}
    for one in shown.orders:
        place, price = places.get(one.order.client_order_id), one.order.price
        if place is not None and price is not None:
            found.setdefault(row_of(shown.window, one.order.side, price), _place(place))
    return found


def _place(place: Queued) -> str:
    return f"{_short(place.ahead)}/{_short(place.total)}"


def _short(size: Decimal | None) -> str:
    """In four cells: rounded, and never a digit less than it says."""
    if size is None:
        return UNKNOWN
    if Decimal(0) < size < Decimal("0.01"):
        return "<.01"
    for unit, name in ((Decimal(1_000_000), "M"), (Decimal(1_000), "k")):
        if size >= 10 * unit:
            return f"{size / unit:.0f}{name}"
    places = 2 if size < Decimal("9.995") else 1 if size < Decimal("99.95") else 0
    text = f"{size:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def net_line(
    low: Decimal, high: Decimal, net: tuple[Decimal, ...], *, inverse: bool
) -> Callable[[Decimal], Decimal | None]:
    """The net at any price, from those at two: linear in the price, or in its inverse."""
    if len(net) != 2 or low <= 0 or low == high:
        return lambda _: None

    def at(price: Decimal) -> Decimal:
        return 1 / price if inverse else price

    slope = (net[1] - net[0]) / (at(high) - at(low))
    return lambda price: net[0] + slope * (at(price) - at(low)) if price > 0 else None
