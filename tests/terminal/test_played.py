"""`flatout drill` and `flatout rewind` in a real terminal: what a person types is done, and what is
said after the terminal is restored.
"""

import re
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.terminal import ESCAPE, RESTORED, Terminal
from tui.cli import main

pytestmark = pytest.mark.slow
FLATOUT = (sys.executable, "-m", "tui.cli")
LEFT, F9 = b"\x1b[D", b"\x1b[20~"


def after(terminal: Terminal) -> str:
    """What was said once the terminal was restored."""
    return bytes(terminal.raw).rpartition(RESTORED)[2].decode("utf-8", "replace")


def test_a_drill_is_read_played_and_graded(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, *FLATOUT, "drill", "take-over", columns=80, rows=24)
    try:
        assert terminal.wait_for("goal", 60), terminal.text
        assert terminal.wait_for("enter begins"), terminal.text
        assert terminal.confirm("NOT MET"), terminal.text
        terminal.send(b"1", 0.2)
        terminal.send(b"m", 0.5)
        terminal.send(b"2%", 0.2)
        assert terminal.wait_for("distance"), terminal.text
        assert terminal.confirm("protected after"), terminal.text
        terminal.confirm(lambda: "protected after" not in terminal.text, 2)
        terminal.send(b"q")
        assert terminal.wait(30) == 0, terminal.text
        assert terminal.restored
        terminal.until(lambda: "first time done" in after(terminal))
        assert "report" in after(terminal)
    finally:
        terminal.close()


def test_a_past_is_travelled_and_nothing_leaves_it(tmp_path: Path) -> None:
    words = ["--home", str(tmp_path / "f"), "--set", "account.venue=paper", "do", "--yes"]
    bought = CliRunner().invoke(main, [*words, "buy btc 0.05 stop -1%"])
    assert bought.exit_code == 0, bought.output
    journal = tmp_path / "f" / "paper" / "journal.sqlite"
    before = journal.read_bytes()
    terminal = Terminal(tmp_path, *FLATOUT, "rewind", columns=80, rows=24)
    try:
        assert terminal.wait_for(re.compile(r"REPLAY .* event (\d+) of \1"), 60), terminal.text
        last = int(re.findall(r"event (\d+) of", terminal.text)[0])
        assert "LONG" in terminal.text
        terminal.send(LEFT)
        assert terminal.wait_for(f"event {last - 1} of {last}"), terminal.text
        terminal.send(F9)
        assert terminal.wait_for("Nothing here can send anything"), terminal.text
        assert terminal.wait_for("flatten --yes"), terminal.text
        terminal.send(ESCAPE, 0.5)
        terminal.send(b"q")
        assert terminal.wait(30) == 0, terminal.text
        assert terminal.restored
    finally:
        terminal.close()
    assert journal.read_bytes() == before
