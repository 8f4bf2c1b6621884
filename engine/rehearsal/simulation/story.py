"""A story: what the market, the operator, the venue, the disk and the power supply do, in order. A
plain value: kept, replayed, shrunk.

Numbers are small on purpose (basis points, thousandths), so that a shrunk story can be read.
"""

from pathlib import Path
from typing import Literal, get_args

import msgspec
from msgspec import Struct

from engine.exchange import Faults

Symbol = Literal["BTC/USD", "ETH/USD"]
SideName = Literal["buy", "sell"]


Moment = Literal["now", "commit", "before request", "after request"]
MOMENTS: tuple[Moment, ...] = get_args(Moment)


class Step(Struct, frozen=True, tag=True, forbid_unknown_fields=True):
    """Something that happens."""


class Wait(Step, frozen=True):
    """Time goes by; prices wander unless `silent`."""

    ms: int
    silent: bool = False


class Move(Step, frozen=True):
    """The price jumps, in basis points."""

    symbol: Symbol
    bp: int


class Open(Step, frozen=True):
    """A bracket; distances in basis points from the price, size in thousandths."""

    symbol: Symbol
    side: SideName
    size: int
    kind: Literal["market", "limit", "stop"] = "market"
    away: int = 20
    stop: int | None = 100
    target: int | None = None
    trail: int | None = None
    expires_ms: int | None = None
    presses: int = 1
    """How often the same key is pressed."""
    lent: bool = False
    """Whether it names a leverage, and so is held on margin where there are coins, too."""
    half: bool = False
    """Whether half of it leaves half way to the target."""
    by_r: bool = False
    """Whether its targets stand at 1R and 2R, a break-even rule waits at 1R, and its trail begins
    there.
    """


class Close(Step, frozen=True):
    """Close a position, or a part in per cent."""

    which: int
    percent: int = 100


class LeaveAt(Step, frozen=True):
    """Let a position, or a part of it in per cent, leave at so many basis points beyond the price;
    None joins the best of its own side, or improves it where `improves`.
    """

    which: int
    percent: int
    bp: int | None
    improves: bool = False


class MoveStop(Step, frozen=True):
    """Move a stop to so many basis points below (above, for a short) the price; None removes it."""

    which: int
    bp: int | None


class MoveTarget(Step, frozen=True):
    """The same for a target, on the other side."""

    which: int
    bp: int | None


class Trail(Step, frozen=True):
    """Let a stop trail, or stop it."""

    which: int
    bp: int | None


class BreakEven(Step, frozen=True):
    """Move a stop to where nothing is lost."""

    which: int


class Reverse(Step, frozen=True):
    """Close and open the other side."""

    which: int


class Await(Step, frozen=True):
    """Want to be told of a price so many basis points away."""

    symbol: Symbol
    bp: int
    cancels: bool = False
    """Whether the one that waits longest is cancelled then."""


class CancelEntry(Step, frozen=True):
    """Cancel any order of ours."""

    which: int


class CancelAll(Step, frozen=True):
    """Cancel all entries; also what is not ours, where `foreign`."""

    foreign: bool = False


class Flatten(Step, frozen=True):
    """The key."""

    presses: int = 1


class Mash(Step, frozen=True):
    """So many keys in a row, whatever they are."""

    count: int


class Mode(Step, frozen=True):
    """Pause, halt, resume."""

    to: Literal["pause", "halt", "resume"]


class Reconcile(Step, frozen=True):
    """Compare now."""


class Resolve(Step, frozen=True):
    """Answer every difference that stands with one action."""

    action: Literal["adopt", "forget", "flatten"]


class External(Step, frozen=True):
    """Somebody else trades on the account."""

    symbol: Symbol
    side: SideName
    size: int
    kind: Literal["market", "limit"] = "market"
    away: int = 50
    lent: bool = False


class Disk(Step, frozen=True):
    """The disk under the journal: works, fails, or takes so many milliseconds for a commit."""

    does: Literal["works", "fails"] = "works"
    ms: int = 0


class Hang(Step, frozen=True):
    """Time goes by and nobody runs: a stopped process, a laptop asleep."""

    ms: int


class Crash(Step, frozen=True):
    """The process dies: now, after so many more batches of the journal, or before or after so many
    more requests.
    """

    at: Moment = "now"
    count: int = 1


class Restart(Step, frozen=True):
    """An orderly end and a new start."""


class Pause(Step, frozen=True):
    """The engine stands still, as after SIGSTOP, while the market and the venue go on."""

    ms: int


class Jump(Step, frozen=True):
    """The machine's clock is set forward, or back."""

    ms: int


class Withdraw(Step, frozen=True):
    """The owner takes away so much, in per cent, of what is left of the coins that were there
    before the first session.
    """

    currency: str
    percent: int = 100


class Backup(Step, frozen=True):
    """Somebody copies the journal."""


class Lose(Step, frozen=True):
    """The process dies, and its journal is gone; or the last copy of it is put back."""

    back: bool = False


class Second(Step, frozen=True):
    """Another process on the same account, with a journal of its own, opens a bracket, looks after
    it for so long, and ends in order.
    """

    symbol: Symbol
    side: SideName
    size: int
    ms: int


class LastExit(Step, frozen=True):
    """Everything is closed past the engine, which is dead, or stands still and wakes up
    afterwards.
    """

    beside: Literal["dead", "stopped"] = "dead"


AnyStep = (
    Wait
    | Move
    | Open
    | Close
    | LeaveAt
    | MoveStop
    | MoveTarget
    | Trail
    | BreakEven
    | Reverse
    | Await
    | CancelEntry
    | CancelAll
    | Flatten
    | Mash
    | Mode
    | Reconcile
    | Resolve
    | External
    | Disk
    | Hang
    | Crash
    | Restart
    | Pause
    | Jump
    | Withdraw
    | Backup
    | Lose
    | Second
    | LastExit
)


class Story(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it."""

    seed: int
    """Of prices, faults and jitter."""
    steps: tuple[AnyStep, ...]
    profile: str = "kraken-spot"
    policy: Literal["guard", "close"] = "guard"
    faults: Faults = Faults()
    margin: bool = False
    """Whether spot is sold short on margin."""
    wanders: bool = True
    """Whether prices move between the steps."""
    coins: dict[str, int] = {}
    """What lay in the account before the first session, by currency, in thousandths: the owner's,
    and none of the desk's business.
    """
    insists: bool = False
    """Whether the operator presses again, after a crash, what has left no answer."""

    def __str__(self) -> str:
        return encode(self).decode()


class StoryError(Exception):
    """A file that is not a story; the text says why."""


def encode(story: Story) -> bytes:
    """As JSON, a step per line."""
    lines = [msgspec.json.encode(step).decode() for step in story.steps]
    head = msgspec.to_builtins(msgspec.structs.replace(story, steps=()))
    head.pop("steps")
    body = msgspec.json.encode(head).decode()[:-1]
    steps = ",\n  ".join(lines)
    return f'{body},"steps":[\n  {steps}\n]}}\n'.encode()


def decode(body: bytes) -> Story:
    """The story that `encode` wrote."""
    return msgspec.json.decode(body, type=Story)


def read(path: Path) -> Story:
    """A story from a file. Raises StoryError."""
    try:
        return decode(path.read_bytes())
    except OSError as error:
        raise StoryError(f"{path}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise StoryError(f"{path}: it is not a story: {error}") from error
