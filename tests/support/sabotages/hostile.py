"""What the hostile exchange found: closes that fail, and a stop that goes though coins stay."""

from msgspec.structs import replace

from engine.desk import fills, protection
from engine.emergency import closing
from engine.emergency.holding import Left
from tests.support.sabotage import Patch, sabotage

PROTECTION = "tests/desk/test_protection.py"


@sabotage(
    "H30",
    "a close that came to nothing guards",
    test=f"{PROTECTION}::test_a_position_whose_close_the_venue_fails_is_naked",
)
def guard_by_hope(patch: Patch) -> None:
    honest = protection.protection
    patch.setattr(
        protection, "protection", lambda ctx, position: honest(ctx, replace(position, unfilled=0))
    )


@sabotage(
    "H30",
    "what ends naked was never naked",
    test=f"{PROTECTION}::test_a_position_whose_close_the_venue_fails_is_naked",
)
def forget_the_naked_time(patch: Patch) -> None:
    patch.setattr(fills, "count_naked", lambda *_: ())


@sabotage(
    "H75",
    "a stop over what nobody can attribute goes",
    test="tests/emergency/test_closing.py::test_a_stop_over_what_nobody_can_attribute_stays",
)
def take_every_leftover(patch: Patch) -> None:
    patch.setattr(Left, "asset", property(lambda _: "nothing"))


@sabotage(
    "H113",
    "what a late view lists is nobody's",
    test=(
        "tests/emergency/test_closing.py::test_what_was_sold_and_is_still_listed_is_looked_at_again"
    ),
)
def give_up_at_once(patch: Patch) -> None:
    patch.setattr(closing, "STRANGE_AFTER", 0)
