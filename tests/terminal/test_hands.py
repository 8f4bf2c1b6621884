"""At a real terminal, keys act in the order in which they were typed, at any speed."""

from pathlib import Path

import pytest

from tests.terminal.hands import CASES, SPACINGS, check, hands

pytestmark = [pytest.mark.hazard("H106"), pytest.mark.slow]
SEQUENCES = 17
"""Random sequences for each dialog: about 200 in all."""


def test_keys_typed_in_one_write_and_apart_give_the_same_request(tmp_path: Path) -> None:
    with hands(tmp_path) as terminal:
        for name in ("ticket", "command line"):
            check(terminal, name, 1, (None, 0.0, 0.02))


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_any_keys_at_any_speed_give_the_same_request(tmp_path: Path, name: str) -> None:
    with hands(tmp_path) as terminal:
        for seed in range(SEQUENCES):
            check(terminal, name, seed, SPACINGS if seed % 6 == 0 else SPACINGS[:-2])
