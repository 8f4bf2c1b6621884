"""Invariant 12: what is claimed flat is flat at the venue, at the moment of the claim."""

from collections.abc import Iterator
from decimal import Decimal

from engine.model.money import ZERO
from engine.rehearsal.auditor.books import Books
from engine.rehearsal.auditor.prices import DUST, Prices
from engine.rehearsal.auditor.witness import Held, Witness


def unflat(
    witness: Witness, books: Books, prices: Prices, left_alone: set[str], who: str, now: int
) -> Iterator[tuple[str, str]]:
    """What the venue still has of ours while `who` says flat: orders, and holdings that it trades.

    Foreign orders, coins that were never ours, dust, and what the operator left alone (orders, and
    what their positions hold) stay. What somebody else closed of ours is
    known by the venue's total, or by what the desk has booked about it.
    """
    open_here = (order for order in witness.truth.orders.values() if not order.foreign)
    resting = [one.client_order_id for one in open_here if one.client_order_id not in left_alone]
    if resting:
        yield "12 flat", f"{who} says flat, and {resting} rest at the venue"
    for held, sold in witness.overdrawn.items():
        owed = min(witness.owed(held, now), sold)
        if prices.takes(witness.truth.instruments[held[0]], owed):
            yield "12 flat", f"{who} says flat, and {owed} {held[0]} is owed: it was sold twice"
    picture = witness.truth.picture(now, now)
    for held, flow in witness.ours.items():
        symbol, coins = held
        instrument = witness.truth.instruments[symbol]
        balance = picture.balances.get(instrument.base, ZERO)
        total = balance if coins else picture.net.get(symbol, ZERO)
        ours = flow.net - _dust(held, books, prices) - witness.left(held, left_alone)
        left = books.left.get(instrument.base if coins else symbol, ZERO)
        if ours * left > ZERO:  # of what the operator left alone, as much as is ours
            ours -= min(abs(ours), abs(left)).copy_sign(ours)
        taken = ours + witness.adjusted(held)
        if min(ours, taken) <= ZERO <= max(ours, taken):
            continue  # of what was taken over, as much was ours from the beginning
        same = (total > ZERO) is (ours > ZERO)  # else the account owes coins, and ours are gone
        there = abs(total) if same or not coins else ZERO
        if prices.takes(instrument, min(abs(ours), abs(taken), there)):
            yield "12 flat", f"{who} says flat, and {flow.net} {symbol} is held ({total} in all)"


def _dust(held: Held, books: Books, prices: Prices) -> Decimal:
    """What positions have left behind because the venue takes no order that small."""
    symbol, coins = held
    instrument = books.instruments.get(symbol)
    if instrument is None:
        return ZERO
    here = (book for book in books.of.values() if book.symbol == symbol)
    small = (book for book in here if not prices.takes(instrument, abs(book.size), DUST))
    return sum((book.signed for book in small if books.moves_coins(book) is coins), ZERO)
