"""Layouts: data that is checked, and panes that stand where it says, at each size."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.console.conftest import Stage, Staged
from tui.command import Command
from tui.keys import KeyMap
from tui.layouts import DEFAULT, LayoutError, load, places, read, variant_for
from tui.layouts.model import CHROME, FALLBACK
from tui.layouts.placing import tracks
from tui.panes.table import PANES, smallest

SIZES = ((60, 16), (80, 24), (120, 40), (160, 50), (200, 60))
GOOD = """[[variant]]
min = [120, 40]
columns = [72, "1fr"]
rows = [8, "1fr", 6]
areas = [
  "positions positions",
  "chart     pnl",
  "orders    limits",
]
"""


def refusal(tmp_path: Path, text: str) -> str:
    file = tmp_path / "mine.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LayoutError) as caught:
        read(file, smallest)
    return str(caught.value)


def test_a_layout_of_ones_own_is_read(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    found = load(smallest, tmp_path)
    assert found.errors == ()
    assert {DEFAULT, "mine"} <= set(found.layouts)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (GOOD.replace("chart ", "charts"), "mine.toml:5: no pane is called “charts”"),
        (
            GOOD.replace("orders    limits", "pnl orders"),
            "mine.toml:5: the cells of pnl are no rectangle, so areas would overlap",
        ),
        (
            GOOD.replace("72", "68"),
            "mine.toml:5: orders needs 70×4; 120×40 cells leave it 68×6",
        ),
        (
            GOOD.replace("positions positions", "orders orders"),
            "mine.toml:5: positions are part of every layout",
        ),
        (
            GOOD.replace("[8,", "[60,"),
            "mine.toml:4: rows need 66 cells: a terminal of 120×40 has 37",
        ),
        (GOOD.replace("chart     pnl", "chart"), "mine.toml:5: “chart” has 1 of 2 columns"),
        (GOOD.replace("120, 40", "50, 10"), "mine.toml:2: min is 50×10: panes need 60×16"),
        (GOOD + GOOD.replace("chart ", "charts"), "mine.toml:14: no pane is called “charts”"),
        (GOOD.replace('"1fr"', '"some"'), "mine.toml: Expected"),
        ("", "mine.toml: Object missing required field `variant`"),
        ("variant = []", "mine.toml: no [[variant]]"),
        ("[[", "mine.toml: "),
        (GOOD + "colour = 1", "mine.toml: Object contains unknown field `colour`"),
    ],
)
def test_a_layout_with_a_fault_is_refused_with_its_place(
    tmp_path: Path, wrong: str, words: str
) -> None:
    assert refusal(tmp_path, wrong).startswith(words)


def test_a_file_with_a_fault_is_left_out_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "other.toml").write_text(GOOD.replace("chart ", "charts"), encoding="utf-8")
    found = load(smallest, tmp_path)
    assert "mine" in found.layouts
    assert "other" not in found.layouts
    assert found.errors == ("layout left out: other.toml:5: no pane is called “charts”",)


async def test_a_fault_stands_in_the_banner_and_the_rest_works(
    staged: Staged, tmp_path: Path
) -> None:
    (tmp_path / "other.toml").write_text(GOOD.replace("chart ", "charts"), encoding="utf-8")
    async with staged(layouts=tmp_path) as stage:
        await stage.shows("! layout left out: other.toml:5: no pane is called “charts”")
        await stage.shows("60,796.0  VENUE")


@given(
    st.lists(st.one_of(st.integers(1, 40), st.integers(1, 9).map("{}fr".format)), min_size=1),
    st.integers(0, 300),
)
def test_tracks_fill_the_room_and_never_more(wanted: list[int | str], room: int) -> None:
    found = tracks(wanted, room)
    fixed = sum(track for track in wanted if isinstance(track, int))
    shared = any(isinstance(track, str) for track in wanted)
    assert all(cells >= 0 for cells in found)
    assert sum(found) == (room if shared else min(fixed, room))
    if fixed <= room:
        assert [cells for cells, track in zip(found, wanted, strict=True) if track == cells] == [
            track for track in wanted if isinstance(track, int)
        ] or shared


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", sorted(load(smallest).layouts))
def test_the_built_in_layouts_use_every_cell_once(name: str, size: tuple[int, int]) -> None:
    variant = variant_for(load(smallest).layouts[name], *size)
    width, height = size[0], size[1] - CHROME
    cells = [
        (x, y)
        for place in places(variant, width, height).values()
        for x in range(place.x, place.x + place.width)
        for y in range(place.y, place.y + place.height)
    ]
    assert len(cells) == len(set(cells)) == width * height


def test_no_built_in_layout_has_a_fault() -> None:
    assert load(smallest).errors == ()


@pytest.mark.parametrize("size", SIZES)
async def test_panes_have_their_smallest_size_and_no_line_is_wider_than_the_screen(
    staged: Staged, size: tuple[int, int]
) -> None:
    async with staged(size) as stage:
        await stage.shows("VENUE")
        board = stage.app.main.board
        variant = variant_for(stage.app.main.arrangements.layouts[DEFAULT], *size)
        for kind in PANES:
            pane = board.panes[kind.name]
            if pane.display and variant is not FALLBACK:
                assert pane.outer_size.width >= kind.width, kind.name
                assert pane.outer_size.height >= kind.height, kind.name
        lines = stage.text.splitlines()
        assert len(lines) == size[1]
        assert {len(line) for line in lines} == {size[0]}


@pytest.mark.parametrize("size", SIZES)
async def test_each_pane_listens_to_its_number_at_each_size(
    staged: Staged, size: tuple[int, int]
) -> None:
    async with staged(size) as stage:
        for kind in PANES:
            await stage.press(str(kind.number))
            assert stage.app.main.board.listening == kind.name
            assert stage.app.focused is stage.app.main.board.panes[kind.name]
            assert stage.app.main.board.positions.display


async def test_numbers_and_names_of_panes_are_their_own(stage: Stage) -> None:
    assert len({kind.number for kind in PANES}) == len({kind.name for kind in PANES}) == len(PANES)
    assert set(stage.app.main.board.panes) == {kind.name for kind in PANES}


def nothing(_: object) -> None:
    """Do nothing."""


OWN = (
    Command("near", "1,h", "buy", "Ladder", nothing, pane="ladder"),
    Command("far", "l", "sell", "Ladder", nothing, pane="ladder"),
    Command("pane-positions", "1", "focus positions", "Move", nothing),
)


def test_a_key_of_a_pane_means_one_thing_there_and_its_usual_thing_elsewhere() -> None:
    keys = KeyMap(OWN, {})
    assert keys.in_pane("ladder", "1") == "near"
    assert keys.in_pane("positions", "1") == ""
    assert [binding.key for binding in keys.bindings(OWN)] == ["1"]


def test_a_key_of_a_pane_can_be_mapped_but_not_onto_another_of_the_same_pane() -> None:
    keys = KeyMap(OWN, {"near": "l"})
    assert "l is far" in keys.errors[0][1]
    assert keys.in_pane("ladder", "h") == "near"
    assert KeyMap(OWN, {"near": "l", "far": "1"}).in_pane("ladder", "1") == "far"


def test_the_manual_has_a_row_for_each_pane() -> None:
    manual = (Path(__file__).parents[2] / "docs" / "console.md").read_text(encoding="utf-8")
    for kind in PANES:
        assert f"| {kind.title} | `{kind.name}` | {kind.width}×{kind.height} |" in manual
