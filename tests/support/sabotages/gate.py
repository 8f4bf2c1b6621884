"""The gate, its evidence, and the desk's bounds: what they would do if they believed."""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import events as e
from engine.desk import reports
from engine.emergency.closing import Closing
from engine.emergency.holding import Left
from engine.gate import Admitted, Evidence, Gate, Pace
from engine.gate.exits import Exits
from engine.model.books import Books
from engine.model.order import Order
from engine.model.request import Cancel
from engine.model.side import Side
from engine.runtime.decider import Decider
from tests.support.sabotage import Patch, sabotage

EVIDENCE, GATE = "tests/gate/test_evidence.py", "tests/gate/test_gate.py"


@sabotage(
    "H73",
    "a deadline is not looked at",
    test="tests/runtime/test_deadlines.py::test_an_intent_that_is_taken_after_its_deadline_does_nothing",
)
def take_it_late(patch: Patch) -> None:
    patch.setattr(Decider, "_in_time", lambda _, message: message)


@sabotage(
    "H74",
    "exits of any size leave",
    test=f"{GATE}::test_an_exit_beyond_the_proof_waits_for_one_more_picture_and_then_never_leaves",
)
def believe_our_size(patch: Patch) -> None:
    patch.setattr(Gate, "_exit", lambda *_, **__: Admitted())


@sabotage("H74", "a picture stays good for ever", test=f"{EVIDENCE}::test_a_gap_voids_the_picture")
def never_void(patch: Patch) -> None:
    patch.setattr(Evidence, "void", lambda *_: None)


@sabotage(
    "H74",
    "a picture that lags counts",
    test=f"{EVIDENCE}::test_after_a_gap_a_picture_must_show_our_last_action_or_be_younger_than_the_lag",
)
def count_every_picture(patch: Patch) -> None:
    patch.setattr(Evidence, "_counts", lambda *_: True)


@sabotage(
    "H74",
    "the trader's own coins are ours",
    test=f"{EVIDENCE}::test_coins_that_lay_there_before_are_not_ours_to_sell",
)
def sell_the_baseline(patch: Patch) -> None:
    bound = Evidence.bound

    def greedy(self: Evidence, asset: str, side: Side, books: Books, besides: str = "") -> Decimal:
        return bound(self, asset, side, Books(books.long, books.short, Decimal(0)), besides)

    patch.setattr(Evidence, "bound", greedy)


@sabotage(
    "H74",
    "exits under way are forgotten",
    test=f"{EVIDENCE}::test_working_and_doubtful_exits_may_have_left_already",
)
def forget_what_works(patch: Patch) -> None:
    patch.setattr(Evidence, "leaving", lambda *_: Decimal(0))


@sabotage(
    "H74",
    "a cancelled exit has filled nothing",
    test=f"{EVIDENCE}::test_the_end_of_an_exit_is_believed_with_its_fills",
)
def assume_nothing_filled(patch: Patch) -> None:
    patch.setattr(Exits, "ended", lambda self, name, *_: self.forget(name))


@sabotage(
    "H74",
    "one absence is enough",
    test=f"{EVIDENCE}::test_one_absence_after_the_deadline_is_not_enough",
)
def believe_one_absence(patch: Patch) -> None:
    patch.setattr(Exits, "absent", lambda self, name, _: self.forget(name))


@sabotage(
    "H74",
    "an exit waits for a picture for ever",
    test=f"{GATE}::test_after_five_seconds_without_a_picture_an_exit_goes_on_our_books_once",
)
def wait_for_ever(patch: Patch) -> None:
    patch.setattr("engine.gate.gate.PATIENCE", 1 << 62)


@sabotage("H76", "nobody looks at the pen", test=f"{GATE}::test_without_the_pen_nothing_leaves")
def send_without_the_pen(patch: Patch) -> None:
    from engine.gate import Standing

    patch.setattr("tests.support.evidence.Pen.check", lambda *_: Standing.HELD)


