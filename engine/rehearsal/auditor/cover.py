"""What protects a position, worked out from orders, prices and what the operator asked for: nothing
of the desk's own judgement is used.

A position is protected at the venue when stops that work by the orders' events, on the side that
closes it, cover every lot of it. It is guarded when the desk could act: it is told to close all of
it, or a stop or a trail is set, the desk is not halted, and the price is fresh.
"""

from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import Role
from engine.model.position import Protection
from engine.rehearsal.auditor.books import Book
from engine.rehearsal.auditor.orders import Orders

RANK = {Protection.NAKED: 0, Protection.PARTIAL: 1, Protection.GUARDED: 2, Protection.VENUE: 3}
"""From the worst to the best."""


def cover(
    book: Book, instrument: Instrument, orders: Orders, *, halted: bool, fresh: bool
) -> Protection:
    """What protects a position now. `fresh`: whether its price is."""
    lots = book.size - book.size % instrument.lot
    stops = [
        one
        for one in orders.exits(book.id, book.side.opposite)
        if one.role is Role.STOP and one.trigger is not None
    ]
    covered = max((one.remaining for one in stops if one.is_working), default=ZERO)
    if ZERO < lots <= covered:
        return Protection.VENUE
    if book.closing >= book.size:
        return Protection.GUARDED
    if not halted and fresh and (book.stop is not None or book.trailing):
        return Protection.GUARDED
    return Protection.PARTIAL if covered else Protection.NAKED
