"""Running scenarios in tests: written into a temporary folder, on recorded data where that is
present.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.rehearsal.scenario.run import execute
from engine.rehearsal.scenario.script import read

RECORDED = Path(__file__).parents[4] / "shared" / "data"

Report = dict[str, Any]
RunText = Callable[..., Report]


@pytest.fixture
def recorded() -> Callable[..., list[str]]:
    """Paths of recorded files; skips the test where they are absent."""

    def find(*names: str) -> list[str]:
        paths = [RECORDED / f"{name}.csv.gz" for name in names]
        for path in paths:
            if not path.exists():
                pytest.skip(f"{path.name}: recorded data not present")
        return [str(path) for path in paths]

    return find


@pytest.fixture
def run(tmp_path: Path) -> RunText:
    """Runs a scenario's text; `home` names one to go on with."""
    count = 0

    def go(text: str, home: str | None = None) -> Report:
        nonlocal count
        count += 1
        path = tmp_path / f"scenario-{count}.toml"
        path.write_text(text)
        folder = tmp_path / (home or f"home-{count}")
        folder.mkdir(exist_ok=True)
        report: Report = json.loads(json.dumps(execute(read(path), folder)))
        return report

    return go
