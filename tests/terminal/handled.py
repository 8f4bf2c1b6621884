"""The console on the sample, for hands: `ASKED=FILE python tests/terminal/handled.py`.

It refuses whatever it is asked, so that nothing changes and a dialog stays; each intent becomes a
line of JSON in FILE. ROWS is how many rows each list has; without it the sample's own.
"""

import asyncio
import os
import sys
from pathlib import Path

import msgspec
from msgspec.structs import replace

sys.path.insert(0, str(Path(__file__).parents[2]))

import tests.terminal.switched  # noqa: F401 - a sabotage, where one is asked for
from engine.model.alert import Alert
from engine.model.intent import AnyIntent
from engine.model.order import OrderType, Role
from engine.model.side import Side
from engine.model.view import Answer, Reason
from engine.session import Session
from tests.console.sample import T0, SampleSession, order, position
from tui.app import FlatoutApp
from tui.options import ConsoleOptions

ASKED = Path(os.environ["ASKED"])
ROWS = int(os.environ.get("ROWS", "0"))


class Refusing(SampleSession):
    """Writes down what it is asked, and declines it."""

    def __init__(self) -> None:
        super().__init__()
        self.outcome = "refuse"
        self.reasons = [Reason("LOOKING", "an account that is live", T0, "live")]
        if ROWS:
            numbers = range(ROWS)
            self.positions = [
                position(f"P{n}", f"P{n:02}X/USD", Side.BUY, "1", "10", "11", "9") for n in numbers
            ]
            self.orders = [
                order(
                    f"FO{n}",
                    f"O{n:02}X/USD",
                    Side.BUY,
                    OrderType.LIMIT,
                    Role.ENTRY,
                    "1",
                    price="10",
                    of=f"P{n}",
                )
                for n in numbers
            ]
            self.alerts = [
                Alert("ORDER_REJECTED", f"A{n:02}X/USD", "no funds", T0 - n, target=f"P{n}")
                for n in numbers
            ]

    async def ask(self, intent: AnyIntent) -> Answer:
        answer = await super().ask(intent)
        self.note(msgspec.json.encode(replace(intent, id="")) + b"\n")
        return answer

    @staticmethod
    def note(line: bytes) -> None:
        with ASKED.open("ab") as file:
            file.write(line)


async def open_session() -> Session:
    return Refusing()


if __name__ == "__main__":
    mouse = os.environ.get("MOUSE", "on") == "on"
    app = FlatoutApp(open_session, ConsoleOptions(home=ASKED.parent, mouse=mouse, bell=False))
    sys.exit(asyncio.run(app.attend()))
