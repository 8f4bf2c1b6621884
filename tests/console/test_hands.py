"""Keys, pastes and clicks act one after the other: what is typed ahead goes where it was meant for,
whole, or nowhere.
"""

import asyncio
import time
from decimal import Decimal

import pytest
from textual import events

from engine.model.intent import Annotate, MoveStop, OpenBracket, Pause, Risk
from engine.model.refusal import Refusal
from tests.console.conftest import Stage, Staged
from tui.field import Field
from tui.flows import dialog
from tui.flows.dialog import Dialog
from tui.flows.ticket import Ticket
from tui.hands import Hands

pytestmark = pytest.mark.hazard("H106")
CHARACTERS = {"enter": "\r", "tab": "\t", "percent_sign": "%", "space": " ", "colon": ":"}


async def at_once(stage: Stage, *keys: str) -> None:
    """Type keys faster than any of them is handled, then wait until all are."""
    for key in keys:
        stage.app.post_message(events.Key(key, CHARACTERS.get(key, key if len(key) == 1 else None)))
    done = asyncio.Event()
    stage.app.call_later(done.set)
    await asyncio.wait_for(done.wait(), 20)
    await stage.frames(0.2)


def field(stage: Stage, name: str) -> str:
    return stage.app.screen.query_one(f"#{name}", Field).value


async def test_what_is_typed_behind_the_key_that_opens_a_dialog_is_in_its_field(
    stage: Stage,
) -> None:
    await at_once(
        stage,
        "n",
        "tab",
        "5",
        "0",
        "0",
        "backspace",
        "backspace",
        "1",
        "tab",
        "tab",
        "2",
        "percent_sign",
        "shift+tab",
        "shift+tab",
        "7",
    )
    assert (field(stage, "amount"), field(stage, "stop")) == ("517", "2%")
    assert stage.app.main.board.listening == "positions", "5, 1 and 2 went to no pane"


async def test_what_is_typed_behind_an_enter_that_asks_for_a_reason_is_the_reason(
    stage: Stage,
) -> None:
    await stage.open("m")
    await at_once(stage, "ctrl+u", *"60000", "enter", *"news")
    assert (field(stage, "price"), field(stage, "reason")) == ("60000", "news")


async def test_an_order_that_was_changed_is_not_placed_by_the_second_enter(stage: Stage) -> None:
    await stage.open("n")
    await stage.press("tab", "5")
    await stage.press("enter")
    assert isinstance(stage.app.screen, Ticket)
    assert stage.app.screen.meant
    await stage.frames(0.4)
    await at_once(stage, "0", "enter")
    assert not stage.asked, "the enter behind the 0 shows that 50 is meant"
    await stage.frames(0.4)
    await stage.press("enter")
    intent = await stage.one_asked()
    assert isinstance(intent, OpenBracket)
    assert intent.size == Risk(Decimal(50))


async def test_a_dialog_that_an_enter_opens_gets_what_is_typed_behind_it(stage: Stage) -> None:
    await at_once(stage, "colon", *"note", "enter", *"ok", "space", *"so")
    assert field(stage, "note") == "ok so"


async def test_a_command_typed_at_once_runs_as_if_it_had_been_typed_slowly(stage: Stage) -> None:
    await at_once(stage, "colon", *"halt", "ctrl+u", *"pause", "enter")
    assert [type(i) for i in stage.asked] == [Pause]


async def test_the_word_flattens_however_fast_it_is_typed(stage: Stage) -> None:
    await at_once(stage, "F", *"FLATTEN", "enter")
    assert [type(i).__name__ for i in stage.asked] == ["Flatten"]


async def test_an_enter_typed_ahead_confirms_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialog, "ARMING", 3.0)
    await at_once(
        stage,
        "x",
        "enter",
        "escape",
        "X",
        "enter",
        "escape",
        "m",
        "up",
        "enter",
        "escape",
        "n",
        "tab",
        "5",
        "enter",
        "enter",
    )
    assert not stage.asked


async def test_an_enter_that_came_too_early_is_told_until_one_counts(stage: Stage) -> None:
    await at_once(stage, "n", "tab", "5", "enter")
    await stage.shows("press it again")
    await stage.frames(0.4)
    await stage.press("enter")
    assert "press it again" not in stage.text
    await stage.shows("enter again places it")
    assert not stage.asked


async def test_keys_meant_for_a_dialog_that_closes_by_itself_are_forgotten(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialog, "GONE_AFTER", 0.2)
    await stage.open("m")
    await stage.press("up")
    early = events.Key("p", "p")
    await stage.press("enter")
    for _ in range(40):
        await stage.frames(0.05)
        if stage.app.screen is stage.app.main:
            break
    stage.app.post_message(early)
    await stage.frames(0.2)
    assert [type(i) for i in stage.asked] == [MoveStop]
    await stage.press("p")
    assert isinstance(stage.asked[-1], Pause), "a key that is typed now is heard"


