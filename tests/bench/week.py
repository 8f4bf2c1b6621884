"""Seven days of prices with twenty brackets at full speed: this program, hftbacktest and
nautilus_trader on the same files, in turns.

    python -m tests.bench.week [--rows 1000000] [--days 7] [--runs 3] [--seed 1] [--in FOLDER]

The prices come from the seed: two thirds quotes, one third trades. Each is a process of its own
that begins with the two CSV files; `flatout, imported` begins with what `flatout import` made of
them once. What is compared is the whole process: CPU seconds (the machine is never quiet), the
most memory that it held, and rows by CPU second. The others are installed by pip into environments
of their own below FOLDER (default: a temporary one); one that can't be is said to be missing.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

import msgspec

from tests.bench.clients import Client, environment

PROBES = Path(__file__).parent / "engine_probes"
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 1_704_067_200 * SECOND
BRACKETS, SIZE, STOP, TARGET = 20, 0.1, 0.005, 0.01
OTHERS = (
    (Client("hftbacktest", ("hftbacktest>=2.4,<3",), ""), "hftbacktest_week.py"),
    (Client("nautilus_trader", ("nautilus_trader>=1.221,<1.222",), ""), "nautilus_week.py"),
)
MEGABYTE = 1 << 10
"""Kilobytes, as the kernel counts."""


class Ran(NamedTuple):
    """One process."""

    cpu: float
    wall: float
    megabytes: float


def write_prices(folder: Path, rows: int, days: float, seed: int) -> list[Path]:
    """The two files."""
    chance, price, at = Random(seed), 420_000, START
    step = int(days * DAY) // rows
    paths = [folder / "quotes.csv", folder / "trades.csv"]
    with paths[0].open("w") as quotes, paths[1].open("w") as trades:
        quotes.write("ts_ns,symbol,bid,bid_size,ask,ask_size\n")
        trades.write("ts_ns,symbol,price,size,side\n")
        for number in range(rows):
            at += chance.randint(step // 2, step + step // 2)
            if number % 3 < 2:
                price += chance.choice((-40, -10, -1, 0, 0, 1, 10, 40))
                spread, sizes = chance.choice((1, 1, 2, 5)), chance.choices(range(1, 5_000), k=2)
                quotes.write(
                    f"{at},BTC/USD,{price / 10:.1f},{sizes[0] / 1000:.3f},"
                    f"{(price + spread) / 10:.1f},{sizes[1] / 1000:.3f}\n"
                )
            else:
                side = chance.choice(("buy", "sell"))
                traded = price + (spread if side == "buy" else 0)
                size = chance.randint(1, 500) / 1000
                trades.write(f"{at},BTC/USD,{traded / 10:.1f},{size:.3f},{side}\n")
    return paths


def brackets(days: float) -> list[dict[str, object]]:
    """When each is entered; all to one side, because a netting account holds no two."""
    apart = int(days * DAY) // (BRACKETS + 1)
    return [{"at": START + (number + 1) * apart, "side": "buy"} for number in range(BRACKETS)]


def write_scenario(folder: Path, name: str, files: list[Path], days: float) -> Path:
    """The same for `flatout run`."""
    lines = [
        'name = "a week"',
        "[account]",
        'profile = "kraken-futures"',
        'cash = { USD = "1000000" }',
        "[market]",
        f"files = {msgspec.json.encode([str(path) for path in files]).decode()}",
        'speed = "max"',
        "[settings]",
        f'"risk.max_positions" = {BRACKETS}',
    ]
    for number, one in enumerate(brackets(days)):
        after = (int(str(one["at"])) - START) // SECOND
        what = (
            f'symbol = "BTC/USD", side = "{one["side"]}", type = "market", size = "{SIZE}",'
            f' stop = "{STOP:.1%}", target = "{TARGET:.1%}"'
        )
        lines += ["[[do]]", f'at = "{after}s"', f'id = "b{number}"', f"open = {{ {what} }}"]
    path = folder / f"{name}.toml"
    path.write_text("\n".join(lines) + "\n")
    return path


def ran(command: list[str], folder: Path) -> tuple[Ran, str]:
    """Run one process; what it took, and what it said."""
    environment_ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "FLATOUT_HOME": str(folder / "home"),
    }
    with (folder / "out").open("w+") as out, (folder / "err").open("w+") as err:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, cwd=folder, env=environment_)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            err.seek(0)
            raise RuntimeError(f"{command}: {err.read()[-2_000:]}")
        out.seek(0)
        said = out.read()
    return Ran(used.ru_utime + used.ru_stime, wall, used.ru_maxrss / MEGABYTE), said


class Runner(NamedTuple):
    """One program: its command, and how it tells its fills and how many brackets ended."""

    command: list[str]
    told: Callable[[str], tuple[int, int]]


def of_report(said: str) -> tuple[int, int]:
    """Of `flatout run --report -`: executions of one order at one price count each."""
    report = msgspec.json.decode(said)
    return len(report["fills"]), sum(1 for one in report["positions"] if one["closed_at"])


def of_probe(said: str) -> tuple[int, int]:
    """Of a probe's last line."""
    told = msgspec.json.decode(said.splitlines()[-1])
    return told["fills"], told["closed"]


