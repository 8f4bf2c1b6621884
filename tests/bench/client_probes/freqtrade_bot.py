"""freqtrade, live, with its stop on the exchange: it buys, protects, and sells. What it did is read
from the exchange's own books.
"""

import json
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from probe import KEY, REST, SECRET, WS, tell, until

STRATEGY = """
from freqtrade.strategy import IStrategy

class Buyer(IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "1m"
    minimal_roi = {}
    stoploss = -0.05
    startup_candle_count = 0
    process_only_new_candles = False
    use_exit_signal = True
    order_types = {"entry": "market", "exit": "market", "stoploss": "market", "stoploss_on_exchange": True, "stoploss_on_exchange_interval": 60}

    def populate_indicators(self, dataframe, metadata):
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe["enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_exit(self, pair, trade, current_time, current_rate, current_profit, **kwargs):
        return "over" if (current_time - trade.open_date_utc).total_seconds() > 30 else None
"""
STREAMS = {
    "public": f"{WS}/v1",
    "private": f"{WS}/auth/v1",
    "publicV2": f"{WS}/v2",
    "privateV2": f"{WS}/auth/v2",
}
CONFIG: dict[str, Any] = {
    "max_open_trades": 1,
    "stake_currency": "USD",
    "stake_amount": 500,
    "dry_run": False,
    "initial_state": "running",
    "entry_pricing": {"price_side": "other", "use_order_book": False},
    "exit_pricing": {"price_side": "other", "use_order_book": False},
    "exchange": {
        "name": "kraken",
        "key": KEY,
        "secret": SECRET,
        "ccxt_config": {"urls": {"api": {"public": REST, "private": REST, "ws": STREAMS}}},
        "pair_whitelist": ["BTC/USD"],
    },
    "pairlists": [{"method": "StaticPairList"}],
    "internals": {"process_throttle_secs": 3},
}


def orders() -> list[dict[str, Any]]:
    """All that the exchange was sent."""
    with urllib.request.urlopen(f"{REST}/truth?requests=false", timeout=10) as answer:
        told: list[dict[str, Any]] = json.load(answer)["orders"]
    return told


def of(kind: str, side: str, *statuses: str) -> list[dict[str, Any]]:
    """Orders of a type and side that stand so."""
    return [
        order
        for order in orders()
        if (order["type"], order["side"]) == (kind, side) and order["status"] in statuses
    ]


def main() -> None:
    """Let it trade for two minutes at most."""
    Path("buyer.py").write_text(STRATEGY)
    Path("config.json").write_text(json.dumps(CONFIG))
    program = str(Path(sys.executable).with_name("freqtrade"))
    subprocess.run(
        [program, "create-userdir", "--userdir", "user_data"], check=True, capture_output=True
    )
    command = [
        program,
        "trade",
        "--config",
        "config.json",
        "--strategy",
        "Buyer",
        "--strategy-path",
        ".",
    ]
    with (
        Path("log.txt").open("w") as log,
        subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT) as bot,
    ):
        try:
            bought = until(lambda: of("market", "buy", "filled"), 90)
            tell("buys", ok=bool(bought))
            tell(
                "stop on the exchange",
                ok=bool(
                    bought
                    and until(
                        lambda: of("stop", "sell", "open") + of("stop-limit", "sell", "open"), 30
                    )
                ),
            )
            tell("sells", ok=bool(bought and until(lambda: of("market", "sell", "filled"), 90)))
            gone = until(
                lambda: of("stop", "sell", "cancelled") + of("stop-limit", "sell", "cancelled"), 20
            )
            tell("ends the stop", ok=bool(bought and gone))
        finally:
            bot.terminate()
            bot.wait(30)
    lines = Path("log.txt").read_text().splitlines()
    wrong = [line for line in lines if " ERROR " in line or "Exception" in line or "Error:" in line]
    tell(
        "without an error in its log",
        ok=not wrong,
        detail="; ".join(wrong[-3:]) or (lines[-1] if not bought else ""),
    )
    time.sleep(0.1)


if __name__ == "__main__":
    main()
