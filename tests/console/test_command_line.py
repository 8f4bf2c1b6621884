"""`:` in the console: what is shown while somebody types, what one enter does and what two, at any
speed of the keys, and that a script asks for the same.
"""

import asyncio
import time
from pathlib import Path

import pytest
from msgspec import to_builtins
from textual import events

from engine.grammar.around import Around
from engine.grammar.carry import Carrying, drive
from engine.grammar.parser import parse, read_macros
from engine.model import intent as i
from engine.model.heard import Hear
from engine.model.refusal import Refusal
from engine.model.view import FlattenView
from tests.console.conftest import Stage, Staged
from tests.console.sample import SECOND, SampleSession
from tests.grammar.examples import MACROS, UNDERSTOOD
from tui.commands import COMMANDS
from tui.flows.command_line import CommandLine
from tui.flows.flatten import FlattenSheet
from tui.flows.live import GoLiveSheet
from tui.screen import MainScreen

PRINTED = {" ": "space", ";": "semicolon", "%": "percent_sign", "@": "at", ":": "colon"}


def keys_of(text: str) -> list[events.Key]:
    return [events.Key(PRINTED.get(sign, sign), sign) for sign in text]


async def typed(stage: Stage, text: str) -> CommandLine:
    """The command line, opened, with this text in it."""
    await stage.open(":")
    for key in keys_of(text):
        stage.app.post_message(key)
    await stage.frames(0.3)
    line = stage.app.screen
    assert isinstance(line, CommandLine)
    assert line.line.value == text
    return line


async def test_the_card_stands_under_the_line_while_it_is_typed(stage: Stage) -> None:
    await typed(stage, "stop btc 61,250")
    await stage.shows("stop BTC/USD 61250")
    await stage.shows("60796.0 → 61250")
    assert not stage.asked


async def test_an_error_points_and_tab_writes_its_cure(stage: Stage) -> None:
    line = await typed(stage, "buy btx 0.5 stop -1%")
    await stage.shows("unknown symbol “btx”; did you mean btc?")
    rows = stage.text.split("\n")
    below = next(index for index, row in enumerate(rows) if "^^^" in row)
    text = next(row for row in rows if "buy btx 0.5" in row)
    assert rows[below].index("^^^") == text.index("btx")
    assert (line.line.understood, line.line.wrong) == (4, (4, 7))
    await stage.press("tab")
    assert line.line.value == "buy btc 0.5 stop -1%"
    assert line.line.wrong is None


@pytest.mark.parametrize("word", ["take", "sort", "truth", "quit"])
async def test_a_command_of_the_console_says_what_it_does_also_when_it_is_whole(
    stage: Stage, word: str
) -> None:
    does = next(command.words for command in COMMANDS if command.id == word)
    await typed(stage, word)
    await stage.shows(does)


async def test_tab_completes_words_symbols_and_numbers(stage: Stage) -> None:
    line = await typed(stage, "canc")
    for text, wanted in (
        ("canc", "cancel"),
        ("cancel b", "cancel b"),
        ("cancel bu", "cancel buys "),
        ("cancel #1", "cancel #1"),
        ("close e", "close eth "),
        ("buy eth 1 sto", "buy eth 1 stop "),
        ("buy eth 1 at b", "buy eth 1 at b"),
        ("wait fl", "wait flat "),
    ):
        line.line.value = text
        await stage.press("tab")
        assert line.line.value == wanted
    line.line.value = "cancel #"
    await stage.frames(0.3)
    await stage.shows("#12  #13  #14  #15  #16")


@pytest.mark.parametrize("spacing", [0.0, 0.005, 0.02, 0.08, 0.2])
@pytest.mark.parametrize(
    ("text", "enters", "wanted"),
    [
        ("closx\be eth 50%", 1, i.ClosePosition),
        ("buy eth 0.5 stop -1%", 2, i.OpenBracket),
    ],
)
async def test_the_same_keys_at_any_speed_give_the_same_request(
    stage: Stage, text: str, enters: int, wanted: type, spacing: float
) -> None:
    stage.app.post_message(events.Key("colon", ":"))
    for key in keys_of(text):
        back = key.character == "\b"
        stage.app.post_message(events.Key("backspace", None) if back else key)
        await asyncio.sleep(spacing)
    for number in range(enters):
        if number:
            await stage.shows("enter again sends all of it")
            await stage.frames(0.6)
        stage.app.post_message(events.Key("enter", "\r"))
        await asyncio.sleep(spacing)
    intent = await stage.one_asked()
    assert isinstance(intent, wanted)
    told = to_builtins(intent)
    if wanted is i.ClosePosition:
        assert (told["position"], told["part"]) == ("P2", "0.5")
    else:
        assert (told["symbol"], told["size"]["amount"]) == ("ETH/USD", "0.5")


