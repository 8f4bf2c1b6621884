"""`flatout exchange` with a door for the owner: withdrawals, foreign orders, other faults, from
standard input, one JSON object a line.

python -m tests.bench.rounds.exchange PROFILE TIER SEED LAG CASH
"""

import asyncio
import json
import sys
from decimal import Decimal
from typing import Any

from engine.clock import Clock
from engine.model.account import add_cash
from engine.model.limits import levels
from engine.setup import factories
from engine.wire.keys import PERMISSIONS, Key, new_secret
from engine.wire.server import Server, open_world, serve
from engine.wire.terms import Terms
from engine.wire.world import World
from tests.bench.rounds.child import foreign
from tests.bench.rounds.storms import faults
from tui.cli.exchange_parts import SYMBOLS

Json = dict[str, Any]  # whatever is said


def act(world: World, told: Json) -> object:
    """What the owner does, past every API."""
    match told["do"]:
        case "withdraw":
            ledger = world.exchange.ledger
            ledger.cash = add_cash(ledger.cash, told["currency"], -Decimal(told["amount"]))
            world.views.remember()
        case "foreign":
            order = foreign(told)
            world.place(order, Terms(kind=order.type.value, price=told.get("price") or "0"))
        case "faults":
            world.faults = faults(told["faults"], told["lag"])
        case "levels":
            return [
                [row.name, row.used, row.capacity]
                for row in levels(world.exchange.limits, world.now())
            ]
    return None


async def main(profile: str, tier: str, seed: int, lag: float, cash: dict[str, str]) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    found = factories.profile(profile, {"tier": tier} if tier else {})
    market = Clock(loop, Clock(loop).now(), 1.0)
    source = factories.simulated(found, SYMBOLS[profile][:2], seed, market.now(), {})
    money = {name: Decimal(amount) for name, amount in cash.items()}
    world = open_world(
        found, source.instruments, money, "USD", seed=seed, faults=faults("calm", lag), state=None
    )
    secret = new_secret()
    server = Server(world, Key("KEY", secret, PERMISSIONS), secret)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    serving = loop.create_task(
        serve(server, 0, source.ticks, market, lambda told: print(json.dumps(told), flush=True))
    )
    while line := await reader.readline():
        told = json.loads(line)
        print(
            json.dumps({"number": told["number"], "told": act(world, told)}, default=str),
            flush=True,
        )
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(
        main(
            sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), json.loads(sys.argv[5])
        )
    )
