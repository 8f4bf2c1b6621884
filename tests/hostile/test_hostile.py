"""Our own hostile cases, run by the hostile exchange's own tool, which lies beside the repository
and is not copied here.

A change is tried with the fast ones; `FLATOUT_HOSTILE=all` runs every one of them, in about twenty
minutes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
TOOL = HERE.parents[2] / "shared" / "hostile" / "hostile.py"
CASES = sorted(path.stem for path in (HERE / "cases").glob("*.py"))
FAST = (
    "hang_wake_futures",
    "minimum_raised",
    "pressed_ten_times",
    "replies_lost",
    "steps_changed",
    "two_flattens",
    "wrong_account",
)
"""What a change is always tried with; each takes half a minute to a minute of real time."""
PATIENCE = 360.0


def _cases() -> list[object]:
    wanted = CASES if os.environ.get("FLATOUT_HOSTILE") == "all" else FAST
    return [pytest.param(name, id=name) for name in wanted]


@pytest.mark.slow
@pytest.mark.hazard("H73")
@pytest.mark.hazard("H103")
@pytest.mark.parametrize("name", _cases())
def test_the_exchange_says_the_same_whatever_happens(name: str) -> None:
    if not TOOL.exists():
        pytest.skip(
            "the hostile exchange (../shared/hostile/hostile.py beside the repository) is not here"
        )
    flatout = Path(sys.executable).with_name("flatout")
    command = [sys.executable, str(TOOL), str(flatout), str(HERE / "cases" / f"{name}.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    told = next(
        (line for line in done.stdout.splitlines() if line.split(" ", 2)[1:2] and name in line), ""
    )
    if told.startswith("skip "):
        pytest.skip(told)
    assert told.startswith("ok "), told or done.stdout + done.stderr
    assert done.returncode == 0


def test_each_case_says_what_is_right() -> None:
    assert set(FAST) < set(CASES)
    for name in CASES:
        text = (HERE / "cases" / f"{name}.py").read_text(encoding="utf-8")
        assert text.startswith('"""'), name
        assert "Right:" in text.split('"""')[1], f"{name} does not say what is right"
