"""At a real terminal, a click selects the row under it, and does nothing else."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.hands import Hands, hands

pytestmark = pytest.mark.hazard("H106")
PANES = {"positions": ("P", b"1"), "orders": ("O", b"2"), "activity": ("A", b"8")}
"""The letter before the numbers of a pane's rows, and the key of the pane."""
WHEEL = {"up": 64, "down": 65}


def click(terminal: Hands, column: int, row: int, times: int = 1) -> None:
    """Press and release the left button on a cell, counted from 0."""
    terminal.send(
        f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m".encode() * times, 0.15
    )


def wheel(terminal: Hands, column: int, row: int, way: str) -> None:
    """Turn the wheel by one notch over a cell."""
    terminal.send(f"\x1b[<{WHEEL[way]};{column + 1};{row + 1}M".encode(), 0.15)


def rows(terminal: Hands, letter: str) -> Iterator[tuple[int, int, str]]:
    """Line, column and name of each row of a pane that can be seen."""
    for y, line in enumerate(terminal.text.splitlines()):
        # the chart's title has a name, too; and so has the line below a list, which is no row
        plain = line if "──" not in line else ""
        for found in re.finditer(rf"(?:▸ |  )[^│]*?({letter}\d\dX/USD)", plain):
            yield y, found.start(1), found[1]


def chosen(terminal: Hands, letter: str) -> list[str]:
    """Names of the rows of a pane that are marked as chosen."""
    return re.findall(rf"▸ [^│]*?({letter}\d\dX/USD)", terminal.text)


def place(terminal: Hands, text: str) -> tuple[int, int]:
    """Column and line of a text."""
    return next(
        (line.index(text), y) for y, line in enumerate(terminal.text.splitlines()) if text in line
    )


def selects(terminal: Hands, letter: str, column: int, y: int, name: str) -> None:
    click(terminal, column, y)
    until = time.monotonic() + 3
    while chosen(terminal, letter) != [name] and time.monotonic() < until:
        time.sleep(0.03)
    assert chosen(terminal, letter) == [name], f"line {y}: {name} was clicked\n{terminal.text}"


def test_each_row_that_is_seen_can_be_clicked(tmp_path: Path) -> None:
    with hands(tmp_path, rows=4) as terminal:
        for letter, _ in PANES.values():
            assert terminal.wait_for(re.compile(rf"{letter}01X/USD")), terminal.text
            shown = list(rows(terminal, letter))
            for y, column, name in [*shown, *reversed(shown[:-1])]:
                selects(terminal, letter, column, y, name)
        assert not terminal.asked


@pytest.mark.long
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
@pytest.mark.parametrize("pane", PANES)
def test_each_row_can_be_clicked_after_a_filter_and_after_a_scroll(
    tmp_path: Path, pane: str, size: tuple[int, int]
) -> None:
    letter, key = PANES[pane]
    with hands(tmp_path, rows=30, columns=size[0], height=size[1]) as terminal:
        terminal.send(key, 0.5)
        for y, column, name in rows(terminal, letter):
            selects(terminal, letter, column, y, name)
        for way in ("down", "down", "down", "up"):
            y, column, _ = next(rows(terminal, letter))
            held = chosen(terminal, letter)
            wheel(terminal, column, y, way)
            time.sleep(0.4)
            assert not chosen(terminal, letter) or chosen(terminal, letter) == held, (
                "the wheel moves no cursor"
            )
            for y, column, name in rows(terminal, letter):
                selects(terminal, letter, column, y, name)
        terminal.send(b"G", 0.5)
        for y, column, name in rows(terminal, letter):
            selects(terminal, letter, column, y, name)
        terminal.send(b"/", 0.5)
        terminal.send(f"{letter}1".encode(), 0.3)
        terminal.send(b"\r", 0.5)
        shown = list(rows(terminal, letter))
        assert shown, terminal.text
        for y, column, name in shown:
            assert name.startswith(f"{letter}1")
            selects(terminal, letter, column, y, name)
        assert not terminal.asked