async def test_a_dialog_is_armed_only_when_the_terminal_has_taken_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled = 1.0
    monkeypatch.setattr(stage.app, "stalled_for", lambda: stalled)
    await stage.press("x")
    await stage.frames(0.6)
    await stage.press("enter")
    assert not stage.asked, "nobody can have seen what it asks"
    stalled = 0.0
    await stage.frames(0.5)
    await stage.press("enter")
    assert len(stage.asked) == 1


async def test_a_paste_never_submits_and_never_goes_in_in_part(stage: Stage) -> None:
    await stage.open("N")
    stage.app.post_message(events.Paste("held over\nthe news\n"))
    await stage.frames(0.2)
    assert field(stage, "note") == "held over the news"
    assert not stage.asked
    await stage.press("escape")
    await stage.open("m")
    await stage.clear()
    stage.app.post_message(events.Paste("61000.1234567890123456789"))
    await stage.frames(0.2)
    assert field(stage, "price") == "", "half a number is another number"
    await stage.shows("nothing was pasted: the pasted text has 25 characters, 24 fit")


async def test_a_paste_into_no_field_does_nothing(stage: Stage) -> None:
    for keys in ((), ("x",), ("n",)):
        if keys:
            await stage.open(*keys)
        stage.app.post_message(events.Paste("x\nF\nFLATTEN\n"))
        await stage.frames(0.2)
        assert stage.app.screen is stage.app.main or isinstance(stage.app.screen, Dialog)
        await stage.press("escape")
    assert not stage.asked


async def test_what_is_sent_is_what_is_waited_for_whatever_is_typed_meanwhile(stage: Stage) -> None:
    stage.session.outcome = "hold"
    await stage.open("M")
    await stage.press("up", "enter", "9", "9")
    stage.session.change("P1", target=Decimal("64584.1"))
    await stage.frames(0.3)
    await stage.shows("confirmed")


async def test_a_refused_note_stays_as_it_was_typed(stage: Stage) -> None:
    stage.session.outcome = "refuse"
    stage.session.refusals = (Refusal("IN_DOUBT", "P1"),)
    await stage.open("N")
    await at_once(stage, *"abc", "left", "backspace", "enter", *"de")
    intent = await stage.one_asked()
    assert isinstance(intent, Annotate)
    assert intent.note == "ac"
    assert field(stage, "note") == "adec"


async def test_the_palette_runs_the_line_that_the_arrows_chose(stage: Stage) -> None:
    await at_once(stage, "ctrl+p", *"close", "down", "down", "up", "enter")
    await stage.shows("closes BTC/USD at market")
    await stage.press("escape")
    await at_once(stage, "ctrl+p", *"close", "enter")
    await stage.shows("close")
    await at_once(stage, "escape", "ctrl+p", "e", "enter")
    await stage.shows("which one")
    assert not stage.asked


async def test_a_long_text_scrolls_with_its_cursor(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.open("N")
        await at_once(stage, *("0123456789" * 12), "X")
        await stage.shows("9X")
        await stage.press("home")
        await stage.frames(0.1)
        await stage.shows("note      0123456789")
        assert "9X" not in stage.text
        assert stage.app.screen.query_one("#note", Field).size.width < 80


async def test_dialogs_that_are_opened_and_left_at_once_leave_the_main_screen(stage: Stage) -> None:
    await at_once(
        stage,
        "x",
        "escape",
        "m",
        "escape",
        "n",
        "escape",
        "ctrl+p",
        "escape",
        "slash",
        "e",
        "t",
        "h",
        "enter",
    )
    assert stage.app.screen is stage.app.main
    assert stage.app.main.board.positions.keys == ["P2"]
    assert not stage.asked


async def test_what_is_stale_gives_way_to_f9_and_what_was_typed_just_now_does_not() -> None:
    hands, now = Hands(), time.monotonic()

    def pressed(ago: float) -> events.Key:
        event = events.Key("x", "x")
        event.time = now - ago
        return event

    stale, young, behind = pressed(3), pressed(0.1), pressed(1)
    panic = pressed(2)
    assert hands.hears(stale)
    hands.hurry(panic)
    assert not hands.hears(stale)
    assert hands.hears(panic)
    assert hands.hears(behind), "what follows it is the word that it asks for"
    hands.hurry(pressed(0))
    assert hands.hears(young)
