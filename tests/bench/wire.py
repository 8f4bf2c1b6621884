"""`python -m tests.bench.wire [RUNS] [FIRST] [kraken|krakenfutures] [KEEP]`: seeded scenarios
against the wire server with all faults on.

Each run is a server and an engine of its own, speaking real HTTP and WebSocket on loopback: random
brackets, moves, closes, crashes and restarts while requests and replies are lost, reports come
twice or late, the line breaks, views lag and the exchange refuses everybody for a while. What else
the exchange does that day is drawn from the seed (`wire_days`). In the end the invariants must have
held, and what the exchange did must be what was booked, execution by execution, and so must the
money. What a run that failed has left is copied to the folder KEEP.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct

from engine.clock import SECOND, Clock
from engine.exchange.faults import Faults
from engine.model.order import Order
from engine.rehearsal.scenario.run import Run
from engine.rehearsal.scenario.script import read
from engine.setup import factories
from engine.wire.keys import Key, new_secret
from engine.wire.server import Server, open_world
from engine.wire.terms import Terms
from engine.wire.world import World
from tests.bench.wire_days import ALL, OTHERS, SYMBOLS, Day, day, scenario

AT_ONCE = 8
"""Runs beside each other: they wait most of the time. More than a machine can follow are slow, and
then answers come too late.
"""
CLOSING = 5 * SECOND
"""How long an engine may have been closing."""
PROFILES = {"kraken": "kraken-spot", "krakenfutures": "kraken-futures"}
UNKNOWN = timedelta(seconds=15)
"""How long an order may be on its way."""
UNTOLD = Decimal("0.00001")
"""The share of an amount below which the desk takes a difference for rounding or financing at
first.
"""
ROUNDED = Decimal("0.001")
"""What the digits of fees may add up to."""


class Outcome(Struct):
    """One run."""

    seed: int
    wrong: list[str]
    counts: dict[str, int]
    seconds: float


async def _other_program(world: World, today: Day) -> None:
    """Trade on the same account, as somebody else."""
    began = world.now()
    for after, order in today.others:
        await world.clock.sleep_until(began + int(after * SECOND))
        _placed(world, order)


def _placed(world: World, order: Order) -> None:
    world.place(order, Terms(kind=order.type.value, flags=("fciq",), price=f"{order.price or 0}"))


async def one(seed: int, venue: str, faults: Faults = ALL, keep: Path | None = None) -> Outcome:
    """One run, from a new server to the comparison."""
    began, today = time.monotonic(), day(seed, venue)
    loop, wrong = asyncio.get_running_loop(), []
    profile, clock = (
        factories.profile(PROFILES[venue], {"tier": "pro"} if venue == "kraken" else None),
        Clock(loop),
    )
    source = factories.simulated(
        profile, (*SYMBOLS[venue], OTHERS[venue]), seed, clock.now(), {"volatility": "2.0"}
    )
    money = {"USD": Decimal(100_000)}
    world = open_world(
        profile,
        source.instruments,
        money,
        "USD",
        seed=seed,
        faults=faults,
        state=None,
        conduct=today.conduct,
    )
    secret = new_secret()
    server = Server(world, Key("KEY", secret), secret, today.habits)
    await server.start(0, source.ticks, clock)
    other = loop.create_task(_other_program(world, today))
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "keys.toml").write_text(f'key = "KEY"\nsecret = "{secret}"\n')
        (home / "keys.toml").chmod(0o600)
        path = home / "scenario.toml"
        path.write_text(scenario(seed, venue, str(server.ready["rest"]), str(server.ready["ws"])))
        try:
            report = await asyncio.wait_for(Run(read(path), home).main(), 240)
            wrong += [
                f"{v['invariant']}: {v['detail']}" for v in report["invariants"]["violations"]
            ]
            wrong += _differences(
                report, world.truth(), world.now() - CLOSING, merged=today.conduct.always_merged
            )
            counts.update(
                {
                    name: int(count)
                    for name, count in report["requests"].items()
                    if isinstance(count, int)
                }
            )
            counts.update(f"refused {refusal['code']}" for refusal in report["refusals"])
            counts.update(f"alert {alert['code']}" for alert in report["alerts"])
            counts.update(_met(world))
            counts["in doubt at the end"] = sum(
                order["status"] == "pending" for order in report["orders"]
            )
            counts["fills"], counts["orders"] = len(report["fills"]), len(report["orders"])
        except Exception as error:
            wrong.append(f"died: {type(error).__name__}: {error}")
        if wrong and keep is not None:
            shutil.copytree(home, keep / f"{venue}-{seed}", dirs_exist_ok=True)
            (keep / f"{venue}-{seed}" / "truth.json").write_text(
                json.dumps(world.truth(), default=str)
            )
    other.cancel()
    await server.close()
    return Outcome(seed, wrong, dict(counts), time.monotonic() - began)


def _met(world: World) -> Counter[str]:
    """How often requests were answered with a refusal of the exchange's own, by its first words:
    that the bad day took place.
    """
    refused = (
        entry.outcome
        for entry in world.log
        if entry.outcome and entry.outcome != "ok" and entry.outcome != "heard"
    )
    return Counter(f"answered {text[:40]}" for text in refused)


def _differences(
    report: dict[str, Any], truth: dict[str, Any], until: int, *, merged: bool
) -> list[str]:
    """What the exchange did until then against what was booked: afterwards the engine was closing,
    and stops go on.

    `merged`: the exchange may have told what one order took as one execution, so that they are
    compared by order.
    """
    booked = {fill["execution_id"] for fill in report["fills"]}
    theirs = {
        f["execution_id"]: f
        for f in truth["executions"]
        if f["client"] and (f["at"] <= until or f["execution_id"] in booked)
    }
    ours = {fill["execution_id"]: fill for fill in report["fills"]}
    if (len(theirs) != len(ours) and not merged) or _sums(theirs) != _sums(ours):
        missing = [
            f"{f['side']} {f['size']} {f['symbol']} of {f['client']} at {f['at']}"
            for name, f in theirs.items()
            if name not in ours
        ]
        counts = f"{len(ours)} executions are booked, the exchange made {len(theirs)}"
        return [f"{counts}: {', '.join(missing)}"]
    names = Counter(
        order["label"]["client"]
        for order in truth["orders"]
        if order["label"]["client"] and order["status"] != "rejected"
    )
    twice = [name for name, count in names.items() if count > 1]
    found = [f"{name} was taken {names[name]} times" for name in twice]
    still = [
        order["label"]["client"]
        for order in truth["orders"]
        if order["label"]["client"] and order["status"] in ("open", "partially-filled")
    ]
    open_here = {
        order["client_order_id"]
        for order in report["orders"]
        if order["status"] in ("open", "partially-filled") or _lingers(order, names)
    }
    late = {
        order["label"]["client"] for order in truth["orders"] if (order["closed_at"] or 0) > until
    }
    doubted = sum(
        alert["code"] == "DOUBT_OLD" and alert["cured_at"] is None for alert in report["alerts"]
    )
    unsure = {
        order["client_order_id"] for order in report["orders"] if order["status"] == "pending"
    } & open_here
    # not knowing is told: a minute must pass before an order that nobody lists never came
    if len(unsure) <= doubted:
        open_here -= unsure
    if set(still) - late != open_here - late:
        found.append(f"open there {sorted(still)}, here {sorted(open_here)}")
    return found + _money(report, truth, until)


def _lingers(order: dict[str, Any], names: Counter[str]) -> bool:
    """Whether an order is still thought to be on its way that arrived, or that left long ago."""
    age = datetime.now(UTC) - datetime.fromisoformat(order["created_at"])
    return order["status"] == "pending" and (order["client_order_id"] in names or age > UNKNOWN)


def _sums(fills: dict[str, dict[str, Any]]) -> dict[str, Decimal]:
    """Sizes by order."""
    sums: dict[str, Decimal] = {}
    for fill in fills.values():
        name = fill.get("client") or fill["client_order_id"]
        sums[name] = sums.get(name, Decimal(0)) + Decimal(str(fill["size"]))
    return sums


def _money(report: dict[str, Any], truth: dict[str, Any], until: int) -> list[str]:
    """Once nothing is held on margin, the money is the exchange's to the digit that it tells;
    nobody asks while executions are still coming.

    What the other program did while we looked on is no money of ours before somebody says so: it
    may be missing here, from some execution of it on, where each currency's difference is told.
    """
    if any(position["closed_at"] is None for position in report["positions"]) or any(
        f["at"] > until for f in truth["executions"]
    ):
        return []
    ours, theirs = report["account"]["cash"], truth["accounts"]["cash"]
    effects = _effects([fill for fill in truth["executions"] if not fill["client"]])
    told = {alert["subject"] for alert in report["alerts"] if alert["code"] == "DIFFERENCE"}
    for left_out in range(len(effects) + 1):
        missing = dict.fromkeys(theirs, Decimal(0))
        for effect in effects[len(effects) - left_out :]:
            missing = {
                name: missing.get(name, Decimal(0)) + effect.get(name, Decimal(0))
                for name in {*missing, *effect}
            }
        found = [
            (
                name,
                Decimal(ours.get(name, "0")),
                Decimal(theirs.get(name, "0")) - missing.get(name, 0),
            )
            for name in sorted({*ours, *theirs})
        ]
        untold = [
            name
            for name, amount in missing.items()
            if abs(amount) > UNTOLD * abs(Decimal(theirs.get(name, "0"))) and name not in told
        ]
        if all(abs(mine - other) <= ROUNDED for _, mine, other in found) and not untold:
            return []
    different = [name for name in sorted({*ours, *theirs}) if ours.get(name) != theirs.get(name)]
    return [f"{name}: {ours.get(name, 0)} here, {theirs.get(name, 0)} there" for name in different]


def _effects(fills: list[dict[str, Any]]) -> list[dict[str, Decimal]]:
    """What each execution of the other program did to the account's money, oldest first. It only
    buys and sells what it bought, in one symbol.
    """
    effects, held, paid = list[dict[str, Decimal]](), Decimal(0), Decimal(0)
    for fill in fills:
        size, price, fee = (Decimal(str(fill[key])) for key in ("size", "price", "fee"))
        signed, (base, _, quote) = (
            size if fill["side"] == "buy" else -size,
            fill["symbol"].partition("/"),
        )
        effect = {fill["fee_currency"]: -fee}
        if quote:
            effect[base] = effect.get(base, Decimal(0)) + signed
            effect[quote] = effect.get(quote, Decimal(0)) - signed * price
        elif held * signed < 0:
            closed = min(abs(signed), abs(held)) * (1 if held > 0 else -1)
            effect["USD"] = effect.get("USD", Decimal(0)) + closed * (price - paid / held)
            held, paid = (
                (held + signed, paid - closed * paid / held)
                if abs(signed) <= abs(held)
                else (held + signed, (held + signed) * price)
            )
        else:
            held, paid = held + signed, paid + signed * price
        effects.append(effect)
    return effects


async def many(runs: int, first: int, venue: str, keep: Path | None = None) -> list[Outcome]:
    """So many runs, some beside each other."""
    room = asyncio.Semaphore(AT_ONCE)
    done: list[Outcome] = []

    async def go(seed: int) -> None:
        async with room:
            outcome = await one(seed, venue, keep=keep)
        done.append(outcome)
        if outcome.wrong:
            print(f"  seed {seed}: {'; '.join(outcome.wrong[:3])[:300]}", flush=True)
        if len(done) % 25 == 0:
            print(f"  {len(done)} of {runs}, {sum(bool(o.wrong) for o in done)} failed", flush=True)

    await asyncio.gather(*(go(seed) for seed in range(first, first + runs)))
    return done


def main() -> None:
    """Run, and print a table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    venue = sys.argv[3] if len(sys.argv) > 3 else "kraken"
    keep = Path(sys.argv[4]) if len(sys.argv) > 4 else None
    done = asyncio.run(many(runs, first, venue, keep))
    total: Counter[str] = Counter()
    for outcome in done:
        total.update(outcome.counts)
    rows = [("runs", str(len(done))), ("failed", str(sum(bool(o.wrong) for o in done)))]
    rows += [(name, str(count)) for name, count in sorted(total.items())]
    print(f"{venue}: seeded runs over the wire, all faults on")
    for what, count in rows:
        print(f"  {what:<24} {count:>10}")


if __name__ == "__main__":
    main()
