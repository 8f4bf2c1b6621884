"""Runs the console on the sample: `python tests/console/run_sample.py` (for the eye, and for tests
in a real terminal).
"""

import asyncio
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from engine.session import Session
from tests.console.sample import SampleSession
from tui.app import FlatoutApp
from tui.options import ConsoleOptions
from tui.terminal import tell


class MarkedSession(SampleSession):
    """Leaves a file when it is closed in order."""

    async def close(self) -> None:
        await super().close()
        if marker := os.environ.get("CLOSED_MARKER"):
            await asyncio.to_thread(Path(marker).write_text, "closed in order")


async def open_session() -> Session:
    if "fail" in sys.argv:
        raise OSError("the home folder is not writable [red]x[/]")
    session = MarkedSession()
    session.moving = True
    return session


if __name__ == "__main__":
    app = FlatoutApp(
        open_session, ConsoleOptions(home=Path(os.environ.get("FLATOUT_SAMPLE_HOME", ".")))
    )
    code = asyncio.run(app.attend())
    for words in app.last_words:
        tell(words)
    sys.exit(code)
