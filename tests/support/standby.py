"""A drill of fail-over: an exchange in a process, a journal in PostgreSQL, and two engines in homes of
their own, of which one holds the account and the other stands by. The exchange's truth judges.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from engine.account.home import Home
from tests.bench.rounds import truth as t

ROOT = Path(__file__).parents[2]
SYMBOL = "PF_XBTUSD"
NAME = "drilled"
Json = dict[str, Any]  # whatever is said


class Machine:
    """One home and its `flatout serve`."""

    def __init__(self, drill: "Drill", name: str, *words: str) -> None:
        self.home = drill.folder / name
        self.home.mkdir(mode=0o700)
        self._account = Home.at(NAME, self.home)
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tui.cli", *drill.flags, "serve", *words],
            env=drill.environment | {"FLATOUT_HOME": str(self.home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())

    def put(self, question: Json, seconds: float = 10) -> Json:
        with socket.socket(socket.AF_UNIX) as line:
            line.settimeout(seconds)
            line.connect(str(self._account.control))
            line.sendall(json.dumps(question).encode() + b"\n")
            with line.makefile("rb") as answer:
                told: Json = json.loads(answer.readline())
                return told

    def ask(self, kind: str, **fields: Any) -> Json:
        return self.put({"type": "ask", "intent": {"intent": kind, **fields}})

    def view(self) -> Json:
        """What it shows; nothing where nobody answers."""
        try:
            return self.put({"type": "look"})
        except (OSError, ValueError):
            return {}

    @property
    def is_open(self) -> bool:
        view = self.view()
        return bool(view) and not any(r["code"] == "STARTING" for r in view["reasons"])

    @property
    def guards(self) -> bool:
        """Whether it has recovered, and each position has a whole stop at the venue."""
        view = self.view()
        return (
            bool(view)
            and not any(r["code"] == "STARTING" for r in view["reasons"])
            and bool(view["positions"])
            and all(p["protection"] == "venue" for p in view["positions"] if not p["dust"])
        )

    def signal(self, number: int) -> None:
        if self.process.poll() is None:
            self.process.send_signal(number)

    def end(self) -> None:
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        self.process.wait()
        for left in (self._account.control, self._account.session):
            left.unlink(missing_ok=True)  # they may lie outside of the home


def until(true: Callable[[], Any], seconds: float, words: Callable[[], object]) -> float:
    """Wait; the seconds that it took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < seconds, words()
        time.sleep(0.05)
    return time.monotonic() - began


class Drill:
    """Exchange, journal and both machines."""

    def __init__(self, folder: Path, journal: str | None, seed: int, *flags: str) -> None:
        self.folder = folder
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FLATOUT_")
        } | {"FLATOUT_SETTINGS": str(folder / "none.toml"), "PYTHONPATH": str(ROOT)}
        words = ["kraken-futures", "", str(seed), "0", json.dumps({"USD": "1000000"})]
        self.exchange = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.rounds.exchange", *words],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.exchange.stdout is not None
        ready = json.loads(self.exchange.stdout.readline())
        self.rest: str = ready["rest"]
        self.environment |= {"FLATOUT_KEY": ready["key"], "FLATOUT_SECRET": ready["secret"]}
        settings = (
            f"account.name={NAME}", "account.venue=krakenfutures", f"account.rest={ready['rest']}",
            f"account.ws={ready['ws']}", f'market.symbols=["{SYMBOL}"]',
            "risk.max_positions=500", "risk.max_open_risk=5", "account.lag=0",
        )  # fmt: skip
        shared = () if journal is None else (f"journal.url={journal}",)
        self.flags = [word for flag in (*settings, *shared, *flags) for word in ("--set", flag)]
        self.asked: dict[str, set[Decimal]] = defaultdict(set)
        self._trading: threading.Thread | None = None
        self._over = threading.Event()
        self.machines: list[Machine] = []

    def machine(self, name: str, *words: str) -> Machine:
        one = Machine(self, name, *words)
        self.machines.append(one)
        return one

    def trade(self, one: Machine) -> None:
        """Enter again and again, each with another size, until it does not answer."""

        def enter() -> None:
            while not self._over.is_set():
                size = Decimal("0.01") + Decimal("0.0001") * len(self.asked[SYMBOL])
                self.asked[SYMBOL].add(size)
                try:
                    one.ask(
                        "open", id=f"e{size}", symbol=SYMBOL, side="buy",
                        size={"type": "base", "amount": str(size)},
                        stop={"type": "away", "fraction": "0.05"},
                    )  # fmt: skip
                except (OSError, ValueError):
                    return
                time.sleep(0.15)

        self._trading = threading.Thread(target=enter, daemon=True)
        self._trading.start()

    def truth(self) -> t.Truth:
        return t.of_wire(self.rest)

    def broken(self) -> list[tuple[str, str]]:
        """What the exchange says that must not be: orders twice, more sold than bought."""
        return t.broken(self.truth(), self.asked, {})

    def close(self) -> None:
        self._over.set()
        for one in self.machines:
            one.end()
        assert self.exchange.stdin is not None
        self.exchange.stdin.close()
        try:
            self.exchange.wait(10)
        except subprocess.TimeoutExpired:
            self.exchange.kill()
            self.exchange.wait()


def play(drill: Drill, how: str, after: float) -> float:
    """Lose the holder while it trades; the seconds until the other one guards what is held."""
    first = drill.machine("first")
    until(lambda: first.is_open, 60, lambda: first.said)
    assert first.ask("go_live", id="live", account=NAME).get("refusals") in (None, [])
    second = drill.machine("second", "--standby")
    until(lambda: any("held by" in line for line in second.said), 60, lambda: second.said)
    drill.trade(first)
    until(lambda: first.guards, 60, lambda: first.view().get("positions"))
    time.sleep(after)
    first.signal(signal.SIGSTOP if how == "stop" else signal.SIGKILL)
    took = until(
        lambda: second.guards or second.process.poll() is not None,
        90,
        lambda: (second.said, second.view()),
    )
    assert second.process.poll() is None, second.said
    if how == "stop":
        first.signal(signal.SIGCONT)
        until(lambda: first.process.poll() is not None, 30, lambda: first.said)
        assert first.process.returncode == 4, first.said
    time.sleep(2)  # whatever was on its way has come
    assert second.process.poll() is None, second.said
    assert drill.broken() == []
    assert drill.truth().naked() == {}
    return took
