"""What befalls a process beside trades and crashes: each happens as it says, and the promise holds
where it holds today.
"""

from itertools import pairwise
from pathlib import Path

import pytest

from engine.desk.codec import decode
from engine.desk.events import AlertRaised, AnyEvent, IntentTaken
from engine.journal import Journal
from engine.model.intent import OpenBracket
from engine.rehearsal.simulation import story as s
from engine.rehearsal.simulation.draw import INGREDIENTS, USUAL, draw
from engine.rehearsal.simulation.play import play
from engine.rehearsal.simulation.shrink import shrink
from engine.rehearsal.simulation.soak import chunk
from engine.rehearsal.simulation.stage import ACCOUNT, Outcome

pytestmark = pytest.mark.hazard("H109")

BUY = s.Open("BTC/USD", "buy", 500)
COINS = {"BTC": 2_000, "DOGE": 1_000_000}
BESIDE = {
    "withdrawals": s.Withdraw,
    "pauses": s.Pause,
    "clock steps": s.Jump,
    "lost journal": s.Lose,
    "journal set back": s.Lose,
    "second process": s.Second,
    "last exit": s.LastExit,
}


def told(
    home: Path, *steps: s.AnyStep, coins: dict[str, int] | None = None, seed: int = 3
) -> Outcome:
    return play(s.Story(seed, (s.Wait(500), *steps), wanders=False, coins=coins or {}), home)


def events(home: Path, name: str = "journal.sqlite") -> list[AnyEvent]:
    journal = Journal.open(home / name, ACCOUNT, "test", now=0, read_only=True)
    try:
        return [decode(stored.body) for stored in journal.events()]
    finally:
        journal.close()


def alerts(home: Path) -> set[str]:
    return {event.alert.code for event in events(home) if isinstance(event, AlertRaised)}


def test_a_stop_fires_while_the_engine_stands_still(tmp_path: Path) -> None:
    near = s.Open("BTC/USD", "buy", 500, stop=60)
    outcome = told(
        tmp_path, near, s.Wait(1_000), s.Move("BTC/USD", -80), s.Pause(20_000), s.Wait(3_000)
    )
    assert outcome.violations == []
    assert outcome.ended == 1
    assert "SLEPT" in alerts(tmp_path)


def test_an_engine_that_stands_still_decides_nothing(tmp_path: Path) -> None:
    told(tmp_path, BUY, s.Wait(1_000), s.Pause(20_000), s.Wait(1_000))
    times = [event.at for event in events(tmp_path)]
    assert max(later - earlier for earlier, later in pairwise(times)) >= 19_000 * 1_000_000


@pytest.mark.parametrize("ms", [3_600_000, -3_600_000])
def test_a_clock_that_is_set_is_noticed(ms: int, tmp_path: Path) -> None:
    outcome = told(tmp_path, BUY, s.Wait(1_000), s.Jump(ms), s.Wait(4_000))
    assert outcome.violations == []
    assert "SLEPT" in alerts(tmp_path)


def test_coins_that_the_owner_takes_away_are_a_difference(tmp_path: Path) -> None:
    outcome = told(tmp_path, BUY, s.Wait(1_000), s.Withdraw("BTC", 50), s.Wait(1_000), coins=COINS)
    assert outcome.violations == []
    assert "DIFFERENCE" in alerts(tmp_path)


def test_no_more_is_taken_away_than_was_the_owners(tmp_path: Path) -> None:
    outcome = told(
        tmp_path,
        BUY,
        s.Wait(1_000),
        s.Withdraw("BTC"),
        s.Withdraw("BTC"),
        s.Wait(1_000),
        coins=COINS,
    )
    assert outcome.violations == []
    assert outcome.held["BTC/USD"] > 0


def test_a_coin_without_a_price_is_in_nobodys_way(tmp_path: Path) -> None:
    outcome = told(tmp_path, BUY, s.Wait(1_000), s.Flatten(), s.Wait(2_000), coins=COINS)
    assert outcome.violations == []
    assert outcome.ended == 1


@pytest.mark.parametrize("back", [False, True])
def test_a_journal_is_lost_or_set_back(back: bool, tmp_path: Path) -> None:
    told(
        tmp_path,
        BUY,
        s.Wait(500),
        s.Backup(),
        s.Open("ETH/USD", "buy", 500),
        s.Wait(500),
        s.Lose(back=back),
        s.Wait(2_000),
    )
    opened = [
        event.intent.id
        for event in events(tmp_path)
        if isinstance(event, IntentTaken) and event.answer.created
    ]
    assert len(opened) == (1 if back else 0)


def test_a_second_process_is_asked_to_trade_on_the_account(tmp_path: Path) -> None:
    told(tmp_path, BUY, s.Wait(500), s.Second("ETH/USD", "buy", 500, 1_000), s.Wait(1_000))
    asked = [
        event.intent
        for event in events(tmp_path, "journal-2.sqlite")
        if isinstance(event, IntentTaken)
    ]
    assert [intent.symbol for intent in asked if isinstance(intent, OpenBracket)] == ["ETH/USD"]


