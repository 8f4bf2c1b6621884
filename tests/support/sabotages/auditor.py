"""Row H109: the desk lies in one place, and a judge that shared its rules would not see it."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import (
    custody,
    decide,
    differences_by_hand,
    flatten,
    ordering,
    protection,
    reconcile,
    truth,
)
from engine.desk import events as e
from engine.desk.context import Context, Events
from engine.desk.evolve import fills as evolve_fills
from engine.desk.evolve import orders as evolve_orders
from engine.desk.ordering import flattens
from engine.desk.state import State, Touched
from engine.gate import Admitted, Gate
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.order import Role
from engine.model.position import Position, Protection
from tests.support.sabotage import Patch, sabotage

STOP_AND_CLOSE = 2
"""Exits of a position that was protected and closed once."""
TESTS = "tests/rehearsal/test_honest_desk.py"


def _open_the_gate(patch: Patch) -> None:
    """The gate would hold back what the desk should never ask for: here the lie reaches the
    venue.
    """
    patch.setattr(Gate, "admit", lambda self, request, now, waited_since=None: Admitted())


@sabotage(
    "H109",
    "protection() says that a stop rests at the venue",
    test=f"{TESTS}::test_a_position_without_a_stop_is_told",
)
def lie_about_protection(patch: Patch) -> None:
    patch.setattr(protection, "protection", lambda ctx, position: Protection.VENUE)


@sabotage(
    "H109",
    "a price that nobody has told for a minute still guards",
    test=f"{TESTS}::test_a_guard_without_a_price_is_told",
)
def guard_without_a_price(patch: Patch) -> None:
    patch.setattr(Context, "is_stale", lambda self, symbol, seconds: False)


@sabotage(
    "H109", "a stop on the wrong side counts as protection", test=f"{TESTS}::test_a_stop_protects"
)
def stop_on_the_wrong_side(patch: Patch) -> None:
    _open_the_gate(patch)
    made = ordering.stop_order

    def wrong(
        ctx: Context, position: Position, size: Decimal, trigger: Decimal
    ) -> e.OrderSubmitted:
        said = made(ctx, position, size, trigger)
        return replace(
            said,
            order=replace(said.order, side=position.side, reduce_only=False, trigger=trigger * 2),
        )

    patch.setattr(ordering, "stop_order", wrong)


@sabotage(
    "H109", "no position is large enough to be protected", test=f"{TESTS}::test_a_stop_protects"
)
def call_everything_dust(patch: Patch) -> None:
    patch.setattr(ordering, "tradable", lambda instrument, size, price: False)


@sabotage(
    "H109",
    "the ledger books half of what an entry bought",
    test=f"{TESTS}::test_fills_are_booked_as_they_were",
)
def book_half(patch: Patch) -> None:
    book = evolve_fills.book

    def half(state: State, fill: Fill, fee_value: Decimal, exit_by: str) -> Touched:
        entry = exit_by == "entry"
        return book(state, replace(fill, size=fill.size / 2) if entry else fill, fee_value, exit_by)

    patch.setattr(evolve_orders, "book", half)


@sabotage(
    "H109",
    "the ledger forgets to pay the fees",
    test=f"{TESTS}::test_fills_are_booked_as_they_were",
)
def pay_no_fees(patch: Patch) -> None:
    book = evolve_fills.book

    def free(state: State, fill: Fill, fee_value: Decimal, exit_by: str) -> Touched:
        touched = book(state, fill, fee_value, exit_by)
        state.cash = {**state.cash, fill.fee_currency: state.cash[fill.fee_currency] + fill.fee}
        return touched

    patch.setattr(evolve_orders, "book", free)


@sabotage(
    "H109",
    "what was closed at a loss was closed at a profit",
    test=f"{TESTS}::test_profit_on_margin_is_what_the_fills_say",
)
def turn_losses_into_profits(patch: Patch) -> None:
    gross = Position.gross_profit
    patch.setattr(Position, "gross_profit", lambda self, instrument: abs(gross(self, instrument)))


def _no_difference(*_: object) -> Iterator[Any]:
    yield from ()


@sabotage(
    "H109",
    "a comparison of ours with the venue's finds nothing",
    test=f"{TESTS}::test_what_somebody_else_bought_is_told",
)
def compare_nothing(patch: Patch) -> None:
    for module in (truth, reconcile, differences_by_hand):
        patch.setattr(module, "differences", _no_difference)


@sabotage(
    "H109", "a close sells twice what is held", test=f"{TESTS}::test_a_close_sells_what_was_bought"
)
def sell_twice(patch: Patch) -> None:
    _open_the_gate(patch)
    made = ordering.close_order
    patch.setattr(
        ordering, "close_order", lambda ctx, position, size: made(ctx, position, size * 2)
    )


@sabotage(
    "H109",
    "what was sold is sold once more a moment later",
    test=f"{TESTS}::test_a_close_sells_what_was_bought",
)
def sell_again(patch: Patch) -> None:
    _open_the_gate(patch)
    wind_up = custody._wind_up

    def again(ctx: Context, position: Position, orders: Any) -> Events:
        sent_last = [order for order in orders if order.role is Role.CLOSE]
        if position.opened_at is not None and position.versions == STOP_AND_CLOSE:
            yield ordering.close_order(ctx, position, position.entry_size)
        elif not sent_last:
            yield from wind_up(ctx, position, orders)

    patch.setattr(custody, "_wind_up", again)


@sabotage("H109", "flat is said while something is held", test=f"{TESTS}::test_flat_is_flat")
def say_flat(patch: Patch) -> None:
    def said(ctx: Context) -> Events:
        if flattens(ctx.state):
            yield e.FlattenEnded(ctx.now, ("the venue says flat",))

    patch.setattr(flatten, "step", said)


@sabotage(
    "H109",
    "an order that was refused is told as working",
    test=f"{TESTS}::test_a_refused_stop_does_not_work",
)
def believe_that_it_works(patch: Patch) -> None:
    def accepted(ctx: Context, report: r.Rejected) -> Events:
        order = ctx.state.order(report.client_order_id)
        if order is not None and order.is_open and order.venue_order_id is None:
            yield e.OrderAccepted(ctx.now, order.client_order_id, "V")

    patch.setitem(decide.HANDLERS, r.Rejected, accepted)


@sabotage(
    "H109",
    "a stop is told as moved and never was",
    test=f"{TESTS}::test_a_moved_stop_rests_where_it_is_told",
)
def tell_of_a_move(patch: Patch) -> None:
    kept = custody._keep_stop

    def told(ctx: Context, position: Position, stops: Any, cover: Decimal) -> Events:
        for event in kept(ctx, position, stops, cover):
            if isinstance(event, e.AmendAsked):
                stop = stops[0]
                size, trigger = event.size or stop.size, event.trigger or stop.trigger
                yield e.OrderAmended(ctx.now, event.order, size, stop.price, trigger, ctx.now)
            else:
                yield event

    patch.setattr(custody, "_keep_stop", told)


@sabotage(
    "H109",
    "a stop is left for more than is held",
    test=f"{TESTS}::test_exits_close_no_more_than_is_held",
)
def leave_the_stop(patch: Patch) -> None:
    _open_the_gate(patch)
    kept = custody._keep_stop

    def never_smaller(ctx: Context, position: Position, stops: Any, cover: Decimal) -> Events:
        largest = max((stop.remaining for stop in stops), default=cover)
        yield from kept(ctx, position, stops, max(cover, largest))

    patch.setattr(custody, "_keep_stop", never_smaller)
    patch.setattr(custody, "_keep_closing", _close_at_once)


def _close_at_once(
    ctx: Context, position: Position, exits: Any, closing: Decimal, *, linked: bool
) -> Events:
    del linked
    if not any(order.role is Role.CLOSE for order in exits):
        yield ordering.close_order(ctx, position, _lots(ctx.instrument(position), closing))


def _lots(instrument: Instrument, size: Decimal) -> Decimal:
    return instrument.round_size(size)
