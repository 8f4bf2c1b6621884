"""Sabotages of row H78: repairs of an over-close."""

from typing import Any

from engine.desk import custody, ordering
from tests.support.sabotage import Patch, sabotage

TESTS = "tests/desk/test_repair_asks.py"


@sabotage(
    "H78",
    "one picture is the witness of any number of repairs",
    test=f"{TESTS}::test_one_picture_is_the_witness_of_one_repair",
)
def believe_for_ever(patch: Patch) -> None:
    patch.setattr(custody, "_changed_at", lambda ctx, _: ctx.state.last_fill_at)


@sabotage(
    "H78",
    "our own count is witness enough",
    test=f"{TESTS}::test_one_picture_is_the_witness_of_one_repair",
)
def ask_nobody(patch: Patch) -> None:
    patch.setattr(custody, "_shows_excess", lambda *_: True)


@sabotage(
    "H78",
    "a repair takes any price",
    test=f"{TESTS}::test_a_repair_is_bounded_whatever_the_settings_say_of_closes",
)
def repair_at_any_price(patch: Patch) -> None:
    worst = ordering._worst_price

    def loose(*terms: Any, always: bool = False) -> Any:
        return worst(*terms)

    patch.setattr(ordering, "_worst_price", loose)


@sabotage(
    "H78",
    "what was sold too much on cash is bought back",
    test=f"{TESTS}::test_on_cash_there_is_nothing_to_undo",
)
def buy_back_coins(patch: Patch) -> None:
    patch.setattr(custody, "_shows_excess", lambda *_: True)
