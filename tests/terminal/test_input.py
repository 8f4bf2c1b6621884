"""Broken input, in a real terminal, at a real console: nothing happens, and the keys go on
working.
"""

from pathlib import Path

import pytest

from tests.support.terminal import Terminal, console

pytestmark = [pytest.mark.hazard("H105"), pytest.mark.slow]

BROKEN = (
    b"\xe9",
    b"\xe9",
    b"\xff\xfe\xfd",
    b"\x1b[<0;10M",
    b"\x1b[<0;10;5;9M",
    b"\x1b[<" + b"9" * 60 + b";1;1M",
    b"\x1b[M\xe9\xff!",
    b"\x1b[97:65;2u",
    b"\x1b[48;0;0;0;0t",
    b"\x1b[?64;1;2c",
    b"\x1b]11;rgb:FFFF/0000/FFFF\x07",
)


def said(terminal: Terminal) -> str:
    """What the last key led to: the line above the keys, and the title of a dialog where one is
    open.
    """
    lines = terminal.text.splitlines()
    return lines[-2] + (" and a dialog is open" if "esc back" in terminal.text else "")


def test_broken_input_does_nothing_and_the_keys_work_on(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:
        assert terminal.wait_for("entries on: start-up checks passed"), terminal.text
        terminal.send(b"x", 0)
        assert terminal.wait_for("select a position first"), terminal.text
        quiet = said(terminal)
        for broken in BROKEN:
            terminal.send(broken, 0.7)
            assert terminal.alive, f"{broken!r} ended the console with {terminal.returncode}"
            assert said(terminal) == quiet, f"{broken!r} typed keys: {terminal.text}"
        for head, tail in ((b"\x1b[<0;1", b"0;5M"), (b"\x1b[1;", b"5F"), (b"\x1b[", b"F")):
            terminal.send(head, 0.8)
            terminal.send(tail, 1.5)
            assert said(terminal) == quiet, f"the rest of {head!r} typed keys: {terminal.text}"
        terminal.send(b"\x1b[200~F", 3.0)  # a paste that never ends
        terminal.send(b"F", 0.2)
        assert terminal.wait_for("type FLATTEN", 5), "flat is one key away, always"
