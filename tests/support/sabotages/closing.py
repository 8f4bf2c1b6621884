"""Closes that fail, as a naive desk would take it."""

from typing import Any

from engine.desk import between
from engine.desk.context import Context
from engine.desk.events import CloseEnded
from engine.gate.exits import Exits
from engine.model.position import Position
from tests.support.sabotage import Patch, sabotage

STORY = "tests/desk/test_between.py"


@sabotage(
    "H81",
    "the stop stays away while a close waits",
    test=f"{STORY}::test_the_exchange_has_the_stop_while_a_close_waits",
)
def leave_it_away(patch: Patch) -> None:
    patch.setattr(between, "may_return", lambda *_: False)


@sabotage(
    "H81",
    "a close that failed is sent again at once",
    test=f"{STORY}::test_all_ways_of_failing_have_one_pace[refused]",
)
def send_at_once(patch: Patch) -> None:
    def failed(ctx: Context, position: Position) -> Any:
        yield CloseEnded(
            ctx.now, position.id, missed=False, unfilled=position.unfilled + 1, retry_at=None
        )

    patch.setattr(between, "failed", failed)


@sabotage(
    "H81",
    "a close that was lost is not counted",
    test=f"{STORY}::test_all_ways_of_failing_have_one_pace[lost]",
)
def count_no_loss(patch: Patch) -> None:
    patch.setattr(between, "failed", lambda *_: iter(()))


@sabotage(
    "H81",
    "a stop that is refused meanwhile delays the close",
    test=f"{STORY}::test_a_stop_that_is_refused_meanwhile_delays_no_close_and_is_not_tried_again_for_it",
)
def delay_the_close(patch: Patch) -> None:
    patch.setattr(between, "keeps_pace", lambda *_: False)


@sabotage(
    "H81",
    "the stop does not make way again",
    test=f"{STORY}::test_the_stop_goes_back_for_the_time_until_the_next_attempt[cancelled]",
)
def never_make_way(patch: Patch) -> None:
    patch.setattr(
        between, "waits", lambda _, position, __: bool(position.closing and position.attempts)
    )


@sabotage(
    "H74",
    "a change that the venue refused may have made the exit larger for ever",
    test="tests/gate/test_evidence.py::test_an_exit_that_filled_before_it_could_be_made_larger_takes_no_more",
)
def believe_in_a_refused_change(patch: Patch) -> None:
    patch.setattr(Exits, "unchanged", lambda *_: None)
