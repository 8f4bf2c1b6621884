"""The screens and their keys: each from each other, by function keys, by the menu, by name; layouts
that are cycled, picked and kept; one pane alone.
"""

from pathlib import Path

import pytest

from tests.console.conftest import Stage, Staged
from tui.commands import COMMANDS, SCREENS
from tui.flows.blotter import Blotter
from tui.flows.log import Log
from tui.flows.truth import Truth
from tui.layouts import LayoutError, read
from tui.layouts.writing import save
from tui.panes.table import smallest

PAGES = {"f4": Blotter, "f6": Truth, "f7": Log}


def on_top(stage: Stage) -> str:
    """The name of the screen that stands on top."""
    return type(stage.app.screen).__name__


@pytest.mark.parametrize("first", PAGES)
async def test_each_screen_is_one_key_away_from_each_other(stage: Stage, first: str) -> None:
    await stage.press(first)
    assert on_top(stage) == PAGES[first].__name__
    for key, page in PAGES.items():
        await stage.press(key)
        assert on_top(stage) == page.__name__, key
        assert len(stage.app.screen_stack) == 2, "one stands over the main screen, never two"
        await stage.press(first)
    await stage.press("f2")
    assert on_top(stage) == "MainScreen"
    assert stage.app.main.board.listening == "positions"


async def test_what_is_typed_behind_the_key_of_a_screen_goes_to_that_screen(stage: Stage) -> None:
    await stage.pilot.press("f7", "slash", *"rej")
    await stage.frames(0.3)
    assert on_top(stage) == "Log"
    await stage.shows("order rejected")
    assert "has no stop" not in stage.text.split("Log: what")[1]
    assert not stage.asked


async def test_the_strip_stays_over_each_screen(staged: Staged) -> None:
    for size in ((80, 24), (120, 40)):
        async with staged(size) as stage:
            for key in PAGES:
                await stage.press(key)
                await stage.frames(0.2)
                assert "NAKED 1" in stage.text.splitlines()[0], key
                await stage.press("escape")


async def test_a_narrow_keyboard_finds_the_screens_in_a_menu(stage: Stage) -> None:
    await stage.press(",")
    await stage.shows("log: what happened")
    names = [name for name, _, _, why in stage.app.main.screens() if not why]
    await stage.press(str(names.index("log") + 1))
    assert on_top(stage) == "Log"


