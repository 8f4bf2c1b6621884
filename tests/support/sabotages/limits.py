"""Sabotages of limit exits: their bound, their share of what is held, the stop beside them."""

from typing import Any

from engine.desk import custody, limit_exits, limit_exits_by_hand, ordering
from engine.model.position import Position
from tests.support.sabotage import Patch, sabotage

TESTS = "tests/desk/test_limit_exits.py"


@sabotage(
    "H83",
    "what is closed for a limit goes at any price that a close may take",
    test=f"{TESTS}::test_elsewhere_it_is_watched_and_leaves_at_its_price_or_not_at_all",
)
def widen_a_limit(patch: Patch) -> None:
    from msgspec.structs import replace

    worst = ordering._worst_price

    def any_price(ctx: Any, position: Position, *terms: Any, **named: Any) -> Any:
        return worst(ctx, replace(position, closing_at=None), *terms, **named)

    patch.setattr(ordering, "_worst_price", any_price)


@sabotage(
    "H33",
    "limit exits count no other exits",
    test=f"{TESTS}::test_it_shares_what_is_held_with_targets_and_they_get_the_rest",
)
def share_nothing(patch: Patch) -> None:
    keep = custody._keep_limits

    def all_of_it(*terms: Any) -> Any:
        taken = yield from keep(*terms)
        return taken * 0

    patch.setattr(custody, "_keep_limits", all_of_it)


@sabotage(
    "H83",
    "a close for a limit that missed goes on until it fills",
    test=f"{TESTS}::test_elsewhere_it_is_watched_and_leaves_at_its_price_or_not_at_all",
)
def insist_on_a_limit(patch: Patch) -> None:
    patch.setattr(limit_exits, "missed", lambda *_: iter(()))


@sabotage(
    "H18",
    "what is closed for a limit watches no stop",
    test=f"{TESTS}::test_the_stop_goes_before_a_limit_that_is_on_its_way",
)
def watch_no_stop_meanwhile(patch: Patch) -> None:
    from engine.desk.board import Board

    watch = Board.watch

    def trusting(self: Board, position: Position, *terms: Any, **named: Any) -> None:
        watch(self, position, *terms, **named)
        if position.closing >= position.size:
            self._unwatch(position.id)

    patch.setattr(Board, "watch", trusting)


@sabotage(
    "H33",
    "a limit exit may cross as far as it likes",
    test=f"{TESTS}::test_what_can_not_be_is_refused_and_changes_nothing",
)
def cross_at_will(patch: Patch) -> None:
    patch.setattr(limit_exits_by_hand, "price_refusal", lambda *_: None)
