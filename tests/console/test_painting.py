"""Rows are painted in one step, and only those that changed: what is shown is what Textual would
show, on the main screen and behind dialogs.
"""

import time
from collections.abc import Iterator
from decimal import Decimal

import pytest
from msgspec.structs import replace
from textual._context import visible_screen_stack
from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from tests.console.conftest import Stage, Staged
from tests.console.sample import SampleSession
from tui.field import Field
from tui.flows.dialog import Dialog
from tui.ladder.drawing import Look, line_of
from tui.ladder.rows import Row
from tui.painting import PaintedRows


def drawn(strips: list[Strip]) -> list[list[tuple[str, object]]]:
    """Each cell with its style, as far as a terminal can tell: a blank has no letters to colour."""
    return [
        [
            (c, s.style if c != " " or s.style is None else (s.style.bgcolor, s.style.reverse))
            for s in strip
            for c in s.text
        ]
        for strip in strips
    ]


def painted(stage: Stage) -> Iterator[Widget]:
    """The widgets on top that paint their rows themselves."""
    screen = stage.app.screen
    for widget in (screen, *screen.walk_children(Widget)):
        if isinstance(widget._styles_cache, PaintedRows) and widget.display and widget.region:
            yield widget


def different(stage: Stage) -> list[Widget]:
    """The widgets that show something else than Textual itself would make of them."""
    found = []
    for widget in painted(stage):
        area = Region(0, 0, *widget.region.size)
        shown = widget.render_lines(area)
        visible_screen_stack.set(stage.app._background_screens)
        if drawn(shown) != drawn(StylesCache().render_widget(widget, area)):
            found.append(widget)
    return found


async def alike(stage: Stage, least: int) -> None:
    """Until all that was asked to be painted is: then all widgets show the same."""
    assert len(list(painted(stage))) >= least
    until = time.monotonic() + 20
    while found := different(stage):
        assert time.monotonic() < until, found
        await stage.frames(0.1)


@pytest.mark.parametrize("colours", [True, False])
async def test_rows_are_what_textual_would_paint(
    staged: Staged, monkeypatch: pytest.MonkeyPatch, colours: bool
) -> None:
    if not colours:
        monkeypatch.setenv("NO_COLOR", "1")
    async with staged(size=(200, 60), layout="desk") as stage:
        await stage.frames(0.3)
        await alike(stage, 10)
        await stage.press("tab", "T")  # another frame listens, another look
        await alike(stage, 10)
        await stage.open("f9")
        assert isinstance(stage.app.screen, Dialog)
        await alike(stage, 3)


async def test_a_change_behind_dialogs_is_painted_and_nothing_else(
    stage: Stage, session: SampleSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stage.open("n")
    await stage.press("f9")
    await stage.frames(0.5)
    dialogs = [one for one in stage.app.screen_stack if isinstance(one, Dialog)]
    assert len(dialogs) == 2
    rows: list[int] = []
    own = Dialog._set_dirty

    def counted(self: Dialog, *regions: Region) -> None:
        rows.extend(region.height for region in regions or (Region(0, 0, 120, 40),))
        own(self, *regions)

    monkeypatch.setattr(Dialog, "_set_dirty", counted)
    held = session.positions[0]
    session.positions[0] = replace(held, size=Decimal("7.777"))
    await stage.shows("7.777")
    await stage.frames(0.5)
    assert 0 < sum(rows) < 40  # of 40 each at 10 frames a second


async def test_what_is_typed_is_painted_though_something_changes_behind(stage: Stage) -> None:
    await stage.open("n")
    dialog, behind = stage.app.screen, stage.app.screen_stack[-2]
    assert isinstance(dialog, Dialog)
    entry = dialog.query(Field).first()
    for text in ("500", "51"):
        entry.value = text
        # in the same frame, and after it: a price on the screen below
        entry.refresh()
        dialog._dirty_widgets.add(entry)
        behind._compositor._dirty_regions.add(Region(0, 0, 10, 1))
        behind._compositor_refresh()
        dialog._on_timer_update()
        assert not entry._repaint_regions, "nothing of it waits to be painted"
        await stage.frames()


def test_a_blank_has_the_colour_of_what_stands_before_it() -> None:
    row = Row(Decimal(100), bid=Decimal(2))
    look = Look(Decimal(1), Decimal("0.1"), Decimal(100), None, Decimal(0))
    line = line_of(row, look, 100, 5)
    assert len(line) < 8
    assert "".join(text for text, _ in line).split() == ["▸", "2.0", "│", "100", "│"]
    assert [text for text, tone in line if tone == "paper"] == ["   100"]  # and no blank beside it
