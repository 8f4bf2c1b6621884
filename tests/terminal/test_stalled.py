"""A terminal that stops reading loses frames: never the engine, its alerts or its end."""

import os
import signal
import time
from pathlib import Path

import pytest

from tests.support.outlet import Outlet
from tests.support.terminal import ENTER, RESTORED, console

CODE = "TERMINAL_STALLED"
pytestmark = [pytest.mark.hazard("H104"), pytest.mark.slow]


def test_the_engine_goes_on_says_so_and_the_screen_is_whole_afterwards(
    tmp_path: Path, outlet: Outlet
) -> None:
    with console(
        tmp_path, "--set", "outlets.notify=OUTLETS", env={"OUTLETS": outlet.address}
    ) as terminal:
        # whole, not a picture of the opening
        assert terminal.wait_for("start-up checks passed"), terminal.text
        assert terminal.wait_for("FLATTEN now"), terminal.text
        before = terminal.text
        terminal.stall()
        raised = terminal.until(lambda: terminal.alerts(CODE), 25)
        assert raised, "nobody was told that the terminal stopped reading"
        assert '"TERMINAL_STALLED"' in terminal.log()
        assert terminal.until(lambda: any("stopped reading" in text for text in outlet.told)), (
            "no notification left"
        )
        first = terminal.look()["at"]
        time.sleep(2)
        assert terminal.look()["at"] - first > 10**9, "the engine's clock stands still"
        terminal.forget()
        terminal.read_on()
        assert terminal.until(lambda: not terminal.alerts(CODE), 20), (
            "the terminal reads again and the alert stands"
        )
        assert terminal.wait_for("PAPER", 10), "it is painted again"
        assert terminal.until(lambda: frame(terminal.text) == frame(before), 10), (
            f"{before}\n\nafterwards:\n{terminal.text}"
        )


def frame(text: str) -> list[str]:
    """What stands on each console whatever happens: the borders and the keys. A candle's wick looks
    like a border, so of those that stand upright only the outer ones count.
    """
    lines = [line.rstrip() for line in text.splitlines()]
    corners = ("".join(sign for sign in line if sign in "╭╮╰╯") for line in lines)
    sides = ("".join(sign for sign in (line[:1], line[-1:]) if sign in "│╮╯") for line in lines)
    return [*corners, *sides, lines[-1]]


def test_sigterm_leaves_within_two_seconds_and_the_terminal_is_restored(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        terminal.stall()
        # each paints the screen anew: what waits for the terminal waits now, on a busy machine, too
        for key in (b"?", b"\x1b") * 20:
            os.write(terminal.fd, key)
            time.sleep(0.2)
        terminal.wait(0.01)
        began, queued = time.monotonic(), terminal.queued
        terminal.signal(signal.SIGTERM)
        code = terminal.wait(10)
        # its own time: a busy machine is not the terminal that it must not wait for
        took = time.monotonic() - began - 0.3 - (terminal.queued - queued)
        assert code == 128 + signal.SIGTERM, f"{code} after {took:.1f} s"
        assert took < 2.0, f"it took {took:.1f} s"
        assert terminal.restored, "the terminal is still raw"
        terminal.read_on()
        time.sleep(0.5)
        assert RESTORED in terminal.raw[-200:], (
            "whoever reads again sees a dead screen instead of the shell"
        )
        assert b"\x1b[?1003l" in terminal.raw[-300:], "the mouse still reports"


def test_quitting_never_waits_for_the_terminal(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        terminal.stall()
        time.sleep(3)
        began = time.monotonic()
        os.write(terminal.fd, b"q")
        time.sleep(1.0)
        os.write(terminal.fd, ENTER)
        assert terminal.wait(10) == 0
        assert time.monotonic() - began < 4.0
        assert terminal.restored


def test_a_stop_and_a_wake_up_leave_one_reader_of_the_keys(tmp_path: Path) -> None:
    """After SIGSTOP and SIGCONT Textual would read the keyboard twice, restore a raw terminal, and
    never end.
    """
    with console(tmp_path) as terminal:
        for _ in range(2):
            terminal.signal(signal.SIGSTOP)
            time.sleep(0.5)
            terminal.signal(signal.SIGCONT)
            time.sleep(1.5)
        assert terminal.wait_for("PAPER", 5), terminal.text
        terminal.signal(signal.SIGTERM)
        assert terminal.wait(10) == 128 + signal.SIGTERM, (
            "a second input thread keeps the process alive"
        )
        assert terminal.restored
