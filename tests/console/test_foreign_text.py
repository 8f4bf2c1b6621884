"""Nothing that comes from elsewhere is obeyed: not by a markup parser, not by a terminal, not by a
spreadsheet.
"""

import csv
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from engine.model.alert import Alert
from engine.model.refusal import Refusal
from engine.model.view import FlattenLine, FlattenView, Preview, PreviewLine, Reason
from tests.console.conftest import Stage, Staged
from tests.console.sample import T0, SampleSession
from tests.support.painted import screen_text
from tui.plain import plain

NASTY = [
    "[red]x[/]\x1b[2J",
    "err [code=-2019] Margin is insufficient",
    "[/][/b][@click=app.quit]x[/]",
    "[[[]]]]",
    "\x1b]52;c;aGk=\x07\x9b31m",
    "a\nb\tc\rd\x00\x7f",
    "\u202egnol\u2066 \ud800 \ufeff",
    "=cmd()|' /C calc'!A0",
    "日本語シンボル🚀👩‍👩‍👧",
    "$x ${y} %s {subject}",
]


@given(st.text())
def test_plain_text_has_no_control_left(text: str) -> None:
    shown = plain(text)
    assert not any(
        ord(c) < 32 or 127 <= ord(c) < 160 or 0xD800 <= ord(c) < 0xE000 or 0x202A <= ord(c) < 0x202F
        for c in shown
    )
    shown.encode()


def poison(session: SampleSession, text: str) -> None:
    """Put `text` wherever the engine can put text."""
    session.positions = [
        replace(
            p,
            symbol=text,
            label=text,
            note=text,
            tags=(text,),
            protection_text=text,
            currency="USD",
        )
        for p in session.positions
    ]
    session.orders = [
        replace(
            o,
            state=text,
            evidence=text,
            order=replace(o.order, symbol=text, label=text, reason=text),
        )
        for o in session.orders
    ]
    session.alerts = [
        Alert("ORDER_REJECTED", text, text, T0, target="P1"),
        Alert("TASK_DIED", text, text, T0),
    ]
    session.reasons = [Reason(text, text, T0, text)]
    session.flatten = FlattenView(T0, None, (FlattenLine(text, Decimal(1), 1, text),), (text,))
    for tone in ("good", "bad", "busy", "plain", text):
        session.tell(text, tone)
    session.preview_refusals = (Refusal("IN_DOUBT", text, text),)

    def preview(intent: object) -> Preview:
        return Preview(
            text,
            (PreviewLine(text, text, text, text),),
            (text,),
            session.preview_refusals,
            True,
            Decimal(1),
        )

    session.preview = preview  # type: ignore[method-assign]


@pytest.mark.hazard("H69")
async def test_every_sink_shows_it_literally(staged: Staged, session: SampleSession) -> None:
    text = " ".join(NASTY[:3])
    poison(session, text)
    session.outcome = "refuse"
    session.refusals = (Refusal("IN_DOUBT", text),)
    async with staged() as stage:
        await visit(stage)
        assert "\x1b" not in stage.text
        assert stage.app.return_code is None
        poisoned = plain(text)[:8]
        await stage.shows(poisoned)


async def visit(stage: Stage) -> None:
    """Open everything there is."""
    for key in ("enter", "x", "X", "m", "b", "t", "v", "n", "F", "?", "L", ":", "q", "C", "/"):
        await stage.open("1", key)
        assert "\x1b" not in stage.text
        if key in "xt":
            await stage.press("enter")
        await stage.press("escape")
    for keys in (("2", "j", "c"), ("2", "enter"), ("8", "enter"), ("2", "m")):
        await stage.open(*keys)
        await stage.press("escape")
    await stage.press("8", "!", "a", "y", "1", "e")
    await stage.press("ctrl+p")
    await stage.frames(0.2)
    await stage.press("escape", "escape")
    assert stage.app.screen is stage.app.main


@pytest.mark.hazard("H69")
@pytest.mark.parametrize("text", NASTY[3:])
async def test_the_screen_shows_it_literally(
    staged: Staged, session: SampleSession, text: str
) -> None:
    poison(session, text)
    async with staged() as stage:
        assert "\x1b" not in stage.text
        await stage.open("x")
        assert "\x1b" not in stage.text
        await stage.shows(plain(text)[:5])


@pytest.mark.hazard("H69")
async def test_an_engine_that_cant_open_says_so_literally() -> None:
    from tui.app import FlatoutApp

    async def open_session() -> SampleSession:
        raise OSError(NASTY[0])

    app = FlatoutApp(open_session)
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause(0.3)
        assert "[red]x[/]␛[2J" in screen_text(app)
        await pilot.press("q")
        await pilot.pause(0.3)
    assert app.return_code == 2
    assert app.last_words[0].startswith("the engine could not be opened: [red]x[/]␛[2J")


async def test_an_export_of_foreign_text_stays_rows(staged: Staged, session: SampleSession) -> None:
    poison(session, "=x\n,y")
    async with staged() as stage:
        await stage.press("e")
        [path] = (stage.app.options.home / "exports").glob("*.csv")
        rows = list(csv.reader(path.read_text().splitlines()))
        assert len(rows) == 4
        assert rows[1][0] == r"'=x\u000a,y"
