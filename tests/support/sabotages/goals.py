"""Targets of parts as a naive desk would keep them."""

from collections.abc import Sequence
from decimal import Decimal

from engine.desk import goals
from engine.desk.context import Context, Events
from engine.desk.events import ClosingBegan
from engine.desk.goals import Wanted
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.position import Position
from tests.support.sabotage import Patch, sabotage

STORY, OUTSIDE = "tests/desk/test_goals.py", "tests/rehearsal/scenario/test_partial_targets.py"


@sabotage(
    "H33",
    "each target rests for all of the position",
    test=f"{STORY}::test_all_exits_that_rest_are_bounded_by_the_position_at_every_fill",
)
def targets_for_all(patch: Patch) -> None:
    def each(position: Position, instrument: Instrument, cover: Decimal) -> list[Wanted]:
        found = [(price, cover) for price, _ in position.goals_left(instrument)]
        return found if position.target is None else [*found, (position.target, cover)]

    patch.setattr(goals, "wanted", each)


@sabotage(
    "H33",
    "a part is sold beside a stop for all",
    test=f"{STORY}::test_where_no_target_rests_the_stop_gives_way_before_the_part_is_sold",
)
def close_all_at_the_first(patch: Patch) -> None:
    def reached(ctx: Context, position: Position) -> Events:
        yield ClosingBegan(ctx.now, position.id, position.size, "target")

    patch.setattr(goals, "reached", reached)


@sabotage(
    "H33",
    "a target that was reached is not remembered",
    test=f"{STORY}::test_where_no_target_rests_the_stop_gives_way_before_the_part_is_sold",
)
def reach_again(patch: Patch) -> None:
    reached = goals.reached

    def forget(ctx: Context, position: Position) -> Events:
        yield from (event for event in reached(ctx, position) if isinstance(event, ClosingBegan))

    patch.setattr(goals, "reached", forget)


@sabotage(
    "H40",
    "one order serves all targets",
    test=f"{OUTSIDE}::test_where_targets_rest_each_part_has_its_own_order_at_the_venue",
)
def one_order(patch: Patch) -> None:
    def first(
        targets: Sequence[Order], wishes: Sequence[Wanted]
    ) -> tuple[list[tuple[Wanted, Order | None]], list[Order]]:
        return [(wish, targets[0] if targets else None) for wish in wishes[:1]], list(targets[1:])

    patch.setattr(goals, "paired", first)
