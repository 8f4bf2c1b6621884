"""Pane 3: day, session, all; what each figure says, what does not fit, and the trades that
ended.
"""

from decimal import Decimal

import pytest

from engine.model.side import Side
from engine.model.view import ClosedView
from tests.console.conftest import Stage, Staged
from tests.console.sample import T0
from tui.panes.pnl import closed_lines, curve_lines, sparkline

D = Decimal


def text(lines: list[tuple[tuple[str, str], ...]]) -> list[str]:
    return ["".join(part for part, _ in line).rstrip() for line in lines]


async def test_the_day_is_told_by_its_parts(stage: Stage) -> None:
    for said in (
        "3 P&L  [day] session all",
        "day                  ▼36.62  -0.04%",
        "realised          ▲292.60  3 closed",
        "fees paid         −307.57  0.22% taker",
        "exit fees now       −110.35",
        "if flat now         ▼146.97",
        "loss limit left      480.52  of 500.00",
    ):
        await stage.shows(said)


async def test_space_turns_to_the_session_and_to_everything(stage: Stage) -> None:
    await stage.press("3", "space")
    await stage.shows("day [session] all")
    await stage.shows("▼18.31")
    await stage.press("space")
    await stage.shows("day session [all]")
    await stage.press("space")
    await stage.shows("[day] session all")


async def test_at_80_by_24_it_is_a_tab_that_scrolls(staged: Staged) -> None:
    async with staged((80, 24)) as stage:
        assert "if flat now" not in stage.text
        await stage.press("3")
        await stage.shows("if flat now")
        await stage.shows("more ↓")
        assert "SOL/USD             ▼17.64" not in stage.text
        await stage.press("G")
        await stage.shows("SOL/USD             ▼17.64")
        assert all(len(line) <= 80 for line in stage.text.splitlines())


def test_trades_that_ended_are_told_with_net_r_fees_and_reason() -> None:
    def ended(name: str, profit: str, r: str | None) -> ClosedView:
        many = {
            "symbol": "BTC/USD",
            "label": "",
            "side": Side.BUY,
            "size": D(1),
            "currency": "USD",
            "entry": D(1),
            "exit": D(1),
        }
        more = {"opened_at": T0, "closed_at": T0, "reason": "stop", "note": "", "tags": ()}
        return ClosedView(
            id=name,
            profit=D(profit),
            fees=D("12.5"),
            r=None if r is None else D(r),
            **{**many, **more},  # type: ignore[arg-type] # by name
        )

    assert text(closed_lines([ended("b", "-787.19", "-1"), ended("a", "20", None)])) == [
        " closed                  net       R     fees",
        "  14:13 BTC/USD      ▼787.19   -1.00   −12.50  stop",
        "  14:13 BTC/USD       ▲20.00       —   −12.50  stop",
    ]
    assert closed_lines([]) == []


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        ((), 9, ""),
        ((5, 5), 9, "▁▁"),
        ((0, 7), 9, "▁█"),
        ((0, 1, 2, 3, 4, 5, 6, 7), 8, "▁▂▃▄▅▆▇█"),
        ((0, 9, 0, 7), 2, "█▁"),
        ((1, 2), 0, ""),
    ],
)
def test_a_sparkline_ends_with_the_newest(values: tuple[int, ...], width: int, drawn: str) -> None:
    assert sparkline([D(value) for value in values], width) == drawn


def test_the_curve_is_the_periods_own() -> None:
    samples = [(1, D(0)), (2, D(10)), (3, D(8)), (4, D(12))]
    assert text(curve_lines(samples, 2, 40)) == [" equity    ▄▁█", " drawdown  ▁█▁"]
    assert curve_lines(samples, 4, 40) == []