async def hold_enter(stage: Stage, times: int) -> None:
    """An enter that a keyboard repeats each 30 ms, whatever the machine is busy with."""
    start = time.monotonic()
    for number in range(times):
        key = events.Key("enter", "\r")
        key.time = start + 0.03 * number
        stage.app.post_message(key)
        await asyncio.sleep(0.03)
    await stage.frames(0.3)


async def test_an_enter_that_is_held_down_sends_once(stage: Stage) -> None:
    await typed(stage, "close eth")
    await hold_enter(stage, 20)
    assert [type(intent) for intent in stage.asked] == [i.ClosePosition]


async def test_an_enter_that_is_held_down_opens_nothing(stage: Stage) -> None:
    await typed(stage, "buy eth 0.5 stop -1%")
    await hold_enter(stage, 40)
    assert not stage.asked
    await stage.shows("held down")


async def test_a_changed_line_is_not_sent_by_the_second_enter(stage: Stage) -> None:
    line = await typed(stage, "buy eth 0.5 stop -1%")
    await stage.press("enter")
    assert line.meant
    await stage.frames(0.5)
    stage.app.post_message(events.Key("backspace", None))
    stage.app.post_message(events.Key("enter", "\r"))
    await stage.frames(0.4)
    assert not stage.asked
    assert line.line.value.endswith("-1")


async def test_a_refusal_stands_in_the_line_and_can_be_mended(stage: Stage) -> None:
    stage.session.outcome = "refuse"
    stage.session.refusals = (Refusal("ALREADY_CLOSING", "ETH/USD"),)
    line = await typed(stage, "close eth; pause")
    await stage.press("enter")
    await stage.shows("refused: ETH/USD is being closed already")
    assert len(stage.asked) == 1, "a refusal ends the line"
    assert line.phase == "open"


async def test_a_word_that_is_no_command_and_an_unknown_outcome(stage: Stage) -> None:
    stage.session.outcome = "break"
    line = await typed(stage, "close eth; pause")
    await stage.press("enter")
    await stage.shows("unknown: no answer: the engine's socket closed")
    assert line.phase == "done"
    assert len(stage.asked) == 1


async def test_a_read_only_console_asks_nothing(stage: Stage) -> None:
    stage.session.read_only = True
    await stage.frames()
    await typed(stage, "close eth")
    await stage.press("enter")
    await stage.shows("read-only:")
    assert not stage.asked


async def test_sheets_open_where_something_is_typed(stage: Stage) -> None:
    await typed(stage, "flatten")
    await stage.press("enter")
    assert isinstance(stage.app.screen, FlattenSheet)
    await stage.press("escape")
    stage.session.reasons = []
    await typed(stage, "live")
    await stage.press("enter")
    assert not isinstance(stage.app.screen, GoLiveSheet), "nothing holds entries back"
    await typed(stage, "live paper")
    await stage.press("enter")
    assert isinstance(await stage.one_asked(), i.GoLive)


async def test_what_was_said_is_kept_for_the_account_but_not_a_live_name(
    staged: Staged, tmp_path: Path
) -> None:
    async with staged() as stage:
        for text in ("pause", "live paper", "cancel #14"):
            await typed(stage, text)
            await stage.press("enter")
            await stage.frames(0.3)
            while isinstance(stage.app.screen, CommandLine):
                await stage.press("escape")
    assert (tmp_path / "commands.history").read_text().split("\n") == ["pause", "cancel #14", ""]
    assert (tmp_path / "commands.history").stat().st_mode & 0o777 == 0o600
    async with staged() as stage:
        line = await typed(stage, "be")
        await stage.press("up")
        assert line.line.value == "cancel #14"
        await stage.press("up", "up")
        assert line.line.value == "pause"
        await stage.press("down", "down")
        assert line.line.value == "be"


async def waiting(stage: Stage) -> CommandLine:
    line = await typed(stage, "pause; wait flat within 30s; cancel all")
    await stage.press("enter")
    await stage.shows("wait flat within 30s: ")
    return line


async def test_esc_ends_a_wait(stage: Stage) -> None:
    await waiting(stage)
    await stage.press("escape")
    await stage.shows("stopped: ended with esc")
    assert [type(intent) for intent in stage.asked] == [i.Pause]


