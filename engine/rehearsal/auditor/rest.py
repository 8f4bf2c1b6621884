"""What is judged once everything has come to rest: then ours must equal the venue's, or somebody
must have been told.
"""

from collections.abc import Iterator
from decimal import Decimal

from engine.desk.state import State
from engine.model.alert import Alert
from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.report import Picture
from engine.rehearsal.auditor.books import LAST_DIGITS, Books
from engine.rehearsal.auditor.orders import Known, Orders
from engine.rehearsal.auditor.prices import Prices

Said = Iterator[tuple[str, str]]
"""Invariant and detail of each violation."""


def orders(ours: Orders, state: State, picture: Picture, unknown: set[str]) -> Said:
    """Invariant 9: the same orders, on the same terms; but `unknown` ones."""
    mine = (order for order in picture.orders if not order.foreign)
    theirs = {
        order.client_order_id: order for order in mine if order.client_order_id not in unknown
    }
    working = {name for name, order in state.orders.items() if order.is_working}
    told = {name for name, known in ours.known.items() if known.is_working}
    if working != set(theirs):
        yield (
            "9 orders",
            (
                f"ours {sorted(working - set(theirs))} are not the venue's"
                f" {sorted(set(theirs) - working)}"
            ),
        )
    if told != working:
        yield (
            "9 orders",
            f"the events tell of {sorted(told ^ working)}, and the desk does not agree",
        )
    for name in sorted(told & set(theirs)):
        if _terms(ours.known[name]) != _terms(theirs[name]):
            yield (
                "9 terms",
                f"{name}: {_terms(ours.known[name])}, the venue's {_terms(theirs[name])}",
            )


def _terms(order: Known | Order) -> tuple[str, str, Decimal, Decimal, Decimal | None]:
    return order.symbol, order.side.value, order.size, order.filled, order.trigger


def holdings(books: Books, prices: Prices, alerts: dict[str, Alert], picture: Picture) -> Said:
    """Invariant 1: what positions hold is what the venue holds, and none holds less than
    nothing.
    """
    held = dict(books.elsewhere)
    for book in books.of.values():
        instrument = books.instruments[book.symbol]
        if not books.moves_coins(book):
            held[book.symbol] = held.get(book.symbol, ZERO) + book.signed
        told = not {
            f"{AlertCode.DIFFERENCE}:{instrument.base}",
            f"{AlertCode.DIFFERENCE}:{book.symbol}",
        }.isdisjoint(alerts)
        # a smaller rest is a fee in what was bought back
        if book.size < ZERO and prices.takes(instrument, -book.size) and not told:
            yield "1 over-closed", f"{book.id} holds {book.size}"
    for symbol in books.instruments:
        ours, theirs = held.get(symbol, ZERO), picture.net.get(symbol, ZERO)
        if ours != theirs and f"{AlertCode.DIFFERENCE}:{symbol}" not in alerts:
            yield "1 net", f"{symbol}: {ours}, the venue's {theirs}"


def money(
    books: Books,
    state: State,
    alerts: dict[str, Alert],
    picture: Picture,
    rounding: Decimal,
    *,
    averaged: bool,
) -> Said:
    """Invariant 5: the desk's money is the venue's, and so is what its fills and its financing come
    to.

    `averaged`: whether positions that share a symbol may have been closed at another average at the
    venue; then what was lent is not judged.
    """
    if not state.cash:
        return
    for currency in sorted({*state.cash, *books.cash, *picture.balances}):
        lent = currency in books.lent
        if (averaged and lent) or _is_told(books, alerts, currency):
            continue
        theirs = picture.balances.get(currency, ZERO)
        allowed = abs(theirs) * rounding + (LAST_DIGITS if lent else ZERO)
        for whose, amount in (
            ("the desk's", state.cash.get(currency, ZERO)),
            ("by its fills", books.cash.get(currency, ZERO)),
        ):
            if abs(amount + state.gap(currency) - theirs) > allowed:
                yield "5 ledger", f"{currency}: {amount} {whose}, the venue's {theirs}"


def _is_told(books: Books, alerts: dict[str, Alert], currency: str) -> bool:
    """Whether the desk says that this currency, or what is settled in it, differs."""
    if f"{AlertCode.DIFFERENCE}:{currency}" in alerts:
        return True
    settled = (
        symbol for symbol, instrument in books.instruments.items() if instrument.settle == currency
    )
    return any(f"{AlertCode.DIFFERENCE}:{symbol}" in alerts for symbol in settled)
