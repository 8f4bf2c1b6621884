"""Open a position with a stop and follow it to its end: `open_and_follow.py SOCKET SYMBOL SIZE`."""

import asyncio
import sys
import time
from decimal import Decimal
from pathlib import Path

from engine.model.intent import Away, Base, OpenBracket
from engine.model.side import Side
from engine.model.view import Answer
from engine.session.client import Line
from engine.session.messages import Ask, Events, EventsTold


async def main(socket: str, symbol: str, size: str) -> None:
    """Ask once, then print what becomes of it."""
    line = await Line.open(Path(socket), patience=10.0)
    last = (await line.put(Events(count=1), EventsTold)).last
    entry = OpenBracket(
        id=f"script-{time.time_ns()}",  # asked again under the same id, it is done once
        not_after=time.time_ns() + 3_000_000_000,  # what comes later is refused, not done
        symbol=symbol,
        side=Side.BUY,
        size=Base(Decimal(size)),
        stop=Away(Decimal("0.02")),  # 2 % below what the entry fills at
    )
    answer = await line.put(Ask(entry), Answer)
    if not answer.ok:
        sys.exit("; ".join(refusal.text for refusal in answer.refusals))
    while True:
        told = await line.put(Events(after=last, wait=4.0), EventsTold)
        last = told.last
        for event in (one for one in told.events if one.position == answer.created):
            print(event.seq, event.topic.value, event.text, flush=True)
            if event.kind in ("position-closed", "position-dropped"):
                return


asyncio.run(main(*sys.argv[1:]))
