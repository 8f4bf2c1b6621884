"""A recorded week with brackets in hftbacktest: `python hftbacktest_week.py JOB`.

Runs in an environment of its own; reads the job (see `tests.bench.week`) and prints what it did as
one line of JSON. hftbacktest has no stop orders: the strategy looks at each feed.
"""

import json
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

np: Any = import_module("numpy")
polars: Any = import_module("polars")
njit: Any = import_module("numba").njit
hft: Any = import_module("hftbacktest")
types: Any = import_module("hftbacktest.types")

JOB = json.loads(Path(sys.argv[1]).read_text())
BOTH = types.EXCH_EVENT | types.LOCAL_EVENT
GONE = 0.0


def events() -> Any:
    """Quotes as changes of two levels, trades as they are, in order of time."""
    quotes = polars.read_csv(JOB["quotes"])
    trades = polars.read_csv(JOB["trades"])
    bid, ask = quotes["bid"].to_numpy(), quotes["ask"].to_numpy()
    sides = []
    for price, size, side in (
        (bid, quotes["bid_size"].to_numpy(), types.BUY_EVENT),
        (ask, quotes["ask_size"].to_numpy(), types.SELL_EVENT),
    ):
        moved = np.nonzero(price[1:] != price[:-1])[0] + 1
        at = quotes["ts_ns"].to_numpy()
        sides.append(
            (at[moved], price[moved - 1], np.zeros(len(moved)), side, types.DEPTH_EVENT, 0)
        )
        sides.append((at, price, size, side, types.DEPTH_EVENT, 1))
    buys = (trades["side"] == "buy").to_numpy()
    for taker, side in ((buys, types.BUY_EVENT), (~buys, types.SELL_EVENT)):
        rows = (trades[name].to_numpy()[taker] for name in ("ts_ns", "price", "size"))
        sides.append((*rows, side, types.TRADE_EVENT, 2))
    found = np.zeros(sum(len(one[0]) for one in sides), dtype=types.event_dtype)
    order, begin = np.zeros(len(found), dtype=np.int64), 0
    for at, price, size, side, kind, rank in sides:
        part = found[begin : begin + len(at)]
        part["ev"], part["exch_ts"], part["local_ts"] = BOTH | side | kind, at, at
        part["px"], part["qty"] = price, size
        order[begin : begin + len(at)] = rank
        begin += len(at)
    return found[np.lexsort((order, found["local_ts"]))]


@njit  # type: ignore[untyped-decorator]  # it is not installed here
def play(hbt: Any, times: Any, signs: Any, size: float, stop: float, target: float) -> int:
    """Enter at each time, leave at a stop or a target; how many left."""
    entries, states = np.zeros(len(times)), np.zeros(len(times))
    next_one, left, name = 0, 0, 1
    while True:
        if hbt.wait_next_feed(False, 10**18) == 1:
            break
        bid, ask = hbt.depth(0).best_bid, hbt.depth(0).best_ask
        while next_one < len(times) and hbt.current_timestamp >= times[next_one]:
            if signs[next_one] > 0:
                hbt.submit_buy_order(0, name, ask, size, 0, 1, False)
                entries[next_one] = ask
            else:
                hbt.submit_sell_order(0, name, bid, size, 0, 1, False)
                entries[next_one] = bid
            states[next_one] = 1
            next_one += 1
            name += 1
        for number in range(next_one):
            if states[number] == 1:
                price = bid if signs[number] > 0 else ask
                gain = (price / entries[number] - 1) * signs[number]
                if gain <= -stop or gain >= target:
                    if signs[number] > 0:
                        hbt.submit_sell_order(0, name, bid, size, 0, 1, False)
                    else:
                        hbt.submit_buy_order(0, name, ask, size, 0, 1, False)
                    states[number] = 2
                    left += 1
                    name += 1
    return left


def main() -> None:
    began = time.perf_counter()
    data = events()
    read = time.perf_counter()
    asset = (
        hft.BacktestAsset()
        .data(data)
        .linear_asset(1.0)
        .constant_order_latency(0, 0)
        .risk_adverse_queue_model()
        .partial_fill_exchange()
        .trading_value_fee_model(0.0025, 0.004)
        .tick_size(0.1)
        .lot_size(0.001)
        .last_trades_capacity(0)
    )
    hbt = hft.HashMapMarketDepthBacktest([asset])
    times = np.array([one["at"] for one in JOB["brackets"]])
    signs = np.array([1.0 if one["side"] == "buy" else -1.0 for one in JOB["brackets"]])
    closed = play(hbt, times, signs, JOB["size"], JOB["stop"], JOB["target"])
    done = time.perf_counter()
    trades = int(hbt.state_values(0).num_trades)
    hbt.close()
    told = {"read": read - began, "play": done - read, "fills": trades, "closed": int(closed)}
    print(json.dumps(told))


if __name__ == "__main__":
    main()