@pytest.mark.parametrize("beside", ["dead", "stopped"])
def test_the_last_exit_closes_everything_past_the_engine(beside: str, tmp_path: Path) -> None:
    outcome = told(
        tmp_path,
        BUY,
        s.Wait(1_000),
        s.LastExit("dead" if beside == "dead" else "stopped"),
        s.Wait(2_000),
    )
    assert outcome.counts["last exit flat"] == 1
    assert outcome.crashes == (1 if beside == "dead" else 0)


SELL = s.Open("BTC/USD", "sell", 500)
LATER = s.Wait(200_000)
"""Long after: no execution of before is as young as a last exit's own look-back."""
BEHIND: dict[str, tuple[s.AnyStep, ...]] = {
    "sold and bought back, journal lost": (SELL, LATER, s.Close(0), s.Wait(1_000), s.Lose()),
    "bought and sold, journal lost": (BUY, LATER, s.Close(0), s.Wait(1_000), s.Lose()),
    "bought, journal lost": (BUY, LATER, s.Lose()),
    "bought, copied, sold, copy put back": (
        BUY,
        s.Wait(1_000),
        s.Backup(),
        s.Wait(500),
        s.Close(0),
        LATER,
        s.Lose(back=True),
    ),
    "copied, bought, copy put back": (s.Wait(1_000), s.Backup(), BUY, LATER, s.Lose(back=True)),
    "a second engine sold and bought back": (
        s.Second("BTC/USD", "sell", 500, 100_000),
        s.Wait(1_000),
    ),
    "a second engine bought": (s.Second("BTC/USD", "buy", 500, 5_000), LATER),
}


@pytest.mark.hazard("H74")
@pytest.mark.hazard("H113")
@pytest.mark.parametrize("name", BEHIND)
def test_a_last_exit_beside_an_engine_that_knows_little_closes_what_is_ours_and_no_coin_of_the_owners(
    name: str,
) -> None:
    """The engine hangs with a journal that is new, set back, or not the only one; its home's
    summary is a moment old all the same.
    """
    story = s.Story(
        3, (s.Wait(500), *BEHIND[name], s.LastExit("stopped")), wanders=False, coins=COINS
    )
    outcome = play(story)
    assert outcome.violations == []
    assert outcome.counts["last exit flat"] == 1


@pytest.mark.hazard("H74")
@pytest.mark.parametrize("last", [s.Flatten(), s.LastExit("stopped")])
def test_what_was_held_on_margin_when_the_journal_was_lost_is_not_sold_out_of_the_owners_coins(
    last: s.AnyStep,
) -> None:
    """An execution of ours that the new journal does not know moved no coins: 2 BTC of the owner's
    lie beside the loan.
    """
    lost = (
        s.Open("BTC/USD", "buy", 500, lent=True),
        s.Wait(3_000),
        s.Lose(),
        s.Wait(20_000),
        last,
        s.Wait(20_000),
    )
    outcome = play(s.Story(3, (s.Wait(500), *lost), wanders=False, coins=COINS, margin=True))
    assert outcome.violations == []
    assert outcome.held == {}


@pytest.mark.hazard("H74")
def test_what_a_last_exit_has_sold_of_a_lost_journals_is_not_sold_again() -> None:
    lost = (
        BUY,
        s.Wait(3_000),
        s.Lose(),
        s.LastExit("stopped"),
        s.Wait(300),
        s.Flatten(),
        s.Wait(20_000),
    )
    outcome = play(s.Story(3, (s.Wait(500), *lost), wanders=False, coins=COINS))
    assert outcome.violations == []


@pytest.mark.hazard("H74")
def test_a_flatten_closes_what_another_engine_of_ours_bought_and_not_what_somebody_else_bought_beside_it() -> (
    None
):
    beside = (
        s.Second("BTC/USD", "buy", 10, 500),
        s.External("BTC/USD", "buy", 50),
        s.Wait(20_000),
        s.Flatten(),
        s.Wait(20_000),
    )
    outcome = play(s.Story(3, (s.Wait(500), *beside), wanders=False, coins={"BTC": 3}))
    assert outcome.violations == []


def test_what_works_today_is_usual_and_the_rest_is_asked_for() -> None:
    for name, step in BESIDE.items():
        usual = {type(one) for seed in range(60) for one in draw(seed, 24).steps}
        asked = {type(one) for seed in range(60) for one in draw(seed, 24, USUAL | {name}).steps}
        assert step in asked
        assert (step in usual) is any(
            INGREDIENTS[other] for other, made in BESIDE.items() if made is step
        )
    assert any(draw(seed).coins for seed in range(20))
    assert not any(draw(seed, 24, frozenset()).coins for seed in range(20))


def test_stories_with_everything_are_played_to_their_end() -> None:
    summary = chunk(0, 3, 12, frozenset(INGREDIENTS))
    assert summary.stories == 3
    assert summary.intents


def test_coins_that_do_not_matter_are_shrunk_away() -> None:
    story = s.Story(3, (BUY,), coins=COINS)
    assert shrink(story, lambda candidate: bool(candidate.steps)).coins == {}
