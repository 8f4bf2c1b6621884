"""The size of the screen is the terminal's, whatever the environment says."""

from pathlib import Path

import pytest

from tests.support.terminal import console

pytestmark = pytest.mark.slow


def test_columns_and_lines_of_another_window_are_not_believed(tmp_path: Path) -> None:
    """Shells may export both; they would make a console of 120 columns say that it needs more room,
    for ever.
    """
    with console(tmp_path, env={"COLUMNS": "10", "LINES": "3"}) as terminal:
        assert terminal.wait_for("POSITIONS", 20) or terminal.wait_for("ositions", 1), terminal.text
        assert len(terminal.text.splitlines()[0].rstrip()) > 60
