"""How many rows a second files of prices are read with: ours as CSV and after `flatout import`,
beside pandas, polars and pyarrow reading the same file, where they are installed.

    python -m tests.bench.reading [--rows 1000000] [--rounds 3]

Ours makes a tick of each row: times and exact decimals that were checked. The others make columns
of floats, on all cores, and check nothing. The file is of Binance's shape; its numbers are a random walk.
"""

import argparse
import importlib
import random
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from engine.market import RecordedMarket
from engine.market.importing import imported

START = 1_704_067_200_000
"""2024-01-01 00:00 UTC, in milliseconds."""
SEED = 5
OTHERS = ("pandas", "polars", "pyarrow")


def written(folder: Path, rows: int) -> Path:
    """A file of aggregate trades, without a header."""
    chance, price, at = random.Random(SEED), 4_200_000, START
    path = folder / "BTCUSDT-aggTrades-2024-01.csv"
    with path.open("w") as file:
        for number in range(rows):
            price += chance.choice((-1, 0, 0, 1))
            at += int(chance.expovariate(1 / 50))
            size = 10 ** chance.uniform(-4, 1)
            side = "true" if chance.random() < 0.5 else "false"
            file.write(
                f"{number},{price / 100:.2f},{size:.5f},{number},{number},{at},{side},true\n"
            )
    return path


def ours(path: Path) -> int:
    """Play a file to its end, as fast as it is read."""
    market = RecordedMarket([path])
    deque(market, maxlen=0)
    return market.trades


def another(name: str) -> Callable[[Path], int]:
    """How another library reads it. Raises ImportError where it is not installed."""
    module = importlib.import_module(name if name != "pyarrow" else "pyarrow.csv")
    if name == "pandas":
        return lambda path: len(module.read_csv(path, header=None))
    if name == "polars":
        return lambda path: len(module.read_csv(path, has_header=False))
    options = module.ReadOptions(autogenerate_column_names=True)
    return lambda path: int(module.read_csv(path, read_options=options).num_rows)


def rate(read: Callable[[Path], int], path: Path, rounds: int) -> float:
    """Rows per second of this process's time, the best of some rounds."""
    found = []
    for _ in range(rounds):
        began = time.process_time()
        rows = read(path)
        found.append(rows / (time.process_time() - began))
    return max(found)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = written(Path(folder), asked.rows)
        print(f"{asked.rows:,} aggregate trades, {path.stat().st_size / 1e6:,.1f} MB")
        print(f"ours, CSV            {rate(ours, path, asked.rounds):>14,.0f} rows/s")
        kept = Path(folder) / "kept"
        began = time.process_time()
        (made,) = imported([path], kept)
        took = time.process_time() - began
        size = made.path.stat().st_size
        print(f"ours, import         {asked.rows / took:>14,.0f} rows/s, {size / 1e6:,.1f} MB")
        print(f"ours, imported       {rate(ours, made.path, asked.rounds):>14,.0f} rows/s")
        for name in OTHERS:
            try:
                read = another(name)
            except ImportError:
                print(f"{name:<20} not installed")
                continue
            print(f"{name + ', CSV':<20} {rate(read, path, asked.rounds):>14,.0f} rows/s")


if __name__ == "__main__":
    main()
