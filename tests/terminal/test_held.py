"""Many keys at once, at a real console: a key that is held down is one press, and a page of keys
leaves the engine its turn.
"""

import os
import threading
import time
from pathlib import Path

import pytest

from tests.support.terminal import ENTER, Terminal, console
from tests.terminal.test_attached import placed

pytestmark = pytest.mark.slow
TAB = b"\t"


def _filled(terminal: Terminal) -> None:
    """A ticket that could be placed: 100 of risk, a stop 3 % away."""
    terminal.until(lambda: terminal.look()["account"]["equity"] is not None)
    terminal.send(b"n", 1.5)
    for keys in (TAB, b"100", TAB + TAB, b"3%"):
        terminal.send(keys, 0.4)
    terminal.send(b"", 1.0)


@pytest.mark.hazard("H106")
@pytest.mark.parametrize(
    "before", [0.5, *(pytest.param(one, marks=pytest.mark.long) for one in (0.3, 1.2))]
)
def test_an_enter_that_is_held_down_places_nothing(tmp_path: Path, before: float) -> None:
    """`before` is how long a keyboard waits before it repeats: as long as somebody who means it."""
    with console(tmp_path) as terminal:
        _filled(terminal)
        terminal.send(ENTER, before)
        for _ in range(40):
            terminal.send(ENTER, 0.04)
        time.sleep(1.0)
        view = terminal.look()
        assert not view["orders"]
        assert not view["positions"]
        assert "held down" in terminal.text, terminal.text
        placed(terminal)  # by presses that are meant


@pytest.mark.hazard("H104")
def test_a_page_of_keys_leaves_the_engine_its_turn(tmp_path: Path) -> None:
    with console(tmp_path) as terminal:

        def type_it() -> None:
            rest = memoryview(b"TjkEs" * 300)
            while rest:
                rest = rest[os.write(terminal.fd, rest[:256]) :]

        typing = threading.Thread(target=type_it, daemon=True)
        typing.start()
        time.sleep(0.5)
        first = terminal.look()["at"]
        answers = [terminal.look()["at"] for _ in range(5)]
        assert answers[-1] > first
        typing.join(30)
        assert terminal.alive


@pytest.mark.hazard("H106")
def test_f9_does_not_wait_for_a_page_of_keys(tmp_path: Path) -> None:
    """A page that is typed into the command line, such as a paste of a terminal that does not say
    that it is one, takes half a minute to be read as a sentence.
    """
    with console(tmp_path) as terminal:
        terminal.until(lambda: terminal.look()["account"]["equity"] is not None)
        terminal.send(b":", 1.0)
        rest = memoryview(b"x" * 10_000 + b"\x1b[20~")
        while rest:
            rest = rest[os.write(terminal.fd, rest[:256]) :]
        began = time.monotonic()
        assert terminal.until(lambda: "FLATTEN EVERYTHING" in terminal.text, 10), terminal.text
        assert time.monotonic() - began < 5.0
