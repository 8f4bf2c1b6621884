"""Ours beside the venue's on screen, and the one key that settles a difference."""

import pytest
from msgspec.structs import replace

from engine.model.intent import Reconcile, Resolve, Settlement
from engine.model.view import TruthRow, TruthView, View
from tests.console.conftest import Stage, Staged
from tests.console.sample import SampleSession
from tui.flows import truth

ALL = ("adopt", "forget", "flatten")
ROWS = (
    TruthRow("holding", "USD", "USD", "100,000", "100,000", "", ()),
    TruthRow("holding", "BTC", "BTC", "0", "0.5", "+0.5", ALL),
    TruthRow(
        "order",
        "OXX",
        "sell [red]BTC[/]/USD",
        "—",
        "0.1 at 70,000",
        "not ours",
        ("forget", "flatten"),
    ),
)


@pytest.fixture
def told(session: SampleSession, monkeypatch: pytest.MonkeyPatch) -> dict[str, TruthView]:
    now: dict[str, TruthView] = {}
    plain = session.view

    def view() -> View:
        seen = plain()
        return replace(
            seen,
            truth=now.get("truth", TruthView(seen.at - 4_000_000_000, in_motion=False, rows=ROWS)),
        )

    monkeypatch.setattr(session, "view", view)
    return now


async def test_each_line_stands_beside_the_venues(told: dict[str, TruthView], stage: Stage) -> None:
    await stage.open("V")
    assert isinstance(stage.asked[0], Reconcile)
    for text in (
        "OURS",
        "VENUE",
        "DIFF",
        "+0.5",
        "not ours",
        "sell [red]BTC[/]/USD",
        "4s old",
        "f leave it alone",
        "x cancel it",
    ):
        await stage.shows(text)


async def test_one_key_settles_the_chosen_line(
    told: dict[str, TruthView], stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open("V")
    await stage.open("j")
    # a slow machine takes seconds between two keys
    monkeypatch.setattr(truth, "AGAIN", 60_000_000_000)
    await stage.press("a")
    asked = stage.asked[-1]
    assert isinstance(asked, Resolve)
    assert (asked.subject, asked.action) == ("BTC", Settlement.ADOPT)
    await stage.press("x")
    assert stage.asked[-1] is asked, "a second key right after the first was typed for what is gone"


async def test_a_key_that_the_line_has_no_use_for_does_nothing(
    told: dict[str, TruthView], stage: Stage
) -> None:
    await stage.open("V")
    await stage.frames(0.3)
    await stage.press("a")
    assert not any(isinstance(intent, Resolve) for intent in stage.asked), (
        "an order can't be adopted"
    )


async def test_agreement_and_silence_are_said(told: dict[str, TruthView], staged: Staged) -> None:
    told["truth"] = TruthView(1, in_motion=False, rows=ROWS[:1])
    async with staged((80, 24)) as stage:
        await stage.open("V")
        await stage.shows("agree")
        told["truth"] = TruthView(None, in_motion=True, rows=())
        await stage.frames(0.5)
        await stage.shows("has not told anything yet")


async def test_an_exit_that_waits_for_a_word_says_what_it_risks(
    told: dict[str, TruthView], stage: Stage
) -> None:
    row = TruthRow(
        "exit",
        "P1",
        "exit of 0.5 BTC/USD; 2 BTC of your own beside it",
        "0.5",
        "—",
        "no picture",
        ("send",),
    )
    told["truth"] = TruthView(None, in_motion=True, rows=(row,))
    await stage.open("V")
    await stage.frames(0.5)
    for text in (
        "exit of 0.5 BTC/USD",
        "no picture",
        "s send it without a picture",
        "your own coins are sold",
    ):
        await stage.shows(text)
    await stage.press("x")
    assert not any(isinstance(intent, Resolve) for intent in stage.asked)
    await stage.press("s")
    asked = stage.asked[-1]
    assert isinstance(asked, Resolve)
    assert (asked.subject, asked.action) == ("P1", Settlement.SEND)
