"""Where the report of a run goes, and what is said where it can't go there."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tui.cli import main

SCENARIO = """
until = "1s"
[account]
venue = "paper"
cash = { USD = "1000" }
[market]
source = "simulated"
symbols = ["BTC/USD"]
"""


def run(folder: Path, to: str) -> Result:
    scenario = folder / "one.toml"
    scenario.write_text(SCENARIO)
    return CliRunner().invoke(main, ["run", str(scenario), "--report", to, "--quiet"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_report_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    told = run(tmp_path, "/dev/full")
    assert told.exit_code == 2, told.exception
    assert told.stderr.strip() == "flatout run: --report /dev/full: No space left on device"


def test_a_folder_is_no_place_for_a_report(tmp_path: Path) -> None:
    told = run(tmp_path, str(tmp_path))
    assert told.exit_code == 2, told.exception
    assert "is a folder" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 1
