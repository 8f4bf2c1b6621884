"""Doubt about money: what the desk would do if it believed the first word."""

from typing import Any

from engine.desk import doubts, identity, late, silent, stuck, truth
from engine.desk.context import Context
from engine.gate.exits import Exit
from tests.support.sabotage import Patch, sabotage

LATE, IDENTITY = "tests/desk/test_late.py", "tests/desk/test_identity.py"


@sabotage(
    "H79",
    "cancelled with nothing filled is believed at once",
    test=f"{LATE}::test_an_entry_told_as_cancelled_is_not_over_while_its_fills_may_be_late",
)
def believe_the_end(patch: Patch) -> None:
    patch.setattr(doubts, "may_be_late", lambda *_: False)


@sabotage(
    "H79",
    "a late fill is booked on top of what was adopted",
    test=f"{LATE}::test_flatten_closes_what_the_venue_shows_and_the_late_fill_is_set_against_that",
)
def book_on_top(patch: Patch) -> None:
    def settled(ctx: Context, order: Any, fill: Any, fee_value: Any) -> Any:
        yield from ()
        return fill

    patch.setattr(late, "settled", settled)


@sabotage(
    "H79",
    "money that was taken over is paid again",
    test=f"{LATE}::test_what_was_adopted_is_not_enlarged_by_its_own_fill",
)
def pay_again(patch: Patch) -> None:
    money = late._money

    def twice(ctx: Context, fill: Any, *rest: Any, lent: bool) -> Any:
        ctx.state.taken.clear()
        return money(ctx, fill, *rest, lent=lent)

    patch.setattr(late, "_money", twice)


@sabotage(
    "H80",
    "any doubt keeps everything from being compared",
    test=f"{LATE}::test_a_difference_is_cured_though_a_doubt_stands_elsewhere",
)
def compare_nothing_in_doubt(patch: Patch) -> None:
    moving = truth._moving

    def all_of_it(ctx: Context) -> frozenset[str]:
        return (
            moving(ctx)
            if not ctx.state.doubts
            else frozenset({*ctx.state.instruments, *ctx.state.cash})
        )

    patch.setattr(truth, "_moving", all_of_it)


@sabotage(
    "H80",
    "a doubt may last for ever unsaid",
    test=f"{LATE}::test_a_doubt_that_does_not_end_is_told_and_nothing_else_waits_for_it",
)
def say_nothing_of_old_doubts(patch: Patch) -> None:
    patch.setattr(doubts, "OLD", 1 << 62)


@sabotage(
    "H77",
    "every id is money",
    test=f"{IDENTITY}::test_executions_that_a_list_merges_are_counted_once",
)
def count_every_id(patch: Patch) -> None:
    patch.setattr(identity, "room", lambda order, _: order.size * 1000)


@sabotage(
    "H77",
    "an id is known for ever",
    test=f"{IDENTITY}::test_an_id_that_an_older_account_had_used_swallows_nothing",
)
def believe_in_ids(patch: Patch) -> None:
    patch.setattr(identity, "is_known", lambda state, fill: fill.execution_id in state.executions)


@sabotage(
    "H77",
    "the gate adds what it heard to what is listed",
    test=f"{IDENTITY}::test_the_gate_counts_an_execution_under_two_ids_once",
)
def add_stream_and_list(patch: Patch) -> None:
    patch.setattr(Exit, "done", property(lambda self: self.filled + self.listed))


@sabotage(
    "H98",
    "a stop that fired is believed to fill",
    test="tests/desk/test_stuck.py::test_a_stop_that_fired_and_does_not_fill_is_told",
)
def trust_what_fired(patch: Patch) -> None:
    patch.setattr(stuck, "fired_at", lambda *_: None)


@sabotage(
    "H100",
    "held coins are told after a while",
    test="tests/desk/test_stuck.py::test_whose_order_holds_the_coins_is_told_at_once",
)
def keep_the_holder_to_oneself(patch: Patch) -> None:
    patch.setattr(stuck, "tell_coins", lambda *_: iter(()))


@sabotage(
    "H76",
    "what was bought under our name and what the owner sold cancel each other out",
    test="tests/desk/test_unexplained.py"
    "::test_what_the_owner_sells_falls_before_what_another_engine_bought[0.4]",
)
def compare_the_balance_alone(patch: Patch) -> None:
    patch.setattr(truth, "_explained", lambda ctx, currency, _: ctx.state.cash.get(currency, 0))


@sabotage(
    "H16",
    "an entry that the market went through is left to rest",
    test="tests/desk/test_silent.py"
    "::test_a_limit_that_fills_while_the_stream_is_deaf_has_its_stop_within_seconds",
)
def believe_that_it_rests(patch: Patch) -> None:
    patch.setattr(silent, "passed", lambda *_: iter(()))
