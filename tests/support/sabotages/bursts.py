"""Bursts as a desk takes them that leaves the venue's limits to the gateway."""

from engine.desk import checks
from tests.support.sabotage import Patch, sabotage


@sabotage(
    "H92",
    "an entry that can't leave is accepted",
    test="tests/runtime/test_bursts.py::test_what_of_a_burst_is_accepted_leaves_and_the_rest_is_refused[kraken-futures-30]",
)
def accept_what_cannot_leave(patch: Patch) -> None:
    patch.setattr(checks, "_tokens", lambda *_: iter(()))
