"""Where one account lives: its home, its settings file, and the venue behind it, paper or `flatout
exchange`.
"""

import json
import os
import sqlite3
import subprocess
import threading
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from queue import Queue
from random import Random
from typing import Any

from engine.model.limits import Level
from tests.bench.rounds import truth as t
from tests.bench.rounds.spawning import Forked, Nursery
from tui.cli.exchange_parts import SYMBOLS

Json = dict[str, Any]  # whatever is said
D = Decimal
ROOT = Path(__file__).parents[3]
NAME = "killed"
PROFILES = {"paper": "kraken-spot", "spot": "kraken-spot", "futures": "kraken-futures"}
TIERS = ("starter", "intermediate", "pro")
OWN = {"BTC": D("0.5"), "ETH": D(3)}
SETTINGS = """
[account]
name = "{name}"
profile = "{profile}"
lag = {lag}
{more}
[market]
symbols = {symbols}
seed = {seed}
[risk]
max_positions = 50
daily_loss = "1"
max_drawdown = "1"
losing_streak = 0
max_open_risk = "5"
"""


class Place:
    """One account at one venue."""

    def __init__(self, venue: str, folder: Path, random: Random, nursery: Nursery) -> None:
        self.nursery = nursery
        self.venue = venue
        self.folder = folder
        self.profile = PROFILES[venue]
        if venue == "paper" and random.random() < 0.25:
            self.profile = "kraken-futures"
        self.derivatives = self.profile == "kraken-futures"
        self.tier = "" if self.derivatives else random.choice(TIERS)
        self.lag = random.choice((0.0, 1.0, 2.0))
        self.seed = random.randrange(1 << 30)
        self.symbols = SYMBOLS[self.profile][:2]
        self.own: dict[str, Decimal] = {} if self.derivatives else dict(OWN)
        """The owner's coins, as they stand after all deposits and withdrawals."""
        self.home = folder / "home"
        self.home.mkdir(mode=0o700)
        self.settings = folder / "settings.toml"
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith("FLATOUT_")
        }
        self.environment |= {
            "FLATOUT_HOME": str(self.home),
            "FLATOUT_SETTINGS": str(self.settings),
            "PYTHONPATH": str(ROOT),
        }
        self._exchange: Forked | None = None
        self._told: Queue[Json] = Queue()
        self._lock, self._number = threading.Lock(), 0
        self._begin()

    @property
    def cash(self) -> dict[str, str]:
        """What the account holds at first."""
        return {"USD": "1000000", **{name: str(amount) for name, amount in self.own.items()}}

    @property
    def label(self) -> str:
        """Venue, profile and tier."""
        return (
            f"{self.venue}{'/futures' if self.venue == 'paper' and self.derivatives else ''}"
            f" {self.tier or '-'}"
        )

    def _begin(self) -> None:
        more = [f'limits = {{ tier = "{self.tier}" }}'] if self.tier else []
        if self.venue == "paper":
            more += [
                'venue = "paper"',
                "cash = {"
                + ", ".join(f'{name} = "{amount}"' for name, amount in self.cash.items())
                + "}",
            ]
        else:
            words = [self.profile, self.tier, str(self.seed), str(self.lag), json.dumps(self.cash)]
            errors = (self.folder / "exchange.err").open("w")
            self._exchange = self.nursery.spawn(
                "tests.bench.rounds.exchange", words, self.environment, errors
            )
            errors.close()
            ready = json.loads(self._exchange.stdout.readline())
            self.rest = ready["rest"]
            venue = "krakenfutures" if self.derivatives else "kraken"
            more += [f'venue = "{venue}"', f'rest = "{ready["rest"]}"', f'ws = "{ready["ws"]}"']
            self.environment |= {"FLATOUT_KEY": ready["key"], "FLATOUT_SECRET": ready["secret"]}
            threading.Thread(target=self._listen, daemon=True).start()
        text = SETTINGS.format(
            name=NAME,
            profile=self.profile,
            lag=self.lag,
            more="\n".join(more),
            symbols=json.dumps(self.symbols),
            seed=self.seed % 1000,
        )
        self.settings.write_text(text)

    def _listen(self) -> None:
        assert self._exchange is not None
        for line in self._exchange.stdout:
            self._told.put(json.loads(line))

    def do(self, **told: object) -> Any:
        """Have the exchange do something that no client can ask for; its answer."""
        assert self._exchange is not None
        with self._lock:
            self._number += 1
            self._exchange.stdin.write(json.dumps({"number": self._number, **told}) + "\n")
            self._exchange.stdin.flush()
            while (answer := self._told.get(timeout=30))["number"] != self._number:
                pass
            return answer["told"]

    def truth(self) -> t.Truth:
        """The venue's truth now."""
        if self.venue != "paper":
            return t.of_wire(self.rest)
        try:
            return t.of_paper(self.home / NAME / "paper.sqlite")
        except (sqlite3.OperationalError, TypeError):
            if self.known:
                raise
            return t.Truth((), (), {name: D(amount) for name, amount in self.cash.items()}, {})

    @property
    def known(self) -> bool:
        """Whether there is an account at the venue: one on paper begins when an engine was open for
        the first time.
        """
        try:
            return self.venue != "paper" or bool(
                t.levels_of_paper(self.home / NAME / "paper.sqlite")
            )
        except (sqlite3.OperationalError, TypeError):
            return False

    def levels(self, now: int) -> tuple[Level, ...]:
        """The counters of the venue's limit model."""
        if self.venue == "paper":
            return tuple(
                Level(*row) for row in t.levels_of_paper(self.home / NAME / "paper.sqlite")
            )
        return tuple(
            Level(name, used, capacity, now) for name, used, capacity in self.do(do="levels")
        )

    def broken(self, asked: Mapping[str, set[Decimal]]) -> list[tuple[str, str]]:
        """What the truth of now breaks."""
        return t.broken(self.truth(), asked, self.own)

    def command(self, *words: str) -> Forked:
        """The command line as a person types it, as a process."""
        return self.nursery.spawn("tui.cli", ["--account", NAME, *words], self.environment)

    def close(self) -> None:
        """End the exchange."""
        if self._exchange is not None:
            self._exchange.stdin.close()
            try:
                self._exchange.wait(5)
            except subprocess.TimeoutExpired:
                self._exchange.kill()
                self._exchange.wait()