async def test_a_wait_goes_on_without_its_dialog_and_can_be_cancelled(stage: Stage) -> None:
    await waiting(stage)
    await stage.frames(0.4)
    await stage.press("enter")
    assert stage.app.screen is stage.app.main
    assert stage.app.link is not None
    assert len(stage.app.link.running.waits()) == 1
    await typed(stage, "cancel wait")
    await stage.press("enter")
    await stage.shows("cancelled with :cancel wait")
    await stage.frames(0.3)
    assert not stage.app.link.running.waits()
    assert [type(intent) for intent in stage.asked] == [i.Pause]


async def test_what_is_selected_later_is_not_what_a_line_means(stage: Stage) -> None:
    await typed(stage, "wait 10s; be")
    await stage.press("enter")
    await stage.shows("wait 10s: ")
    await stage.frames(0.4)
    await stage.press("enter")
    assert stage.app.screen is stage.app.main
    await stage.press("down")
    selected = stage.app.main.context().position
    assert selected is not None
    assert selected.id != "P1"
    stage.session.later = 11 * SECOND
    asked = await stage.one_asked()
    assert isinstance(asked, i.BreakEven)
    assert asked.position == "P1", "the one that was selected when it was said"


async def test_one_of_several_that_would_be_refused_holds_nothing_back(stage: Stage) -> None:
    stage.session.refused_positions = {"P1"}
    await typed(stage, "close all")
    await stage.press("enter")
    await stage.shows("refused: ")
    assert [getattr(one, "position", "") for one in stage.asked] == ["P1", "P2", "P3"]


async def test_a_wait_that_is_over_goes_on_with_the_line(stage: Stage) -> None:
    await waiting(stage)
    stage.session.positions = []
    await stage.shows("confirmed")
    await stage.frames(0.3)
    assert [type(intent) for intent in stage.asked] == [i.Pause, i.CancelAll]


async def test_any_flatten_ends_a_wait(stage: Stage) -> None:
    await waiting(stage)
    stage.session.flatten = FlattenView(stage.session.view().at, None, (), ())
    await stage.shows("a flatten ended the line")
    stage.session.positions = []
    await stage.frames(0.3)
    assert [type(intent) for intent in stage.asked] == [i.Pause]


async def test_a_wait_that_runs_out_ends_the_line(stage: Stage) -> None:
    await waiting(stage)
    stage.session.later = 31 * SECOND
    await stage.shows("ran out")
    assert [type(intent) for intent in stage.asked] == [i.Pause]


async def test_macros_and_faults_of_the_settings(staged: Staged) -> None:
    async with staged(commands={**MACROS, "truth": "pause"}) as stage:
        await stage.shows("commands.truth: truth is a command already; it is left out")
        await typed(stage, "scalp eth")
        await stage.shows("buy ETH/USD risk 0.25% stop -0.4% target 1r half, 2r be after 1r")
        await stage.press("enter")
        await stage.frames(0.6)
        await stage.press("enter")
        assert isinstance(await stage.one_asked(), i.OpenBracket)


async def test_the_words_of_the_screen_are_completed_and_a_symbol_becomes_the_focus(
    stage: Stage,
) -> None:
    line = await typed(stage, "layout tr")
    for text, wanted in (
        ("layout tr", "layout trade "),
        ("theme flatout-l", "theme flatout-light "),
        ("chart 1", "chart 1"),
        ("symbol e", "symbol eth "),
        ("export bl", "export blotter "),
        ("help gett", "help getting-started "),
    ):
        line.line.value = text
        await stage.press("tab")
        assert line.line.value == wanted
    line.line.value = "symbol eth"
    await stage.press("enter")
    await stage.shows("focus: ETH/USD")
    await stage.shows("4 Chart  ETH/USD")
    await typed(stage, "symbol doge")
    await stage.press("enter")
    await stage.shows("unknown symbol “doge”; known: btc, eth, sol")
    assert not stage.asked


async def test_a_macro_on_a_key_writes_its_line_and_sends_only_what_was_seen(
    staged: Staged,
) -> None:
    out = {**MACROS, "out": "pause; cancel all", "piece": "close {1:part}"}
    keys = {"scalp": "K", "out": "Z", "piece": "J", "stop": "K"}
    async with staged(commands=out, keys=keys) as stage:
        await stage.shows("K is scalp")  # the later entry loses
        for typed_at_once in (events.Key("Z", "Z"), events.Key("enter", "\r")):
            stage.app.post_message(typed_at_once)
        await stage.shows("that enter came before this was on the screen")
        assert not stage.asked
        line = stage.app.screen
        assert isinstance(line, CommandLine)
        assert line.line.value == "out"
        await stage.frames(0.4)
        await stage.press("enter")
        await stage.frames(0.3)
        assert isinstance(stage.asked[0], i.Pause)
        stage.asked.clear()
        await stage.press("K")
        line = stage.app.screen
        assert isinstance(line, CommandLine)
        assert line.line.value == "scalp btc/usd"
        await stage.shows("buy BTC/USD risk 0.25% stop -0.4%")
        await stage.press("escape", "J")
        await stage.type("50")
        stage.app.post_message(events.Key("percent_sign", "%"))
        await stage.frames(0.4)
        await stage.press("enter")
        close = await stage.one_asked()
        assert isinstance(close, i.ClosePosition)
        assert (close.position, str(close.part)) == ("P1", "0.5")


