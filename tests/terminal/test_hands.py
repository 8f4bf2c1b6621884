"""At a real terminal, keys act in the order in which they were typed, at any speed."""

import re
from pathlib import Path

import pytest

from tests.support.terminal import console
from tests.terminal.hands import CASES, SPACINGS, check, hands

pytestmark = [pytest.mark.hazard("H106"), pytest.mark.slow]
SEQUENCES = 17
"""Random sequences for each dialog: about 200 in all."""


def test_keys_typed_in_one_write_and_apart_give_the_same_request(tmp_path: Path) -> None:
    with hands(tmp_path) as terminal:
        for name in ("ticket", "command line"):
            check(terminal, name, 1, (None, 0.0, 0.02))


def test_what_was_typed_is_what_is_painted_while_prices_change_behind(tmp_path: Path) -> None:
    """Nothing is typed after it, and nothing else would paint the field again."""
    with console(tmp_path) as terminal:
        terminal.send(b"n", 1.0)
        terminal.send(b"\t", 0.5)
        for _ in range(12):
            terminal.send(b"\x15500\x7f\x7f1", 0.45)
            assert re.search(r"amount\s+51\b", terminal.text), terminal.text


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_any_keys_at_any_speed_give_the_same_request(tmp_path: Path, name: str) -> None:
    with hands(tmp_path) as terminal:
        for seed in range(SEQUENCES):
            check(terminal, name, seed, SPACINGS if seed % 6 == 0 else SPACINGS[:-2])
