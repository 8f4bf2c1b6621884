"""An engine in a process of its own, without a screen: it says each change of its view on standard
output, and reads what to do.

    python -m tests.bench.rounds.child SETTINGS HOME WORDS

SETTINGS is a settings file, HOME the folder of all accounts, WORDS is `take-over` or `-`. One JSON
object a line each way.
"""

import asyncio
import contextlib
import json
import signal
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from engine.model.intent import AnyIntent
from engine.model.order import Order, OrderType, Role
from engine.model.side import Side
from engine.session import Session
from engine.session.opening import open_session
from engine.session.taking import PenHeldError, Wanted
from engine.setup.settings import load
from engine.venues.paper import PaperVenue
from tests.bench.rounds.storms import faults

Json = dict[str, Any]  # whatever is said
HEARTBEAT = 1.0
LOOK = 0.1


def say(**told: object) -> None:
    """One line for whoever started this."""
    print(json.dumps({"at": time.time(), **told}, default=str), flush=True)


def foreign(told: Json) -> Order:
    """An order of somebody else's on the same account."""
    price = msgspec.convert(told.get("price"), type=None | Decimal, strict=False)
    kind = OrderType.LIMIT if price is not None else OrderType.MARKET
    size = msgspec.convert(told["size"], type=Decimal, strict=False)
    return Order(told["name"], "", told["symbol"], Side.BUY, kind, Role.ENTRY, size, price=price)


async def act(session: Session, told: Json) -> None:
    """Do one thing that was asked for."""
    venue = getattr(getattr(session, "engine", None), "venue", None)
    match told["do"]:
        case "ask":
            answer = await session.ask(
                msgspec.convert(told["intent"], type=AnyIntent, strict=False)
            )
            say(
                event="answer",
                intent=answer.intent,
                refusals=[refusal.text for refusal in answer.refusals],
            )
            return
        case "faults" if isinstance(venue, PaperVenue):
            venue.faults = faults(told["faults"], told["lag"])
        case "withdraw" if isinstance(venue, PaperVenue):
            venue.withdraw(
                told["currency"], msgspec.convert(told["amount"], type=Decimal, strict=False)
            )
        case "foreign" if isinstance(venue, PaperVenue):
            venue.external(foreign(told))
    say(event="done", number=told.get("number"))


def seen(session: Session) -> Json:
    """What a console would show, as far as the judge asks for it."""
    view = session.view()
    return {
        "read_only": session.read_only,
        "mode": view.mode,
        "reasons": [reason.code for reason in view.reasons],
        "positions": [
            [row.id, row.symbol, str(row.size), row.protection.value] for row in view.positions
        ],
        "alerts": sorted({alert.code for alert in view.alerts if alert.stands}),
        "differs": [
            [row.kind, row.subject, row.ours, row.theirs, row.differs]
            for row in view.truth.rows
            if row.differs
        ],
        "feeds": len(view.feeds),
    }


async def watch(session: Session, stop: asyncio.Event) -> None:
    """Say each change, and each second that we live."""
    said: Json = {}
    moved = 0.0
    while not stop.is_set():
        now = seen(session)
        if now != said or time.monotonic() - moved > HEARTBEAT:
            said, moved = now, time.monotonic()
            say(event="now", **now)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), LOOK)


async def main(settings: Path, home: Path, words: str) -> None:
    """Open, and do as told, until SIGTERM."""
    loop = asyncio.get_running_loop()
    session = await open_session(
        load(settings, []).settings, home, Wanted(take_over="take-over" in words)
    )
    stop, tasks = asyncio.Event(), set[asyncio.Task[None]]()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    say(event="open", read_only=session.read_only)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def read() -> None:
        while line := await reader.readline():
            task = loop.create_task(act(session, json.loads(line)))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    reading = loop.create_task(read())
    await watch(session, stop)
    reading.cancel()
    await session.close()
    say(event="closed")


if __name__ == "__main__":
    try:
        asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
    except PenHeldError as error:
        print(error, file=sys.stderr, flush=True)
        sys.exit(3)
    except Exception as error:  # its words are for the transcript of the round
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        sys.exit(2)
