"""Theme, keys, layouts, templates and macros are read again while the console runs; a fault leaves
the rest as it was.
"""

from pathlib import Path

import pytest

import themes
from engine.model.templates import Templates
from tests.console.conftest import Stage, Staged
from tui.cli.common import Common
from tui.cli.console import options_of
from tui.options import ConsoleOptions
from tui.reloading import Reloading, stamp_of

DARK = (Path(themes.__file__).parent / "flatout-dark.toml").read_text(encoding="utf-8")
LAYOUT = """
[[variant]]
min = [100, 30]
columns = ["1fr"]
rows = [8, "1fr"]
areas = ["positions", "orders"]
"""


class Files:
    """The settings of one person, beside the console that reads them."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "settings.toml"
        self.common = Common(self.file, (), folder)
        self.write("")

    def write(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")

    def beside(self, name: str, text: str) -> None:
        path = self.file.parent / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def options(self) -> ConsoleOptions:
        from engine.setup.settings import load

        loaded = load(self.file)
        return options_of(self.common, loaded, loaded.settings, self.file.parent)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def used(stage: Stage, files: Files) -> Reloading:
    """What looks at the files, as the console that was made of them has it."""
    stage.app.options = stage.app.main.options = files.options()
    return Reloading(stage.app)


async def looked(stage: Stage, reloading: Reloading) -> None:
    reloading.look()
    reloading.look()  # it has stood still
    await stage.frames(0.15)


async def test_keys_macros_presets_and_templates_are_used_as_soon_as_they_are_written(
    stage: Stage, files: Files
) -> None:
    reloading = used(stage, files)
    files.write(
        '[console]\npresets = ["0.3"]\n[console.keys]\nclose = "K"\nout = "Z"\n'
        '[commands]\nout = "pause"\n[templates.scalp]\nstop = "1%"\n'
    )
    reloading.look()
    assert not stage.app.options.presets, "it was used while it was being written"
    await looked(stage, reloading)
    await stage.shows("read again: keys, macros, presets, templates")
    await stage.shows("K Close")
    assert stage.app.main.options.presets == ("0.3",)
    assert "scalp" in stage.app.main.options.templates.by_name
    await stage.press("x")
    assert stage.app.screen is stage.app.main, "the old key still means it"
    await stage.open("K")
    await stage.shows("enter closes BTC/USD")
    await stage.press("escape", "8")
    await stage.shows("said         read again: keys, macros")
    await stage.open("Z")
    await stage.shows("pause")


async def test_themes_and_layouts_are_painted_as_soon_as_they_are_written(
    stage: Stage, files: Files
) -> None:
    files.beside("themes/mine.toml", DARK.replace("flatout-dark", "mine"))
    files.beside("layouts/own.toml", LAYOUT)
    files.write('[console]\ntheme = "mine"\n')
    reloading = used(stage, files)
    stage.app.next_theme("flatout-light")
    files.write('[console]\ntheme = "mine"\nlayout = "own"\n')
    files.beside("themes/mine.toml", DARK.replace("flatout-dark", "mine") + "\n")
    await looked(stage, reloading)
    assert stage.app.palette.look.name == "flatout-light", "a choice of the hand was taken back"
    stage.app.main.next_theme("mine")
    surface = stage.app.palette.look.colours.surface
    files.beside(
        "themes/mine.toml", DARK.replace("flatout-dark", "mine").replace(surface, "#123456")
    )
    await looked(stage, reloading)
    assert stage.app.palette["on-surface"].bgcolor is not None
    assert stage.app.palette["on-surface"].bgcolor.name == "#123456"
    assert stage.app.main.board.positions.styles.background.hex == "#123456"
    stage.app.main.arrangements.use("own")
    await stage.frames()
    assert not stage.app.main.board.chart.display
    files.beside("layouts/own.toml", LAYOUT.replace('"orders"', '"chart"'))
    await looked(stage, reloading)
    await stage.shows("read again: layouts")
    assert stage.app.main.board.chart.display


async def test_a_fault_is_said_with_its_place_and_the_rest_stays(
    stage: Stage, files: Files
) -> None:
    reloading = used(stage, files)
    files.write('[console]\npresets = ["0.3"]\n[console.keys]\nclose = "m"\n')
    await looked(stage, reloading)
    await stage.shows("settings.toml:4: console.keys.close = 'm' is not used: m is stop")
    files.write("[console]\npresets = [\n")
    await looked(stage, reloading)
    await stage.press("a")
    await stage.shows("the settings stay as they were")
    assert stage.app.main.options.presets == ("0.3",)
    files.write('[console]\npresets = ["0.4"]\n')
    await looked(stage, reloading)
    assert stage.app.main.options.presets == ("0.4",)


async def test_rules_of_the_desk_wait_for_the_next_start(stage: Stage, files: Files) -> None:
    reloading = used(stage, files)
    before = stage.app.main.options.ladder
    files.write('[ladder]\ncap = "5"\n')
    await looked(stage, reloading)
    await stage.shows("settings were written: used from the next start")
    assert stage.app.main.options.ladder == before


async def test_an_own_console_watches_its_files(staged: Staged, files: Files) -> None:
    fresh = files.options()
    assert files.file in fresh.sources
    async with staged(sources=fresh.sources, again=fresh.again, templates=Templates()) as stage:
        files.write('[console]\npresets = ["0.7"]\n')
        await stage.shows("read again: presets")


def test_a_file_that_is_gone_is_no_fault(tmp_path: Path) -> None:
    assert stamp_of((tmp_path / "none.toml", tmp_path / "themes")) == ()
