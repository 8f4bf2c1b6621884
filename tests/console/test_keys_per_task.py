"""The table of keys per task in docs/console.md: each row is pressed and counted, and does what it
says.
"""

import re
from pathlib import Path

from engine.model import intent as i
from tests.console.conftest import Stage, Staged
from tests.console.test_ticket import KNOWN
from tests.support.ladder import ladder_stage
from tui.flows.flatten import FlattenSheet

PAGE = (Path(__file__).parents[2] / "docs" / "console.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (?P<task>[^|]+) \| (?P<count>\d+): (?P<keys>[^|]+) \|$", re.MULTILINE)
TABLE = {found["task"]: int(found["count"]) for found in ROW.finditer(PAGE)}


async def pressed(stage: Stage, *keys: str) -> int:
    """Press them one after the other, each once what it acts on was seen; how many there were."""
    for key in keys:
        await stage.open(key)
    await stage.frames(0.3)
    return len(keys)


def last(stage: Stage) -> i.AnyIntent:
    return stage.asked[-1]


async def test_the_keys_of_positions_are_as_many_as_the_page_says(stage: Stage) -> None:
    counted = {"the flatten sheet, from anywhere": await pressed(stage, "f9")}
    assert isinstance(stage.app.screen, FlattenSheet)
    await stage.press("escape")
    before = stage.app.main.context().symbol
    counted["from symbol to symbol"] = await pressed(stage, ">")
    assert stage.app.main.context().symbol not in ("", before)
    await pressed(stage, "<")
    counted["half of it"] = await pressed(stage, "X", "enter")
    half = last(stage)
    assert isinstance(half, i.ClosePosition)
    assert str(half.part) == "0.5"
    await stage.press("escape")
    counted["stop to break-even"] = await pressed(stage, "b", "enter")
    assert isinstance(last(stage), i.MoveStop | i.BreakEven)
    await stage.press("escape")
    counted["out of the selected position"] = await pressed(stage, "x", "enter")
    out = last(stage)
    assert isinstance(out, i.ClosePosition)
    assert out.part == 1
    await stage.press("escape")
    counted["flat, from anywhere"] = await pressed(stage, "f9", *"flatten", "enter")
    assert isinstance(last(stage), i.Flatten)
    assert counted == {task: TABLE[task] for task in counted}
    assert set(TABLE) - set(counted) == {
        "a bracket by the symbol's template",
        "a limit at the ladder's cursor, armed, with a template",
    }, "a row of the page that nothing presses"


async def test_from_the_start_to_a_bracket_three_keys(staged: Staged) -> None:
    async with staged(templates=KNOWN) as stage:
        count = await pressed(stage, "w", "enter", "enter")
        assert isinstance(await stage.one_asked(), i.OpenBracket)
        assert count == TABLE["a bracket by the symbol's template"] == 3


async def test_an_armed_ladder_takes_one(tmp_path: Path) -> None:
    async with ladder_stage(tmp_path) as stage:
        await stage.arm()
        await stage.press("h")
        [entry] = stage.asked
        assert isinstance(entry, i.OpenBracket)
        assert TABLE["a limit at the ladder's cursor, armed, with a template"] == 1


def test_the_page_has_the_bounds_of_the_tasks_that_matter_most() -> None:
    assert TABLE["the flatten sheet, from anywhere"] == 1
    assert TABLE["from symbol to symbol"] == 1
    assert TABLE["a bracket by the symbol's template"] <= 3
