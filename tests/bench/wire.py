"""`python -m tests.bench.wire [RUNS] [FIRST] [kraken|krakenfutures] [KEEP]`: seeded scenarios against the wire server with all faults on.

Each run is a server and an engine of its own, speaking real HTTP and WebSocket on loopback: random brackets, moves, closes, crashes and restarts
while requests and replies are lost, reports come twice or late, the line breaks, views lag and the exchange refuses everybody for a while. In the
end the invariants must have held, and what the exchange did must be what was booked, execution by execution. What a run that failed has left is
copied to the folder KEEP.
"""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

from msgspec import Struct

from engine import assembly
from engine.clock import Clock
from engine.exchange.faults import Delay, Faults, Interval
from engine.scenario.run import Run
from engine.scenario.script import read
from engine.wire.keys import Key, new_secret
from engine.wire.server import Server, open_world

MS, SECOND = 1_000_000, 1_000_000_000
AT_ONCE = 10
"""Runs beside each other: they wait most of the time."""
CLOSING = 5 * SECOND
"""How long an engine may have been closing."""
SYMBOLS = {"kraken": ("BTC/USD", "ETH/USD"), "krakenfutures": ("PF_XBTUSD", "PF_ETHUSD")}
PROFILES = {"kraken": "kraken-spot", "krakenfutures": "kraken-futures"}
SIZES = {"BTC/USD": "0.1", "ETH/USD": "1", "PF_XBTUSD": "0.1", "PF_ETHUSD": "1"}
ALL = Faults(
    lose_reply=0.03,
    lose_request=0.03,
    duplicate_report=0.05,
    reorder_reports=0.05,
    reject_stop=0.1,
    delay=Delay(5 * MS, 150 * MS),
    disconnect=Interval(6 * SECOND, SECOND),
    rest_lag=2 * SECOND,
    rate_limit_storm=Interval(7 * SECOND, SECOND // 2),
)


ROUNDED = Decimal("0.001")
"""What the digits of fees may add up to."""


class Outcome(Struct):
    """One run."""

    seed: int
    wrong: list[str]
    counts: dict[str, int]
    seconds: float


def scenario(seed: int, venue: str, rest: str, ws: str) -> str:
    """A script from a seed."""
    random = Random(seed)
    lines = [
        f'name = "wire {seed}"\nseed = {seed}\nuntil = "13s"\n[account]\nvenue = "{venue}"\nrest = "{rest}"\nws = "{ws}"',
        f'[market]\nsource = "venue"\nsymbols = {json.dumps(SYMBOLS[venue])}',
        f'[settings]\n"gateway.timeout" = 2.0\n{_tier(venue)}\n"risk.max_positions" = 6',
    ]
    at, labels = 0.3, list[str]()
    for index in range(random.randint(5, 12)):
        at += random.choice((0.05, 0.2, 0.6, 1.0))
        step = random.choice(("open", "open", "open", "move", "close", "trail", "target", "cancel", "crash", "restart", "even"))
        if step == "open" or not labels:
            labels.append(f"e{index}")
            lines.append(_open(random, at, labels[-1], random.choice(SYMBOLS[venue])))
            continue
        about = f'[[do]]\nat = "{at:.2f}s"\nposition = "{random.choice(labels)}"\n'
        if step in ("crash", "restart"):
            lines.append(f'[[do]]\nat = "{at:.2f}s"\n{step} = true')
        elif step == "cancel":
            lines.append(f'[[do]]\nat = "{at:.2f}s"\ncancel_all = true')
        else:
            words = {
                "move": f'move_stop = {{ stop = "{random.choice((0.3, 0.7, 1.5))}%" }}',
                "close": f'close = {{ part = "{random.choice((30, 50, 100))}%" }}',
                "trail": 'trail = { distance = "0.5%" }',
                "target": 'move_target = { target = "1.5%" }',
                "even": "break_even = true",
            }
            lines.append(about + words[step])
    lines.append('[[do]]\nat = "9s"\nflatten = true')
    return "\n".join(lines) + "\n"


def _tier(venue: str) -> str:
    return '"account.limits" = { tier = "pro" }' if venue == "kraken" else ""


def _open(random: Random, at: float, label: str, symbol: str) -> str:
    kind = random.choice(("market", "market", "limit"))
    side = random.choice(("buy", "buy", "sell"))
    price = f', price = "{_limit(symbol, side)}"' if kind == "limit" else ""
    target = ', target = "2%"' if random.random() < 0.5 else ""
    lent = ', leverage = "3"' if random.random() < 0.3 else ""
    terms = f'symbol = "{symbol}", side = "{side}", type = "{kind}", size = "{SIZES[symbol]}"{price}, stop = "1%"{target}{lent}'
    return f'[[do]]\nat = "{at:.2f}s"\nid = "{label}"\nopen = {{ {terms} }}'


def _limit(symbol: str, side: str) -> str:
    base = {"BTC/USD": 62_000, "PF_XBTUSD": 62_000, "ETH/USD": 2650, "PF_ETHUSD": 2650}[symbol]
    return f"{base * (0.97 if side == 'buy' else 1.03):.0f}"


async def one(seed: int, venue: str, faults: Faults = ALL, keep: Path | None = None) -> Outcome:
    """One run, from a new server to the comparison."""
    began = time.monotonic()
    loop, wrong = asyncio.get_running_loop(), []
    profile, clock = assembly.profile(PROFILES[venue], {"tier": "pro"} if venue == "kraken" else None), Clock(loop)
    source = assembly.simulated(profile, SYMBOLS[venue], seed, clock.now(), {"volatility": "2.0"})
    world = open_world(profile, source.instruments, {"USD": Decimal(100_000)}, "USD", seed=seed, faults=faults, state=None)
    secret = new_secret()
    server = Server(world, Key("KEY", secret), secret)
    await server.start(0, source.ticks, clock)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        (home / "keys.toml").write_text(f'key = "KEY"\nsecret = "{secret}"\n')
        (home / "keys.toml").chmod(0o600)
        path = home / "scenario.toml"
        path.write_text(scenario(seed, venue, str(server.ready["rest"]), str(server.ready["ws"])))
        try:
            report = await asyncio.wait_for(Run(read(path), home).main(), 240)
            wrong += [f"{v['invariant']}: {v['detail']}" for v in report["invariants"]["violations"]]
            wrong += _differences(report, world.truth(), clock.now() - CLOSING)
            counts.update({name: int(count) for name, count in report["requests"].items() if isinstance(count, int)})
            counts.update(f"refused {refusal['code']}" for refusal in report["refusals"])
            counts.update(f"alert {alert['code']}" for alert in report["alerts"])
            counts["fills"], counts["orders"] = len(report["fills"]), len(report["orders"])
        except Exception as error:
            wrong.append(f"died: {type(error).__name__}: {error}")
        if wrong and keep is not None:
            shutil.copytree(home, keep / f"{venue}-{seed}", dirs_exist_ok=True)
            (keep / f"{venue}-{seed}" / "truth.json").write_text(json.dumps(world.truth(), default=str))
    await server.close()
    return Outcome(seed, wrong, dict(counts), time.monotonic() - began)


def _differences(report: dict[str, Any], truth: dict[str, Any], until: int) -> list[str]:
    """What the exchange did until then against what was booked: afterwards the engine was closing, and stops go on."""
    booked = {fill["execution_id"] for fill in report["fills"]}
    theirs = {f["execution_id"]: f for f in truth["executions"] if f["client"] and (f["at"] <= until or f["execution_id"] in booked)}
    ours = {fill["execution_id"]: fill for fill in report["fills"]}
    if len(theirs) != len(ours) or sum(Decimal(f["size"]) for f in theirs.values()) != sum(Decimal(f["size"]) for f in ours.values()):
        missing = [f"{f['side']} {f['size']} {f['symbol']} of {f['client']} at {f['at']}" for name, f in theirs.items() if name not in ours]
        return [f"{len(ours)} executions are booked, the exchange made {len(theirs)}: {', '.join(missing)}"]
    names = Counter(order["label"]["client"] for order in truth["orders"] if order["label"]["client"] and order["status"] != "rejected")
    twice = [name for name, count in names.items() if count > 1]
    found = [f"{name} was taken {names[name]} times" for name in twice]
    still = [order["label"]["client"] for order in truth["orders"] if order["label"]["client"] and order["status"] in ("open", "partially-filled")]
    open_here = {order["client_order_id"] for order in report["orders"] if order["status"] in ("open", "partially-filled", "pending")}
    late = {order["label"]["client"] for order in truth["orders"] if (order["closed_at"] or 0) > until}
    if set(still) - late != open_here - late:
        found.append(f"open there {sorted(still)}, here {sorted(open_here)}")
    return found + _money(report, truth, until)


def _money(report: dict[str, Any], truth: dict[str, Any], until: int) -> list[str]:
    """Once nothing is held on margin, the money is the exchange's to the digit that it tells; nobody asks while executions are still coming."""
    if any(position["closed_at"] is None for position in report["positions"]) or any(f["at"] > until for f in truth["executions"]):
        return []
    ours, theirs = report["account"]["cash"], truth["accounts"]["cash"]
    amounts = ((name, Decimal(ours.get(name, "0")), Decimal(theirs.get(name, "0"))) for name in sorted({*ours, *theirs}))
    return [f"{name}: {mine} here, {other} there" for name, mine, other in amounts if abs(mine - other) > ROUNDED]


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
