"""The hazards' own tests can fail: each is run again with the naive behaviour of its row put back
into the engine.

That each passes as it is, is shown where it stands. The tests are dealt out to several processes,
which the workers run beside each other.
"""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.support.sabotage import SABOTAGES
from tests.support.sabotaged import Outcome

TOP = Path(__file__).parents[2]
ROWS = 45
"""At least so many rows of the list have a sabotage."""
SHARES = 24
"""Of the tests that sabotages name; a quarter of the shares runs always, the rest with `pytest -m
long`.
"""


def _outcomes(report: Path, share: int) -> list[Outcome]:
    """Run a share of the tests that a sabotage names, in one process of its own: nothing of a
    sabotage can reach the tests beside this one.
    """
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "FLATOUT_", "COV_"))
    }
    plugins = ["-p", "tests.support.sabotaged", "-p", "no:cacheprovider", "-n", "0", "-q"]
    tests = sorted({one.test for one in SABOTAGES.values()})[share::SHARES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *tests],
        cwd=TOP,
        env={**clean, "FLATOUT_SABOTAGE": "red", "FLATOUT_SABOTAGE_REPORT": str(report)},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert report.exists(), done.stdout[-3000:] + done.stderr[-3000:]
    return msgspec.json.decode(report.read_bytes(), type=list[Outcome])


@pytest.mark.slow
@pytest.mark.parametrize(
    "share",
    [
        pytest.param(share, marks=() if share % 4 == 0 else pytest.mark.long)
        for share in range(SHARES)
    ],
)
def test_every_sabotage_is_noticed(share: int, tmp_path: Path) -> None:
    outcomes = _outcomes(tmp_path / "outcomes.json", share)
    dealt = set(sorted({one.test for one in SABOTAGES.values()})[share::SHARES])
    wrong = []
    for one in SABOTAGES.values():
        under = [known for known in outcomes if known.sabotage == one.name]
        if one.test not in dealt:
            continue
        if not under:
            wrong.append(f"{one.hazard} {one.name}: {one.test} was not run")
        elif not all(known.marked for known in under):
            wrong.append(f"{one.hazard} {one.name}: {one.test} does not carry the mark of the row")
        elif not any(known.red for known in under):
            wrong.append(
                f"{one.hazard} {one.name}: {one.test} did not notice that {one.naive};"
                f" {under[-1].text or 'it passed'}"
            )
    assert not wrong, "\n" + "\n".join(wrong)


APPLY = """
import pytest
from tests.support.sabotage import SABOTAGES
for one in SABOTAGES.values():
    with pytest.MonkeyPatch.context() as patch:
        try:
            one.apply(patch)
        except Exception as error:
            print(f"{one.hazard} {one.name}: {type(error).__name__}: {error}")
"""


def test_every_sabotage_finds_what_it_replaces() -> None:
    """Quick, and with every run: that each is noticed takes minutes."""
    done = subprocess.run(
        [sys.executable, "-c", APPLY], cwd=TOP, capture_output=True, text=True, timeout=300
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr[-2000:]


def test_most_rows_have_a_sabotage() -> None:
    rows = {one.hazard for one in SABOTAGES.values()}
    assert len(rows) >= ROWS, sorted(rows)
