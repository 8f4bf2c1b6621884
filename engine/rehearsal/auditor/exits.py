"""Invariant 3: exits close no more than is held, by position and by symbol."""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from engine.model.alert import Alert
from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.order import Role, Status
from engine.model.side import Side
from engine.rehearsal.auditor.books import Book, Books
from engine.rehearsal.auditor.orders import Orders
from engine.rehearsal.auditor.prices import DUST, Prices
from engine.rehearsal.auditor.witness import Witness


def closing(
    book: Book, books: Books, orders: Orders, prices: Prices, alerts: Mapping[str, Alert]
) -> Iterator[tuple[str, str]]:
    """Invariant 3: working exits close no more than is held, or the venue itself keeps them
    from it.
    """
    if book.over:
        if prices.takes(books.instruments[book.symbol], abs(book.size), DUST):
            yield "4 abandoned", f"{book.id} is called over, and holds {book.size}"
        return
    exits = orders.exits(book.id, book.side.opposite)
    # something else closed it: what we still ask about may never have reached the venue
    if book.adjusted:
        entries = (one for one in orders.of.get(book.id, {}).values() if not one.is_exit)
        # else what is held is not known either
        entered = all(one.is_certain for one in entries)
        exits = [
            one for one in exits if entered and one.is_certain and one.status is not Status.PENDING
        ]
    alone = (
        sum(1 for other in books.of.values() if other.symbol == book.symbol and not other.over) <= 1
    )
    held = max(book.size, ZERO)
    free = sum(
        (one.remaining for one in exits if not (one.reduce_only and (alone or not one.is_certain))),
        ZERO,
    )
    if free > held and f"{AlertCode.OVER_CLOSED}:{book.id}" not in alerts:
        yield "3 exits", f"{book.id}: exits for {free} work, {book.size} is held"
    under_way = sum((one.remaining for one in exits if one.role is Role.CLOSE), ZERO)
    if under_way > held and not any(one.reduce_only for one in exits):
        yield "3 closing", f"{book.id}: closing {under_way} of {book.size}"


def resting(
    symbol: str, witness: Witness | None, books: Books, alerts: Mapping[str, Alert]
) -> Iterator[tuple[str, str]]:
    """Invariant 3 by symbol: what rests at the venue to close longs (or shorts) is no more than
    the venue holds of them.
    """
    if witness is None:
        return
    resting: dict[tuple[Side, bool], Decimal] = {}
    for order in witness.resting(symbol):
        key = order.side, witness.kind(symbol, order.leverage)[1]
        resting[key] = resting.get(key, ZERO) + order.remaining
    for (side, coins), size in resting.items():
        here = list(witness.positions((symbol, coins)))
        if any(_closed_otherwise(name, books, alerts) for name in here):
            continue
        held = sum((max(witness.size_of(name) * -side.sign, ZERO) for name in here), ZERO)
        if size > held:
            yield (
                "3 symbol",
                (
                    f"{symbol}: exits that {side} {size} rest at the venue, which holds {held}"
                    " for them"
                ),
            )


def _closed_otherwise(position: str, books: Books, alerts: Mapping[str, Alert]) -> bool:
    """Whether something else closed some of a position, or the desk says that too much of it
    was closed.
    """
    book = books.of.get(position)
    return f"{AlertCode.OVER_CLOSED}:{position}" in alerts or (book is not None and book.adjusted)
