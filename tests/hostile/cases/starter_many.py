"""The starter tier, two positions with stops and six entries that rest; the console hangs; flatten.

Right: within its 120 s everything of ours is cancelled and sold once; no position loses its stop
for long without being closed; the exchange is never stormed.
"""

import signal
from pathlib import Path
from typing import Any

import hostile

common = hostile.load(Path(__file__).parents[1] / "common.py")
SYMBOLS = ["BTC/USD", "ETH/USD"]
EXCHANGE = ["--symbols", "BTC/USD,ETH/USD", "--cash", "USD=1000000", "--tier", "starter"]
ENTRIES = {"BTC/USD": "0.7", "ETH/USD": "2"}
LIMITS = {"orders": 60, "burst": 8}  # six entries are asked for within a second
TIER = ("--set", 'account.limits={ tier = "starter" }')


async def drive(run: Any) -> None:
    console = run.console(*run.live(SYMBOLS), *TIER)
    await console.open()
    await console.ask("go_live", account="main")
    await common.buy(console, "0.1")
    await common.buy(console, "2", "ETH/USD")
    for number in range(6):
        terms = {
            "symbol": "BTC/USD",
            "side": "buy",
            "type": "limit",
            "price": str(50000 + number * 100),
        }
        await console.ask(
            "open",
            **terms,
            size={"type": "base", "amount": "0.1"},
            stop={"type": "away", "fraction": "0.05"},
        )
    await console.until(
        lambda view: len([row for row in view["orders"] if row["order"]["side"] == "buy"]) >= 6,
        seconds=60,
    )
    console.send_signal(signal.SIGSTOP)
    await common.flatten(run, console, *TIER, symbols=tuple(SYMBOLS))


def verdict(run: Any) -> list[str]:
    faults = [*common.is_flat(run, "0.1"), *common.is_flat(run, "2", "ETH/USD")]
    for symbol in SYMBOLS:
        bare = [span for span in hostile.naked(run, symbol) if span[1] - span[0] > 15]
        if bare:
            faults.append(
                f"{symbol} had no stop for {bare[0][1] - bare[0][0]:.0f} s while it was being"
                " closed"
            )
    return list(dict.fromkeys(faults))
