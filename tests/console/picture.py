"""Takes the pictures of the README and of docs/: `python tests/console/picture.py`.

Those of the sample session show every kind of row; the others are what the paper account shows
after the lines in `SAID` were typed.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from textual.pilot import Pilot

from engine.session import Session
from engine.session.opening import open_session as open_paper
from engine.setup.settings import load
from tests.console.sample import SampleSession
from tui.app import FlatoutApp
from tui.options import ConsoleOptions

TOP = Path(__file__).parents[2]
SECONDS = 3.0
"""Until toasts are gone and the chart has its candles."""
SAID = (
    "buy btc 0.1 stop -1% target 1r 50%, 2r rest",
    "buy eth 2 stop -1%",
    "sell sol 20 stop 1%",
    "close sol",
)
FONT = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
"""What would be fetched from another host by whoever looks at a picture."""
NAMED = {" ": "space", ",": "comma", "%": "percent_sign", "-": "minus", ".": "full_stop"}


class Picture(NamedTuple):
    """What is pressed, and how the console looks then."""

    size: tuple[int, int]
    theme: str = "flatout-dark"
    layout: str = "watch"
    keys: tuple[str, ...] = ()
    said: Sequence[str] | None = SAID
    """Lines for the paper account; None for the sample session."""


PICTURES = {
    "themes/console.svg": Picture((120, 40), said=None),
    "docs/pictures/desk.svg": Picture((200, 60), layout="desk"),
    "docs/pictures/ladder.svg": Picture((160, 50), keys=("f3", "A")),
    "docs/pictures/ticket.svg": Picture((120, 40), "flatout-light", keys=("n", "1", "tab", "tab")),
    "docs/pictures/flatten.svg": Picture((120, 40), keys=("f9",)),
    "docs/pictures/blotter.svg": Picture((120, 40), "flatout-light", keys=("f4",)),
}


async def _say(pilot: Pilot[None], line: str) -> None:
    await pilot.press("colon", *(NAMED.get(sign, sign) for sign in line))
    for _ in range(2):
        await pilot.pause(1.0)
        await pilot.press("enter")
    await pilot.pause(2.0)
    await pilot.press("escape")


async def taken(wanted: Picture) -> str:
    """The console as it looks then."""
    with tempfile.TemporaryDirectory() as folder:

        async def open_session() -> Session:
            if wanted.said is None:
                return SampleSession()
            return await open_paper(load(None, []).settings, Path(folder))

        options = ConsoleOptions(home=Path(folder), theme=wanted.theme, layout=wanted.layout)
        app = FlatoutApp(open_session, options)
        async with app.run_test(size=wanted.size) as pilot:
            await pilot.pause(SECONDS if wanted.said is None else 4 * SECONDS)
            for line in wanted.said or ():
                await _say(pilot, line)
            await pilot.press(*wanted.keys)
            await pilot.pause(SECONDS)
            picture = FONT.sub("", app.export_screenshot(title="Flatout"))
            if app.link is not None:
                await app.link.close()
            return picture


if __name__ == "__main__":
    for name, wanted in PICTURES.items():
        file = TOP / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(asyncio.run(taken(wanted)), encoding="utf-8")
