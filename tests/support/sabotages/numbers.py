"""Sabotages of the numbers: limits that fail open or late, risk that vanishes with its stop,
figures of one's own.
"""

from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.desk import checks, figures, lockouts, totals
from engine.desk.context import SECOND
from engine.desk.desk import Desk
from engine.model import figures as model
from engine.model.figures import ExpectedEntry
from tests.support.sabotage import Patch, sabotage

FIGURES, LOCKOUTS = "tests/desk/test_figures.py", "tests/desk/test_lockouts.py"
EXPOSURE = "tests/desk/test_exposure.py"
FUTURES = f"{FIGURES}::test_a_thousand_states_recomputed_from_fills_alone[0-kraken-futures]"


@sabotage(
    "H93",
    "dust without a price switches the limits off",
    test=f"{LOCKOUTS}::test_what_has_no_price_is_left_out_of_the_limits_and_named",
)
def judge_all_or_nothing(patch: Patch) -> None:
    judge = lockouts.judge

    def all_or_nothing(ctx: Any, *, keep: bool = False) -> Any:
        if not totals.equity(ctx)[1]:
            yield from judge(ctx, keep=keep)

    patch.setattr(lockouts, "judge", all_or_nothing)


@sabotage(
    "H93",
    "a start does not wait for prices",
    test=f"{FIGURES}::test_a_restart_waits_for_the_prices_of_what_was_counted",
)
def measure_at_once(patch: Patch) -> None:
    patch.setattr(lockouts, "waits_for", lambda _: ())
    patch.setattr(checks, "waits_for", lambda _: ())


@sabotage(
    "H94",
    "losses are judged once a minute",
    test=f"{FIGURES}::test_a_loss_is_judged_before_the_next_entry_and_within_a_second",
)
def judge_each_minute(patch: Patch) -> None:
    judge = lockouts.judge

    def seldom(ctx: Any, *, keep: bool = False) -> Any:
        if lockouts.sample_at(ctx) + 50 * SECOND <= ctx.now or ctx.board.sampled_at is None:
            yield from judge(ctx, keep=keep)

    patch.setattr(lockouts, "judge", seldom)


@sabotage(
    "H94",
    "a fill is not judged",
    test=f"{FIGURES}::test_a_loss_is_judged_with_the_fill_that_makes_it",
)
def judge_no_fill(patch: Patch) -> None:
    judge = lockouts.judge
    patch.setattr(lockouts, "judge", lambda ctx, *, keep=False: iter(()) if keep else judge(ctx))


@sabotage(
    "H95",
    "what has no stop risks nothing",
    test=f"{EXPOSURE}::test_a_position_without_a_stop_is_unbounded_and_counts_with_its_notional",
)
def forget_what_is_bare(patch: Patch) -> None:
    patch.setattr(figures, "uncovered", lambda *_: Decimal(0))


@sabotage(
    "H95",
    "an entry without a stop passes every risk limit",
    test=f"{EXPOSURE}::test_without_a_stop_the_whole_notional_is_at_risk",
)
def judge_no_naked_entry(patch: Patch) -> None:
    risk = checks._risk
    kept = tuple(
        (lambda ctx, d: iter(()) if d.risk is None else risk(ctx, d)) if check is risk else check
        for check in checks.CHECKS
    )
    patch.setattr(checks, "CHECKS", kept)


@sabotage(
    "H95",
    "a naked position blocks nothing",
    test=f"{FIGURES}::test_a_removed_stop_is_unbounded_everywhere_in_one_frame_and_refuses_entries",
)
def block_nothing(patch: Patch) -> None:
    patch.setattr(lockouts, "bare", lambda _: [])


@sabotage("H96", "1R leaves out the fee of the exit", test=FUTURES)
def leave_out_the_exit(patch: Patch) -> None:
    whole = model._whole
    patch.setattr(
        model,
        "_whole",
        lambda p, money, instrument, price: whole(
            p, replace(money, exit_rate=Decimal(0)), instrument, price
        ),
    )


@sabotage("H96", "what the price did before a fill is counted with the size after it", test=FUTURES)
def never_fold(patch: Patch) -> None:
    patch.setattr(Desk, "_revalued", lambda *_: [])


@sabotage(
    "H96",
    "a size by risk leaves out the fees",
    test=f"{FIGURES}::test_what_was_typed_is_what_is_lost_at_the_stop[kraken-spot-buy]",
)
def size_without_fees(patch: Patch) -> None:
    def bare(self: ExpectedEntry, size: Decimal, stop: Decimal) -> Decimal:
        value = self.instrument.value
        return -self.instrument.profit(self.side, size, value(size, self.price), value(size, stop))

    patch.setattr(ExpectedEntry, "risk", bare)
