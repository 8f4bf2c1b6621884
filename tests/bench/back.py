"""How long a person is without the position when the console dies: it is killed, a new one is
attached to the engine that goes on, and timed until the position stands on its screen.

    python -m tests.bench.back [--runs N] [--positions P]

On paper with simulated prices, in a real terminal of 120 x 40, file cache warm. Beside the seconds
stand those without what the console waited for a processor (by the kernel's word), which on a busy
machine are the others' doing, and its CPU time.
"""

import argparse
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from tests.bench.processes import FLATOUT, Run
from tests.support.terminal import Terminal

MOST = 1.5
"""Seconds that it may take."""
ROW = re.compile(r"BTC/USD\s+(LONG|long|▲|buy).*", re.IGNORECASE)
"""The position, on the screen."""


def attached(folder: Path) -> tuple[float, float, float]:
    """Attach a console, see the position, and kill it; the seconds, those without its waits for a
    processor, and its CPU seconds.
    """
    began = time.perf_counter()
    terminal = Terminal(folder, *FLATOUT, "attach", "paper")
    try:
        assert terminal.wait_for(ROW, 30), terminal.text
        took = time.perf_counter() - began
        used = psutil.Process(terminal.pid).cpu_times()
        terminal.wait(0.01)  # it looks at what the kernel says, while there is something
        terminal.signal(signal.SIGKILL)
        return took, took - terminal.queued, used.user + used.system
    finally:
        terminal.close()


def main(words: list[str]) -> int:
    """Measure, and print a table; 1 where the median took longer than it may by itself."""
    parser = argparse.ArgumentParser(description="a console that died is back")
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--positions", type=int, default=1)
    told = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="back-") as name:
        folder = Path(name)
        run = Run("child", folder, told.positions)
        try:
            assert run.terminal.wait_for(ROW, 30), run.terminal.text
            run.terminal.signal(signal.SIGKILL)
            run.terminal.wait(5)
            found = [attached(folder) for _ in range(told.runs)]
        finally:
            run.close()
    seconds, alone, used = zip(*found, strict=True)
    print(f"{told.runs} deaths, {told.positions} positions, load {os.getloadavg()[0]:.1f}")
    for name, values in (
        ("back on the position", seconds),
        ("without waits for a processor", alone),
        ("CPU of the console", used),
    ):
        print(f"{name}: median {median(values):.2f} s, {min(values):.2f} to {max(values):.2f} s")
    return int(median(alone) > MOST)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
