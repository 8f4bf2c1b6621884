"""Killed after every batch of the journal, and before and after every request: each story ends
where it ends without a crash.
"""

from collections.abc import Iterator
from functools import cache

import pytest
from msgspec.structs import replace

from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.play import play
from engine.rehearsal.simulation.stage import Outcome

BTC, ETH = s.Open("BTC/USD", "buy", 500), s.Open("ETH/USD", "buy", 5_000)
TOLD: dict[str, tuple[s.AnyStep, ...]] = {
    "entry": (replace(BTC, target=200), s.Wait(2_000)),
    "partial fills": (s.Open("BTC/USD", "buy", 9_000, stop=50), s.Wait(1_000)),
    "a limit that fills later": (
        replace(BTC, kind="limit", away=20),
        s.Wait(500),
        s.Move("BTC/USD", -30),
        s.Wait(2_000),
    ),
    "an entry that expires": (replace(BTC, kind="limit", away=100, expires_ms=600), s.Wait(2_000)),
    "the stop is moved": (
        BTC,
        s.Wait(500),
        s.MoveStop(0, 60),
        s.Wait(300),
        s.MoveStop(0, 30),
        s.Wait(500),
    ),
    "trail": (
        replace(BTC, trail=30),
        s.Wait(500),
        s.Move("BTC/USD", 50),
        s.Wait(300),
        s.Move("BTC/USD", 50),
        s.Wait(500),
    ),
    "whipsaw": (
        replace(BTC, stop=20, target=20),
        s.Wait(500),
        s.Move("BTC/USD", 30),
        s.Move("BTC/USD", -80),
        s.Wait(2_000),
    ),
    "stopped out": (replace(BTC, stop=20), s.Wait(500), s.Move("BTC/USD", -40), s.Wait(6_000)),
    "half is closed": (replace(BTC, target=200), s.Wait(500), s.Close(0, 50), s.Wait(1_000)),
    "reverse": (BTC, s.Wait(500), s.Reverse(0), s.Wait(2_000)),
    "flatten": (BTC, replace(ETH, kind="limit", away=50), s.Wait(500), s.Flatten(2), s.Wait(2_000)),
}
CASES = [(name, profile) for name in TOLD for profile in ("kraken-spot", "kraken-futures")]
# fees in the base, no amend
CASES += [
    (name, "binance-spot") for name in ("entry", "the stop is moved", "half is closed", "flatten")
]


def _story(name: str, profile: str, *crash: s.AnyStep) -> s.Story:
    return s.Story(7, (s.Wait(500), *crash, *TOLD[name]), profile, wanders=False, insists=True)


@cache
def _uncrashed(name: str, profile: str) -> Outcome:
    outcome = play(_story(name, profile))
    assert outcome.violations == []
    return outcome


def _points(name: str, profile: str) -> Iterator[s.Crash]:
    whole = _uncrashed(name, profile)
    for count in range(1, whole.counts["commits"] + 1):
        yield s.Crash("commit", count)
    for count in range(1, whole.requests + 1):
        yield s.Crash("before request", count)
        yield s.Crash("after request", count)


@pytest.mark.hazard("H03")
@pytest.mark.hazard("H31")
@pytest.mark.parametrize("each", [2, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize(("name", "profile"), CASES, ids=lambda value: str(value).replace(" ", "-"))
def test_every_crash_ends_where_no_crash_ends(name: str, profile: str, each: int) -> None:
    """Of one profile the odd points of a story, of the next the even ones; all of both on request."""
    whole, wrong, survived = _uncrashed(name, profile), [], 0
    first = CASES.index((name, profile)) % each
    for point in list(_points(name, profile))[first::each]:
        story = _story(name, profile, point)
        outcome = play(story)
        survived += outcome.crashes
        if outcome.violations or (outcome.held, outcome.ended) != (whole.held, whole.ended):
            told = [
                f"{violation.invariant}: {violation.detail}" for violation in outcome.violations[:2]
            ]
            wrong.append(
                f"{point}: {told or (outcome.held, outcome.ended, 'not', whole.held, whole.ended)}"
            )
    assert not wrong, "\n".join(wrong)
    assert survived > 5 // each, "the crashes did not happen"