@sabotage(
    "H82",
    "every failure widens the bound",
    test=(
        "tests/desk/test_exits.py::test_a_close_keeps_its_bound_where_the_price_was_not_the_reason"
    ),
)
def widen_for_anything(patch: Patch) -> None:
    ended = reports._close_ended

    def missed(ctx: Any, order: Order, text: str) -> Any:
        for event in ended(ctx, order, text):
            yield replace(event, missed=True) if isinstance(event, e.CloseEnded) else event

    patch.setattr(reports, "_close_ended", missed)


@sabotage(
    "H82",
    "closes have no bound",
    test="tests/hazards/test_before_sending.py::test_a_close_widens_its_bound_as_the_market_goes",
)
def take_any_price(patch: Patch) -> None:
    patch.setattr("engine.desk.ordering._worst_price", lambda *_: None)


@sabotage(
    "H112",
    "a stop is cancelled without tokens for what follows",
    test=f"{GATE}::test_a_stop_goes_only_when_what_follows_is_paid_for",
)
def cancel_unpaid(patch: Patch) -> None:
    def cancel(_: Gate, request: Cancel, now: int) -> Admitted:
        del request, now
        return Admitted()

    patch.setattr(Gate, "_cancel", cancel)


@sabotage("H74", "failures have no pace", test=f"{GATE}::test_one_pace_over_all_ways_of_failing")
def keep_no_pace(patch: Patch) -> None:
    patch.setattr(Pace, "until", lambda *_: (0, 0))


@sabotage(
    "H74",
    "each order of an exit begins to wait anew",
    test="tests/cli/test_incidents.py::test_what_is_held_back_leaves_once_it_is_proved_or_once_on_our_books",
)
def wait_anew(patch: Patch) -> None:
    without = Gate._without

    def forgetful(
        self: Gate, order: Order, asset: str, books: Books, text: str, now: int, since: int | None
    ) -> Any:
        self._unproved.clear()
        return without(self, order, asset, books, text, now, since)

    patch.setattr(Gate, "_without", forgetful)


@sabotage(
    "H74",
    "the owner's coins are sold without a word",
    test="tests/cli/test_incidents.py::test_what_is_held_back_beside_the_owners_coins_leaves_on_the_operators_word_alone",
)
def sell_without_a_word(patch: Patch) -> None:
    without = Gate._without

    def wordless(
        self: Gate, order: Order, asset: str, books: Books, text: str, now: int, since: int | None
    ) -> Any:
        return without(
            self, order, asset, replace(books, confirmed=(order.position,)), text, now, since
        )

    patch.setattr(Gate, "_without", wordless)


@sabotage(
    "H82",
    "a close of the last exit drops its bound by itself",
    test="tests/cli/test_incidents.py::test_only_the_operators_word_lets_a_close_go_at_any_price",
)
def drop_the_bound(patch: Patch) -> None:
    def unbounded(self: Closing, left: Left) -> Order | None:
        self._terms = replace(self._terms, any_price=True)
        return close(self, left)

    close = Closing._close
    patch.setattr(Closing, "_close", unbounded)


@sabotage(
    "H74",
    "what came back from the line still takes",
    test="tests/gateway/test_gateway.py::test_what_did_not_arrive_takes_nothing",
)
def forget_what_returns(patch: Patch) -> None:
    patch.setattr(Evidence, "returns", lambda *_: None)


@sabotage(
    "H74",
    "terms of any age are believed",
    test=f"{EVIDENCE}::test_terms_from_before_our_last_change_make_no_exit_smaller",
)
def believe_old_terms(patch: Patch) -> None:
    patch.setattr("engine.gate.exits._resized", lambda known, size, at: replace(known, size=size))


@sabotage(
    "H74",
    "all or nothing leaves",
    test="tests/runtime/test_shortfalls.py::test_what_is_proved_is_closed_and_the_rest_waits",
)
def close_all_or_nothing(patch: Patch) -> None:
    patch.setattr("engine.desk.custody.provable", lambda ctx, position, size, **_: size)


@sabotage(
    "H74",
    "all or nothing is protected",
    test="tests/runtime/test_shortfalls.py::test_what_is_proved_is_protected",
)
def protect_all_or_nothing(patch: Patch) -> None:
    patch.setattr("engine.desk.custody.provable", lambda ctx, position, size, **_: size)
