"""What leaves for a terminal without colours, and for one that draws ASCII only: read from the
bytes.
"""

import re
import time
from pathlib import Path

import pytest

from tests.support.terminal import Terminal, console
from tui.ascii import GLYPHS, ascii_of

pytestmark = pytest.mark.slow
GRAPHIC = re.compile(rb"\x1b\[([0-9;:]*)m")
COLOURS = re.compile(rb"(?:^|;)(?:3[0-9]|4[0-9]|9[0-7]|10[0-7])(?:[;:]|$)")


def coloured(raw: bytes) -> set[bytes]:
    """The sequences that set a colour of text or ground."""
    return {found[0] for found in GRAPHIC.finditer(raw) if COLOURS.search(found[1])}


def seen(terminal: Terminal) -> None:
    """Go through the panes, a page, a dialog and the ladder."""
    terminal.ready()
    assert terminal.wait_for("BTC/USD", 60), terminal.text
    for keys in (
        b"4",
        b"E",
        b"5",
        b"A",
        b"\x1b",
        b"7",
        b"?",
        b"\x1b",
        b"n",
        b"\x1b",
        b":buy",
        b"\x1b",
    ):
        terminal.send(keys, 0.5)
    time.sleep(0.5)


def test_no_colour_leaves_where_none_is_wanted(tmp_path: Path) -> None:
    flags = ("--set", "console.layout=desk")
    with console(tmp_path, *flags, env={"NO_COLOR": "1"}, columns=160, rows=50) as terminal:
        seen(terminal)
        assert not coloured(bytes(terminal.raw))
        rows = terminal.screen.buffer
        badge = terminal.text.splitlines()[0].index("PAPER")
        assert rows[0][badge].reverse, "what stood out by its ground stands out in reverse video"


def test_colours_leave_otherwise(tmp_path: Path) -> None:
    with console(tmp_path, columns=160, rows=50) as terminal:
        terminal.ready()
        assert coloured(bytes(terminal.raw)), "the test would find some"


@pytest.mark.parametrize("said", [("--ascii",), ("--set", "console.ascii=true")])
def test_nothing_but_ascii_leaves(tmp_path: Path, said: tuple[str, ...]) -> None:
    with console(tmp_path, *said, "--set", "console.layout=desk", columns=160, rows=50) as terminal:
        seen(terminal)
        strange = {bytes([byte]) for byte in bytes(terminal.raw) if byte > 0x7F}
        assert not strange
        text = terminal.text
        assert re.search(r"\+-+ ?1 Positions", text), text
        assert "|" in text
        widths = {len(line) for line in terminal.screen.display}
        assert widths == {160}


def test_every_glyph_keeps_its_cell() -> None:
    assert all(len(text) == 1 and text.isascii() for text in GLYPHS.values())
    assert ascii_of("Zürich −1.5 ▲ 日本 e\u0301") == "Zurich -1.5 ^ ???? e"
