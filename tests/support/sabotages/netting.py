"""Sabotages of row H97: money by the venue's own arithmetic, and what is no funding."""

from typing import Any

from msgspec.structs import replace

from engine.desk import netting
from engine.desk.state import State
from engine.model import netting as model
from engine.model.netting import Net
from tests.support.sabotage import Patch, sabotage

TESTS = "tests/desk/test_netting.py"


@sabotage(
    "H97",
    "money is compared by position",
    test=f"{TESTS}::test_funding_is_booked_exactly_between_the_two[-20--20]",
)
def count_by_position(patch: Patch) -> None:
    patch.setattr(State, "gap", lambda self, currency: 0)


@sabotage(
    "H97",
    "what another program loses counts as funding",
    test=f"{TESTS}::test_a_foreign_loss_is_told_and_is_no_funding",
)
def tell_nobody(patch: Patch) -> None:
    patch.setattr(netting, "tell", lambda *_: iter(()))


@sabotage(
    "H97",
    "an average that others moved stays as we had it",
    test=f"{TESTS}::test_others_that_moved_the_average_of_what_we_hold",
)
def believe_no_average(patch: Patch) -> None:
    patch.setattr(netting, "_as_told", lambda ctx, picture, symbol, net: net)


@sabotage(
    "H97",
    "a reversal keeps the old cost",
    test="tests/model/test_netting.py::test_the_exchange_counts_the_same",
)
def begin_at_the_old_cost(patch: Patch) -> None:
    after = Net.after

    def kept(self: Net, *execution: Any) -> Any:
        net, made = after(self, *execution)
        return (replace(net, cost=self.cost) if net.size * self.size < 0 else net), made

    patch.setattr(Net, "after", kept)


@sabotage(
    "H97",
    "of several loans the newest is paid back",
    test="tests/desk/test_financing.py"
    "::test_the_oldest_loan_is_paid_back_first_and_what_is_beyond_is_what_lending_costs[1]",
)
def pay_back_the_newest(patch: Patch) -> None:
    without = model._without
    patch.setattr(model, "_without", lambda loans, size: without(loans[::-1], size)[::-1])
