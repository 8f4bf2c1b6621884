"""The engine that holds the account is stopped at any await, the one that stands by takes over, and
the first one wakes: nothing is doubled, nothing sold twice, nothing left without a stop, and the
first one sends nothing any more.
"""

from pathlib import Path

import pytest

from tests.support.paused import run

pytestmark = pytest.mark.hazard("H76")
PROFILES = ("kraken-futures", "kraken-spot")
STOPS = (
    (9.0, False),  # the lease has run out, nobody has it
    (14.3, False),  # it wakes while the other one recovers
    (20.0, False),
    (20.0, True),  # the stops fire meanwhile
)
"""Seconds, and whether the price falls through the stops."""


def interleaved(folder: Path, profile: str, every: int) -> int:
    """Stop after each of `every` steps; how often the account was taken over."""
    folder.mkdir()
    steps, taken = run(folder, profile, None).steps, 0
    for number in range(1, steps, every):
        for lasts, drop in STOPS if every == 1 else (STOPS[number // every % len(STOPS)],):
            place = folder / f"{number}-{lasts}-{drop}"
            place.mkdir()
            try:
                taken += run(place, profile, number, lasts, drop=drop).took_over > 0
            except AssertionError as error:
                error.add_note(f"stopped after step {number} of {steps} for {lasts} s, {drop=}")
                raise
    return taken


@pytest.mark.parametrize("profile", PROFILES)
def test_a_holder_that_is_stopped_now_and_then(profile: str, tmp_path: Path) -> None:
    assert interleaved(tmp_path / "stories", profile, 23) >= 3


@pytest.mark.long
@pytest.mark.parametrize("profile", PROFILES)
def test_a_holder_that_is_stopped_at_each_await(profile: str, tmp_path: Path) -> None:
    assert interleaved(tmp_path / "stories", profile, 1) >= 200


def test_what_the_gate_admitted_does_not_leave_after_a_stop(tmp_path: Path) -> None:
    """The step in which a request was admitted is not the one in which it leaves."""
    for number in (4, 7):
        place = tmp_path / str(number)
        place.mkdir()
        assert run(place, "kraken-futures", number).took_over