async def test_a_line_that_waits_stands_in_activity_until_it_ends(stage: Stage) -> None:
    await typed(stage, "wait flat within 60s")
    await stage.press("enter")
    await stage.shows("leaves it running")
    await stage.frames(0.5)  # it has been there for as long as it takes to be read
    await stage.press("enter")
    await stage.shows("wait         wait flat within 60s")
    assert ":cancel wait ends it" in next(iter(stage.app.main.board.activity.rows())).text
    await typed(stage, "cancel wait")
    await stage.press("enter")
    await stage.frames(0.4)
    assert not any(row.kind == "wait" for row in stage.app.main.board.activity.rows())


async def in_a_script(text: str) -> list[object]:
    """What `flatout do` asks for: the same parser, the same resolver, the same carrying."""
    session = SampleSession()
    macros = read_macros(MACROS)[0]

    def around(view: object) -> Around:
        del view
        return Around(
            view=session.view(), focus="BTC/USD", chosen="P1", macros=macros, presets=("0.1", "0.2")
        )

    line = parse(text, around(None).vocabulary).line
    assert line is not None
    carrying = Carrying(line, "k", around)

    async def look() -> object:
        session.later += SECOND
        return session.view()

    async def perform(command: object) -> str:
        return str(command)

    async def pause() -> None:
        await asyncio.sleep(0)

    await drive(carrying, look, session.ask, perform, pause)  # type: ignore[arg-type]
    return [bare(intent) for intent in session.asked]


def bare(intent: i.AnyIntent) -> object:
    """An intent without its key and its deadline."""
    told = to_builtins(intent)
    return {name: value for name, value in told.items() if name not in ("id", "not_after")}


@pytest.mark.parametrize("text", UNDERSTOOD)
async def test_script_and_console_ask_for_the_same(staged: Staged, text: str) -> None:
    wanted = await in_a_script(text)
    async with staged(commands=MACROS, presets=("0.1", "0.2")) as stage:
        line = await typed(stage, text)
        await stage.press("enter")
        if line.meant:
            await stage.frames(0.6)
            await stage.press("enter")
        for _ in range(60):
            if len(stage.asked) >= len(wanted):
                break
            stage.session.later += SECOND
            await stage.frames(0.05)
        assert [bare(intent) for intent in stage.asked] == wanted


async def test_words_of_a_recording_are_asked_of_the_session_and_not_of_the_desk(
    stage: Stage,
) -> None:
    await typed(stage, "next move 0.5%")
    await stage.shows("fill, or move 0.5%: hurry on to it, and freeze there")
    await stage.press("enter")
    await stage.shows("the sample has no Replay")
    assert not stage.asked


async def test_symbols_are_added_and_dropped_with_one_enter(stage: Stage) -> None:
    await typed(stage, "watch add xrp")
    await stage.press("enter")
    await stage.shows("xrp is heard: add")
    assert stage.session.heard == [Hear("add", "xrp")]
    assert not stage.asked, "it asks the desk for nothing"


async def test_what_is_dropped_is_no_focus_any_more(stage: Stage) -> None:
    stage.session.positions = [p for p in stage.session.positions if p.symbol != "SOL/USD"]
    await typed(stage, "symbol sol")
    await stage.press("enter")
    await stage.shows("focus: SOL/USD")
    await typed(stage, "watch drop sol")
    await stage.press("enter")
    await stage.shows("SOL/USD is heard: drop")
    await stage.frames(0.3)
    assert isinstance(stage.app.screen, MainScreen)
    assert stage.app.screen.board.context(stage.session.view(), "").symbol != "SOL/USD"
    await typed(stage, "buy sol 1")
    await stage.shows("unknown symbol “sol”")
    assert stage.session.heard == [Hear("drop", "SOL/USD")]


async def test_a_console_that_only_looks_is_told_so(stage: Stage) -> None:
    stage.session.read_only = True
    await stage.frames(0.3)
    await typed(stage, "watch add xrp")
    await stage.press("enter")
    await stage.shows("read-only")
    assert not stage.session.heard
