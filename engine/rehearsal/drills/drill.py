"""What a drill says: its file, as plain values."""

import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from engine.model import intent as i
from engine.model.order import OrderType
from engine.model.side import Side

FOLDER = Path(__file__).parent
SYMBOL = "BTC/USD"
"""What all drills trade."""
Seconds = Annotated[float, Meta(ge=0, le=600)]


class Start(Struct, frozen=True, forbid_unknown_fields=True):
    """What is open when the drill begins."""

    side: Side
    size: Decimal
    stop: Decimal | None = None
    """Distance from the entry, as a fraction; None: it has no stop."""
    rest: Decimal | None = None
    """Of a limit entry that fills in part, and rests then: how far it reaches beyond the best price
    of the other side, as a fraction; None: a market order.
    """

    refused: bool = False
    """Whether the venue takes no stops from the start: the stop is watched by the engine."""

    halted: bool = False
    """Whether the desk is halted: exits by hand only."""

    def intent(self) -> i.OpenBracket:
        """What is asked for it."""
        anchored = None
        if self.rest is not None:
            name = i.Anchor.ASK if self.side is Side.BUY else i.Anchor.BID
            anchored = i.Anchored(name, fraction=self.rest * self.side.sign)
        return i.OpenBracket(
            id="drill-start",
            symbol=SYMBOL,
            side=self.side,
            size=i.Base(self.size),
            type=OrderType.MARKET if anchored is None else OrderType.LIMIT,
            anchored=anchored,
            stop=None if self.stop is None else i.Away(self.stop),
        )


class Fault(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens at a time: a move of the market, or something that goes wrong at the venue for
    `lasts` seconds.
    """

    second: Seconds
    """After the briefing was read."""
    what: Literal[
        "move", "lose-replies", "refuse-stops", "hang", "post-only", "freeze-prices",
        "spend-limits", "slow", "foreign",
    ]  # fmt: skip
    lasts: Seconds = 0.0
    move: Decimal = Decimal(0)
    """Of the price, as a fraction above -1."""
    side: Side = Side.SELL
    """Of a foreign order."""
    size: Decimal = Decimal(0)


class Drill(Struct, frozen=True, forbid_unknown_fields=True):
    """One drill."""

    number: int
    """Its place in the list."""
    title: str
    briefing: str
    """What the person knows before it begins."""
    lesson: str
    """What to take away, told afterwards."""
    goal: Literal["flat", "protected"]
    par: Annotated[float, Meta(gt=0)]
    """Seconds beyond the best possible that are good."""
    limit: Annotated[float, Meta(gt=0, le=300)]
    """Seconds after the emergency at which it is over."""
    start: Start
    faults: tuple[Fault, ...]
    """In order of time; the emergency begins with the first."""
    least: Seconds = 0.0
    """Seconds after the emergency before which it is not over: there is something to sit out."""
    seed: int = 1
    depth: float = 250_000.0
    """How much the market shows at its best prices, in dollars."""
    keys: str = ""
    """Keys that are worth knowing, for the briefing; `«stop»` is that of a command."""
    name: str = ""
    """As it is called: its file's name."""


class DrillError(ValueError):
    """A drill can't be used; the text says which and why."""


def read(path: Path) -> Drill:
    """The drill of a file. Raises DrillError."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        drill = msgspec.convert({**table, "name": path.stem}, Drill, strict=False)
    except (OSError, ValueError) as error:
        raise DrillError(f"{path.name}: {error}") from error
    if not drill.faults or [f.second for f in drill.faults] != sorted(
        f.second for f in drill.faults
    ):
        raise DrillError(f"{path.name}: faults: at least one, in order of time")
    return drill


def drills(folder: Path = FOLDER) -> dict[str, Drill]:
    """All drills by name, in their order. Raises DrillError."""
    found = [read(path) for path in folder.glob("*.toml")]
    return {drill.name: drill for drill in sorted(found, key=lambda drill: drill.number)}
