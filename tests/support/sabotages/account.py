"""Sabotages of what the account is: its fees as the venue tells them, what can be lost of what is
lent, and alerts of one cause.
"""

from typing import Any

from engine.desk import context, protection, reports, totals
from engine.model import figures as model
from tests.support.sabotage import Patch, sabotage

MANY = "tests/desk/test_many.py"


@sabotage(
    "H96",
    "nobody listens to what the venue says of fees",
    test="tests/desk/test_figures.py::test_size_from_risk_and_every_figure_take_what_the_venue_says_that_this_account_pays",
)
def assume_the_fees(patch: Patch) -> None:
    patch.setattr(
        context,
        "fee_rates",
        lambda instrument, paid, volume, told=None: model.fee_rates(instrument, paid, volume),
    )


@sabotage(
    "H95",
    "what is lent counts with its whole notional",
    test=(
        "tests/desk/test_exposure.py::test_what_is_lent_without_a_stop_counts_up_to_its_liquidation"
    ),
)
def count_all_that_is_lent(patch: Patch) -> None:
    patch.setattr(totals, "up_to_liquidation", lambda _, notional: notional)


@sabotage(
    "H92",
    "each attempt of a close that fails is an alert",
    test="tests/desk/test_between.py::test_a_close_that_fails_again_and_again_is_one_alert_until_it_is_over",
)
def alert_at_each_attempt(patch: Patch) -> None:
    patch.setattr(protection, "_stands_until_closed", lambda *_: False)


@sabotage(
    "H92",
    "each rejection is an alert",
    test=f"{MANY}::test_what_is_rejected_for_one_reason_is_one_alert_that_counts",
)
def alert_for_each(patch: Patch) -> None:
    def each(ctx: Any, *terms: str) -> Any:
        yield from context.alert(ctx, *terms)

    patch.setattr(reports, "alert_once", each)
