"""The Timeline and the Blotter: enter on any row, esc back, F9 from both, at both sizes."""

import csv

import pytest

from engine.model.intent import Flatten
from tests.console.conftest import Stage, Staged
from tests.console.sample import SampleSession, some_closed
from tui.flows.blotter import Blotter
from tui.flows.flatten import FlattenSheet
from tui.flows.timeline import TimelinePage

SIZES = [(80, 24), (120, 40)]
CLOSED = [
    some_closed("P9", "120", "1.5", 3),
    some_closed("P8", "-80", "-1", 2),
    some_closed("P7", "40", "0.5", 1),
]


def top(stage: Stage) -> object:
    """The screen that stands over all others."""
    return stage.app.screen


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("keys", "title"),
    [("1", "Position P1"), ("2", "Order FOAAA1STOP"), ("8", "Alert ")],
)
async def test_enter_on_a_row_opens_its_timeline(
    staged: Staged, size: tuple[int, int], keys: str, title: str
) -> None:
    async with staged(size) as stage:
        await stage.press(keys, "enter")
        await stage.shows(title)
        await stage.shows("4 steps in ")
        await stage.shows("place stop sell 0.5 BTC/USD")
        await stage.shows("lane protect")
        assert isinstance(top(stage), TimelinePage)
        assert all(len(line) <= size[0] for line in stage.text.splitlines())
        await stage.press("escape")
        assert top(stage) is stage.app.main


@pytest.mark.parametrize("size", SIZES)
async def test_f9_opens_the_flatten_sheet_from_the_timeline(
    staged: Staged, size: tuple[int, int]
) -> None:
    async with staged(size) as stage:
        await stage.press("enter")
        await stage.shows("place stop")
        await stage.press("f9")
        assert isinstance(top(stage), FlattenSheet)
        await stage.type("flatten")
        await stage.press("enter")
        assert isinstance(await stage.one_asked(), Flatten)


@pytest.mark.parametrize("size", SIZES)
async def test_a_closed_trade_is_chosen_in_the_blotter(
    staged: Staged, session: SampleSession, size: tuple[int, int]
) -> None:
    session.ended = list(CLOSED)
    async with staged(size) as stage:
        await stage.open("3", "enter")
        assert isinstance(top(stage), Blotter)
        await stage.shows("67%")  # two of three
        await stage.press("j", "enter")
        await stage.shows("Position P8")
        await stage.shows("4 steps in ")
        await stage.press("escape", "escape")
        assert top(stage) is stage.app.main


async def test_the_blotter_groups_and_exports(staged: Staged, session: SampleSession) -> None:
    session.ended = list(CLOSED)
    async with staged() as stage:
        await stage.press("f4")
        await stage.shows("by symbol")
        await stage.press("s")
        await stage.shows("breakout")
        await stage.press("e")
        await stage.shows("exported 3 closed positions")
        (path,) = (stage.app.main.options.home / "exports").glob("blotter-*.csv")
        rows = list(csv.DictReader(path.open(encoding="utf-8")))
        assert [(row["net"], row["r"], row["tags"]) for row in rows] == [
            ("40", "0.5", "breakout"),
            ("-80", "-1", ""),
            ("120", "1.5", "breakout"),
        ], "oldest first"
