"""An honest desk passes the auditor; each lie of row H109 (`tests/support/sabotages/auditor.py`)
makes one of these stories red.
"""

import pytest

from engine.exchange import Faults
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.play import play
from engine.rehearsal.simulation.stage import Outcome

pytestmark = pytest.mark.hazard("H109")

BUY = s.Open("BTC/USD", "buy", 500)
OWN = {"BTC": 2_000}
"""The owner's own coins: the venue would sell them, too."""


def told(
    *steps: s.AnyStep,
    profile: str = "kraken-spot",
    faults: Faults | None = None,
    coins: dict[str, int] | None = None,
) -> Outcome:
    """What the auditor says of a story, which must hold throughout."""
    outcome = play(
        s.Story(
            3,
            (s.Wait(500), *steps),
            profile,
            faults=faults or Faults(),
            wanders=False,
            coins=coins or {},
        )
    )
    assert [f"{violation.invariant}: {violation.detail}" for violation in outcome.violations] == []
    assert outcome.checked > 10
    return outcome


def test_a_position_without_a_stop_is_told() -> None:
    outcome = told(s.Open("BTC/USD", "buy", 500, stop=None), s.Wait(1_000))
    assert outcome.counts["AlertRaised"]


def test_a_guard_without_a_price_is_told() -> None:
    told(
        BUY,
        s.Wait(1_000),
        s.Wait(90_000, silent=True),
        s.Wait(1_000),
        faults=Faults(reject_stop=1.0),
    )


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_a_stop_protects(profile: str) -> None:
    told(BUY, s.Wait(1_000), profile=profile)


def test_fills_are_booked_as_they_were() -> None:
    told(BUY, s.Wait(1_000), s.Close(0), s.Wait(1_000))


def test_profit_on_margin_is_what_the_fills_say() -> None:
    told(
        BUY,
        s.Wait(1_000),
        s.Move("BTC/USD", -50),
        s.Close(0),
        s.Wait(1_000),
        profile="kraken-futures",
    )


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_what_somebody_else_bought_is_told(profile: str) -> None:
    outcome = told(s.External("BTC/USD", "buy", 500), s.Wait(1_000), profile=profile)
    assert outcome.counts["AlertRaised"]


def test_a_close_sells_what_was_bought() -> None:
    told(BUY, s.Wait(1_000), s.Close(0), s.Wait(2_000), coins=OWN)


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_flat_is_flat(profile: str) -> None:
    told(
        BUY,
        s.Open("ETH/USD", "buy", 5_000),
        s.Wait(1_000),
        s.Flatten(),
        s.Wait(3_000),
        profile=profile,
    )


def test_a_refused_stop_does_not_work() -> None:
    told(BUY, s.Wait(2_000), faults=Faults(reject_stop=1.0))


@pytest.mark.parametrize("profile", ["kraken-spot", "kraken-futures"])
def test_a_moved_stop_rests_where_it_is_told(profile: str) -> None:
    told(BUY, s.Wait(1_000), s.MoveStop(0, 300), s.Wait(2_000), profile=profile)


def test_exits_close_no_more_than_is_held() -> None:
    told(BUY, s.Wait(1_000), s.Close(0, 50), s.Wait(2_000), coins=OWN)