async def test_the_log_is_whole_where_the_pane_cuts(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        stage.session.tell("a long line " + "word " * 30 + "ends here", "bad", kind="rejected")
        await stage.press("f7")
        await stage.shows("ends here")
        await stage.press("/")
        await stage.type("alerts")
        await stage.press("enter")
        await stage.shows("ends here")
        await stage.press("escape")
        assert on_top(stage) == "Log", "esc ends the search first"
        await stage.press("escape")
        assert on_top(stage) == "MainScreen"


async def test_compare_is_a_screen(stage: Stage) -> None:
    await stage.press("f6")
    await stage.shows("Compare: ours, the venue's, and the difference")
    await stage.press("f2")
    assert on_top(stage) == "MainScreen"


def seen(stage: Stage) -> set[str]:
    """The panes that are shown."""
    return {name for name, pane in stage.app.main.board.panes.items() if pane.display}


async def test_a_zoomed_pane_has_all_the_room_and_z_gives_it_back(stage: Stage) -> None:
    everything = seen(stage)
    await stage.press("2", "z")
    await stage.shows("2 Orders alone")
    assert seen(stage) == {"positions", "orders"}
    assert stage.app.main.board.orders.outer_size.width == 120
    await stage.press("z")
    assert seen(stage) == everything
    await stage.press("1", "z")
    assert seen(stage) == {"positions"}
    await stage.press("f2")
    assert seen(stage) == everything


async def test_another_pane_ends_the_zoom(stage: Stage) -> None:
    await stage.press("2", "z", "4")
    assert stage.app.main.board.listening == "chart"
    assert {"chart", "pnl", "orders"} <= seen(stage)


async def test_f8_goes_through_the_layouts_and_comes_back(stage: Stage) -> None:
    names = sorted(set(stage.app.main.arrangements.layouts) - {"ladder"})
    seen = []
    for _ in names:
        await stage.press("f8")
        seen.append(stage.app.main.arrangements.name)
        await stage.shows(f"layout {seen[-1]}")
    assert sorted(seen) == names
    assert seen[-1] == "watch"


async def test_a_layout_is_picked_and_kept_by_name(staged: Staged, tmp_path: Path) -> None:
    own = tmp_path / "layouts"
    async with staged(layouts=own) as stage:
        await stage.open(":")
        await stage.type("layout review")
        await stage.press("enter")
        await stage.shows("layout review")
        assert stage.app.main.arrangements.name == "review"
        await stage.open(":")
        await stage.type("layout save mine")
        await stage.press("enter")
        await stage.shows("kept as")
        assert stage.app.main.arrangements.name == "mine"
    kept = read(own / "mine.toml", smallest)
    assert kept == stage.app.main.arrangements.layouts["review"]
    async with staged(layouts=own, layout="mine") as stage:
        await stage.frames(0.2)
        assert stage.app.main.arrangements.name == "mine"


async def test_a_layout_that_there_is_not_is_refused_with_those_that_there_are(
    stage: Stage,
) -> None:
    await stage.open(":")
    await stage.type("layout nothing")
    await stage.press("enter")
    await stage.shows("no layout is called “nothing”")
    await stage.shows("watch")


async def test_a_start_with_a_layout_that_there_is_not_says_so(staged: Staged) -> None:
    async with staged(layout="nothing") as stage:
        await stage.shows("console.layout is 'nothing': there are")
        await stage.shows("60,796.0  VENUE")


def test_what_is_kept_is_read_again_and_nothing_is_overwritten(tmp_path: Path) -> None:
    from tui.layouts import load

    for name, layout in load(smallest).layouts.items():
        file = save(tmp_path / "new", f"{name}-2", layout)
        assert read(file, smallest) == layout
        with pytest.raises(ValueError, match="is there already"):
            save(tmp_path / "new", f"{name}-2", layout)
    with pytest.raises(ValueError, match="can't be a layout's name"):
        save(tmp_path, "../x", layout)
    assert issubclass(LayoutError, ValueError)


async def test_all_columns_of_the_row_are_one_key_away(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        await stage.press(".")
        for said in ("entry", "62,100.0", "b/e", "62,149.7", "fees"):
            await stage.shows(said)
        await stage.press("escape")
        await stage.press("8", ".")
        await stage.shows("STANDS")


async def test_f9_opens_the_sheet_over_each_screen(stage: Stage) -> None:
    for key in (*PAGES, ",", "f1"):
        await stage.press(key)
        await stage.press("f9")
        await stage.shows("FLATTEN EVERYTHING")
        await stage.press("escape")
        await stage.frames(0.2)
        await stage.press("f2" if key != "," else "escape")
        assert on_top(stage) == "MainScreen", key


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (120, 40), (160, 50), (200, 60)])
async def test_the_footer_has_the_way_out_in_each_pane_and_cuts_no_word(
    staged: Staged, size: tuple[int, int]
) -> None:
    async with staged(size) as stage:
        for key in ("1", "2", "5", "f3"):
            await stage.press(key)
            await stage.frames(0.2)
            last = stage.text.splitlines()[-1]
            assert "F9 FLATTEN  " in last, key
            assert last.rstrip().endswith(("Quit", "Help", "Palette", "FLATTEN")), last


async def test_f3_is_the_ladder_and_f2_goes_back(stage: Stage) -> None:
    await stage.press("f3")
    assert stage.app.main.board.listening == "ladder"
    assert seen(stage) == {"positions", "ladder", "chart"}
    await stage.press("f3")
    await stage.press("f2")
    assert stage.app.main.arrangements.name == "watch"
    assert stage.app.main.board.listening == "positions"


def test_every_screen_has_a_function_key_or_the_menu() -> None:
    keys = {key for c in COMMANDS if c.group == SCREENS for key in c.key.split(",")}
    assert {"f1", "f2", "f3", "f4", "f6", "f7", "f8"} <= keys
    assert "f9" not in keys
