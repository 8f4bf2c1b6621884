"""One process against two: CPU, memory, and how late the engine's loop is, with the console painting
quietly and in bursts (the terminal's size changes ten times a second).

    python -m tests.bench.processes [--seconds S] [--runs N] [--positions P]

Runs of both kinds alternate, on paper with simulated prices, in a real terminal of 120 x 40. How
late the loop is: how long the control socket takes for `hello`, asked every 20 ms, less the least
that it ever took.
"""

import argparse
import fcntl
import json
import os
import signal
import socket
import struct
import sys
import tempfile
import termios
import time
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

from tests.support.terminal import Terminal

FLATOUT = (sys.executable, "-m", "tui.cli", "--fps", "10")
SYMBOLS = ("BTC/USD", "ETH/USD", "SOL/USD", "XRP/USD")
PAUSE = 0.02
SIZES = ((40, 120), (24, 80))


class Run:
    """One console, with its engine inside or beside it."""

    def __init__(self, kind: str, folder: Path, positions: int) -> None:
        self.terminal = Terminal(
            folder, *FLATOUT, "--engine", kind, "--set", "risk.max_positions=200",
            "--set", "risk.max_open_risk=5",
        )  # fmt: skip
        self.terminal.ready()
        self.engine = int(self.terminal.put({"type": "hello"})["pid"])
        for number in range(positions):
            self.terminal.put(
                {
                    "type": "ask",
                    "intent": {
                        "intent": "open", "id": f"o{number}", "symbol": SYMBOLS[number % 4],
                        "side": "buy", "size": {"type": "notional", "amount": "200"},
                        "stop": {"type": "away", "fraction": "0.05"},
                    },
                }
            )  # fmt: skip
        self.terminal.until(lambda: len(self.terminal.look()["positions"]) >= positions, 90)
        self._processes = [psutil.Process(pid) for pid in {self.terminal.pid, self.engine}]

    def measure(self, seconds: float, *, bursts: bool) -> dict[str, float]:
        """CPU as a share of a core, memory in MB, lateness in ms."""
        before, late = self._cpu(), list[float]()
        began, turn = time.monotonic(), 0
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(str(self.terminal.control))
            answers = line.makefile("rb")
            while time.monotonic() - began < seconds:
                at = time.perf_counter()
                line.sendall(b'{"type":"hello"}\n')
                json.loads(answers.readline())
                late.append((time.perf_counter() - at) * 1e3)
                turn += 1
                if bursts and turn % 5 == 0:
                    self._resize(SIZES[turn // 5 % 2])
                time.sleep(PAUSE)
        took = time.monotonic() - began
        least, parts = min(late), quantiles(late, n=100)
        return {
            "cpu %": (self._cpu() - before) / took * 100,
            "PSS MB": sum(one.memory_full_info().pss for one in self._processes) / 1e6,
            "late p50 ms": parts[49] - least,
            "late p99 ms": parts[98] - least,
            "late max ms": max(late) - least,
        }

    def _cpu(self) -> float:
        return sum(one.cpu_times().user + one.cpu_times().system for one in self._processes)

    def _resize(self, size: tuple[int, int]) -> None:
        fcntl.ioctl(self.terminal.fd, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.terminal.signal(signal.SIGWINCH)

    def close(self) -> None:
        """End both."""
        self.terminal.close()
        if self.engine != self.terminal.pid:
            os.kill(self.engine, signal.SIGKILL)


def main(words: list[str]) -> int:
    """Alternate, and print the medians."""
    parser = argparse.ArgumentParser(description="one process against two")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--positions", type=int, default=10)
    told = parser.parse_args(words)
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for number in range(told.runs * 2):
        kind = ("embedded", "child")[number % 2]
        with tempfile.TemporaryDirectory(prefix="processes-") as folder:
            run = Run(kind, Path(folder), told.positions)
            try:
                for how in ("quiet", "bursts"):
                    row = run.measure(told.seconds, bursts=how == "bursts")
                    found.setdefault((how, kind), []).append(row)
            finally:
                run.close()
    for (how, kind), rows in found.items():
        line = ", ".join(f"{name} {median(row[name] for row in rows):.1f}" for name in rows[0])
        print(f"{how:7} {kind:9} {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