def test_border_head_and_the_room_below_the_last_row_are_no_rows(tmp_path: Path) -> None:
    with hands(tmp_path, rows=3) as terminal:
        terminal.send(b"j", 0.3)
        assert terminal.wait_for("▸ P01X/USD"), terminal.text
        first, column, _ = next(rows(terminal, "P"))
        for y in (first - 2, first - 1, first + 3, first + 4):
            click(terminal, column, y)
            time.sleep(0.2)
            assert chosen(terminal, "P") == ["P01X/USD"], f"line {y} was clicked\n{terminal.text}"


def test_a_key_right_behind_a_click_is_about_the_row_that_was_clicked(tmp_path: Path) -> None:
    with hands(tmp_path, rows=4) as terminal:
        for y, column, name in list(rows(terminal, "P"))[::-1]:
            press = f"\x1b[<0;{column + 1};{y + 1}M\x1b[<0;{column + 1};{y + 1}mx".encode()
            terminal.send(press, 0.1)
            assert terminal.wait_for(f"closes {name}", 5), terminal.text
            terminal.leave()


def test_a_double_click_opens_the_details_of_its_row(tmp_path: Path) -> None:
    with hands(tmp_path, rows=4) as terminal:
        y, column, name = list(rows(terminal, "P"))[2]
        click(terminal, column, y, times=2)
        assert terminal.wait_for("Position P2", 5), terminal.text
        assert name in terminal.text


def test_words_of_the_last_line_and_tabs_are_buttons(tmp_path: Path) -> None:
    with hands(tmp_path, rows=4, columns=80, height=24) as terminal:
        for word, title in (
            ("x Close", "Close"),
            ("m Stop", "Move the stop"),
            ("F9 FLATTEN", "FLATTEN EVERYTHING"),
            ("Help", "Help"),
        ):
            last = terminal.text.splitlines()[-1]
            click(terminal, last.index(word) + len(word) - 1, 23)
            assert terminal.wait_for(f"─ {title}", 5), f"{word}: {terminal.text}"
            terminal.leave()
        tabs = next(
            y
            for y, line in enumerate(terminal.text.splitlines())
            if "8 Activity" in line and "7 Limits" in line
        )
        click(terminal, terminal.text.splitlines()[tabs].index("8 Activity"), tabs)
        assert terminal.wait_for("A00X/USD", 5), terminal.text
        assert not terminal.asked


def test_a_click_in_a_dialog_goes_to_the_field_and_the_word_under_it(tmp_path: Path) -> None:
    with hands(tmp_path) as terminal:
        terminal.send(b"n", 0.5)
        assert terminal.wait_for("notional"), terminal.text
        column, y = place(terminal, "notional")
        for left in (0, len("risk  size  "), len("size  ")):
            click(terminal, column - left, y)
        column, y = place(terminal, "amount ")
        click(terminal, column + 12, y)
        terminal.send(b"125", 0.2)
        assert terminal.wait_for("amount    125"), terminal.text
        time.sleep(0.5)  # the dialog has grown
        column, y = place(terminal, "amount ")
        click(terminal, column + 11, y)
        terminal.send(b"9\x1b[F", 0.2)
        assert terminal.wait_for("amount    1925"), terminal.text
        [request] = terminal.enters()
        assert request["size"] == {"type": "base", "amount": "1925"}


@pytest.mark.long
def test_no_click_trades(tmp_path: Path) -> None:
    with hands(tmp_path, rows=4) as terminal:
        for key in (b"", b"x", b"X", b"m", b"n", b"F", b"v", b"q", b":", b"V"):
            terminal.send(key, 1.0)
            before = len(terminal.asked)
            for y in range(0, 40, 2):
                clicks = "".join(
                    f"\x1b[<0;{x};{y + 1}M\x1b[<0;{x};{y + 1}m" for x in range(2, 120, 9)
                )
                terminal.send(clicks.encode(), 0.1)
            assert len(terminal.asked) == before, terminal.asked
            assert terminal.alive
            terminal.leave()


def test_without_the_mouse_clicks_are_left_to_the_terminal(tmp_path: Path) -> None:
    with hands(tmp_path, rows=4, MOUSE="off") as terminal:
        assert b"\x1b[?1000h" not in terminal.raw
    with hands(tmp_path, rows=4) as terminal:
        assert b"\x1b[?1000h" in terminal.raw