def runners(
    folder: Path,
    environments: Path,
    paths: list[Path],
    days: float,
    say: Callable[[str], None],
) -> dict[str, Runner]:
    """All that can be run here."""
    flatout = [sys.executable, "-m", "tui.cli"]
    scenario, kept = write_scenario(folder, "csv", paths, days), folder / "kept"
    took, _ = ran([*flatout, "import", *map(str, paths), "-o", str(kept)], folder)
    say(f"flatout import, once: {took.cpu:.1f} s of CPU, {took.megabytes:.0f} MB")
    imported = write_scenario(folder, "imported", [kept], days)
    found = {
        name: Runner([*flatout, "run", str(path), "--report", "-"], of_report)
        for name, path in (("flatout", scenario), ("flatout, imported", imported))
    }
    job = folder / "job.json"
    job.write_bytes(
        msgspec.json.encode(
            {
                "quotes": str(paths[0]),
                "trades": str(paths[1]),
                "brackets": brackets(days),
                "size": SIZE,
                "stop": STOP,
                "target": TARGET,
            }
        )
    )
    for client, probe in OTHERS:
        python, version, trouble = environment(client, environments)
        if trouble:
            say(f"{client.name} can't be installed here: {trouble}")
        else:
            say(f"{client.name} {version}")
            found[client.name] = Runner([str(python), str(PROBES / probe), str(job)], of_probe)
    return found


def main(say: Callable[[str], None] = print) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--days", type=float, default=7)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--in", dest="folder", type=Path, help="where environments are kept")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="flatout-week-") as temporary:
        folder = Path(temporary)
        paths = write_prices(folder, asked.rows, asked.days, asked.seed)
        there = runners(folder, asked.folder or folder, paths, asked.days, say)
        took: dict[str, list[Ran]] = {name: [] for name in there}
        told = dict[str, tuple[int, int]]()
        for turn in range(asked.runs):
            for name in list(there)[:: (1, -1)[turn % 2]]:
                one, said = ran(there[name].command, folder)
                took[name].append(one)
                told[name] = there[name].told(said)
        say(
            f"\n{asked.rows:,} rows in {asked.days:g} days, {BRACKETS} brackets, seed {asked.seed}, {asked.runs} runs\n"
        )
        say("| | CPU s | wall s | MB | rows per CPU s | CPU, ratio | fills | brackets that ended |")
        say("|---|---|---|---|---|---|---|---|")
        cpu = {name: median(one.cpu for one in each) for name, each in took.items()}
        for name, each in took.items():
            wall, megabytes = median(x.wall for x in each), median(x.megabytes for x in each)
            say(
                f"| {name} | {cpu[name]:.1f} | {wall:.1f} | {megabytes:.0f} |"
                f" {asked.rows / cpu[name]:,.0f} | {cpu[name] / cpu['flatout']:.2f} |"
                f" {told[name][0]} | {told[name][1]} |"
            )


if __name__ == "__main__":
    main()
