"""One account, round after round: what happens to it, drawn from a seed, and who watches."""

import json
import shutil
import signal
import socket
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

from engine.account.home import Home
from tests.bench.rounds.engine import Engine
from tests.bench.rounds.exits import Exits
from tests.bench.rounds.place import NAME, Place
from tests.bench.rounds.spawning import Nursery
from tests.bench.rounds.storms import STORMS
from tests.bench.rounds.tally import Tally
from tests.bench.rounds.truth import DUST, ENTERS
from tests.bench.rounds.watch import Watch

D = Decimal
WEIGHTS = {
    "open": 10, "close": 2, "kill": 3, "hang": 3, "wake": 3, "slow": 1, "stop": 1, "start": 4, "take over": 1, "hand over": 1,
    "flatten": 3, "two exits": 1, "disturbed exit": 2, "foreign": 1, "withdraw": 1, "deposit": 1, "weather": 2, "status": 1,
}  # fmt: skip
FIRST = {"BTC": D("0.01"), "ETH": D("0.3")}
STEP = {"BTC": D("0.0001"), "ETH": D("0.001")}
UNTOUCHED = frozenset({"STARTING", "UNEXPLAINED"})
"""Reasons that the operator of these rounds does not clear by hand while anything of ours is held.
"""


class Account:
    """One account and the processes around it."""

    def __init__(
        self, venue: str, seed: int, tally: Tally, nursery: Nursery, keep: Path | None
    ) -> None:
        self.random = Random(f"{venue} {seed}")
        self.folder = Path(tempfile.mkdtemp(prefix="rounds-"))
        self.name = f"{venue} seed {seed}"
        self.tally, self._keep = tally, keep
        self.place = Place(venue, self.folder, self.random, nursery)
        self.engines: list[Engine] = []
        self.asked: dict[str, set[Decimal]] = defaultdict(set)
        self.weather = "calm"
        self.round = 0
        self.bad = False
        self._count, self._told = 0, set[tuple[str, str]]()
        self._lines: list[str] = []
        self._began = time.monotonic()
        self.watch = Watch(self)
        self.exits = Exits(self)
        self.say(f"{self.name}: {self.place.label} lag {self.place.lag}")

    # Who is who

    def say(self, text: str) -> None:
        """One line of the transcript."""
        self._lines.append(
            f"{time.time():.3f} {time.monotonic() - self._began:8.2f} round {self.round}: {text}"
        )

    def fault(self, kind: str, words: str) -> None:
        """Something that must not be, once."""
        if (kind, words) in self._told:
            return
        self._told.add((kind, words))
        if not self.bad and self._keep is not None:  # as it is now: what follows may hide it
            now = self._keep / f"{self.name.replace(' ', '-')}-then"
            shutil.copytree(
                self.folder, now, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock")
            )
            (now / "transcript.txt").write_text("\n".join(self._lines))
        self.bad = True
        self.say(f"VIOLATION {kind}: {words}")
        self.tally.violation(kind, f"{self.name} ({self.place.label}) round {self.round}: {words}")

    @property
    def holder(self) -> Engine | None:
        """The engine that has the account or is about to have it, stopped or not."""
        found = [
            one for one in self.engines if one.alive and (not one.last or not one.last["read_only"])
        ]
        return found[-1] if found else None

    def start(self, *, take_over: bool = False) -> Engine:
        """A new engine process."""
        self._count += 1
        one = Engine(self.place, self._count, take_over=take_over)
        self.say(
            f"engine {one.number} is process"
            f" {one.process.pid}{' and asks for the account' if take_over else ''}"
        )
        self.engines.append(one)
        return one

    # One round

    def play(self) -> None:
        """A few operations and a verdict."""
        self.round += 1
        if self.round == 1 or (self.holder is None and self.random.random() < 0.7):
            self._start()
        if (one := self.holder) is not None and not one.stopped:
            self._ready(one, 6.0)
        names = self.random.choices(
            list(WEIGHTS), list(WEIGHTS.values()), k=self.random.randint(3, 6)
        )
        for name in names:
            operation: Callable[[], bool | None] = getattr(self, "_" + name.replace(" ", "_"))
            if operation() is not False:
                self.tally.operation(self.place.venue, name)
            time.sleep(self.random.random() * 0.5)
        self.verdict()
        self.tally.round(self.place.venue)

    def verdict(self) -> None:
        """Judge by the truth of now."""
        for kind, words in self.place.broken(self.asked):
            self.fault(kind, words)
        for one in list(self.engines):
            if not one.alive:
                self.say(f"engine {one.number} is gone ({one.end(kill=True)})")
                self.engines.remove(one)

    def _ready(self, one: Engine, seconds: float) -> bool:
        """Whether entries are open, after the operator did what a person would."""
        end, tried = time.monotonic() + seconds, set[str]()
        while time.monotonic() < end and one.alive and not one.stopped and not one.ready:
            for reason in one.last.get("reasons", ()):
                if reason in tried or (
                    reason in UNTOUCHED and (reason == "STARTING" or self.place.truth().left())
                ):
                    continue
                tried.add(reason)
                self.say(f"the operator clears {reason}")
                name = f"o{self._next()}"
                fields = {"account": NAME} if reason == "LOOKING" else {"reason": reason}
                one.intent("go_live" if reason == "LOOKING" else "resume", id=name, **fields)
            time.sleep(0.1)
        if not one.ready:
            self.say(
                f"entries wait: {one.last.get('reasons')}, {one.last.get('alerts')},"
                f" {one.last.get('differs')}"
            )
        return one.ready

    def _next(self) -> int:
        self._count += 1
        return self._count

    # Operations; False where there was nothing to do

    def _start(self) -> bool:
        if self.holder is not None:
            return False
        one = self.start()
        if self.random.random() < 0.85:
            one.until(lambda: one.holds and "STARTING" not in one.last["reasons"], 15.0)
            self._ready(one, 5.0)
        return True

    def _open(self) -> bool:
        one = self.holder
        if one is None or one.stopped or not one.ready:
            return False
        symbol = self.random.choice(self.place.symbols)
        coin = "BTC" if "BTC" in symbol or "XBT" in symbol else "ETH"
        size = FIRST[coin] + STEP[coin] * len(self.asked[symbol])
        self.asked[symbol].add(size)
        away = D(self.random.choice((5, 10, 30, 50))) / 1000
        self.say(f"open {size} {symbol}, stop {away} away")
        fields = {
            "size": {"type": "base", "amount": str(size)},
            "stop": {"type": "away", "fraction": str(away)},
        }
        one.intent("open", id=f"e{self._next()}", symbol=symbol, side=ENTERS[symbol], **fields)
        return True

    def _close(self) -> bool:
        one = self.holder
        if one is None or not one.holds or not one.last["positions"]:
            return False
        position = self.random.choice(one.last["positions"])
        self.say(f"close {position}")
        one.intent("close", id=f"c{self._next()}", position=position[0])
        return True

    def _kill(self) -> bool:
        return self._ended(kill=True)

    def _stop(self) -> bool:
        return self._ended(kill=False)

    def _ended(self, *, kill: bool) -> bool:
        one = self.holder
        if one is None:
            return False
        self.say(f"{'kill' if kill else 'end'} engine {one.number}")
        code = one.end(kill=kill)
        self.engines.remove(one)
        if not kill and code != 0 and one.is_open:
            self.say(f"engine {one.number} ended with {code}")
        return True

    def _hang(self) -> bool:
        one = self.holder
        if one is None or one.stopped:
            return False
        self.say(f"SIGSTOP engine {one.number}")
        one.slow = False
        one.signal(signal.SIGSTOP)
        return True

    def _wake(self) -> bool:
        woken = [one for one in self.engines if one.alive and one.stopped]
        for one in woken:
            self.say(f"SIGCONT engine {one.number}")
            one.signal(signal.SIGCONT)
        return bool(woken)

    def _slow(self) -> bool:
        one = self.holder
        if one is None or one.stopped or one.slow:
            return False
        self.say(f"engine {one.number} is slow from now on")
        one.slow = True
        threading.Thread(
            target=_crawl, args=(one, time.monotonic() + 4 + 8 * self.random.random()), daemon=True
        ).start()
        return True

    def _take_over(self) -> bool:
        before = self.holder
        if before is None:
            return False
        one = self.start(take_over=True)
        one.until(lambda: one.is_open or not one.alive, 20.0)
        self.say(
            f"taken over: {one.is_open}, the first {'is stopped' if before.stopped else 'looks on'}"
        )
        for old in [
            old for old in self.engines if old is not one and old.alive and not old.stopped
        ]:
            if self.random.random() < 0.7 and one.is_open:
                old.end(kill=self.random.random() < 0.5)
                self.engines.remove(old)
        return True

    def _hand_over(self) -> bool:
        one = self.holder
        if one is None or not one.is_open:
            return False
        self.say(f"ask engine {one.number} for the pen by its socket")
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(3.0)
                line.connect(str(Home(self.place.home / NAME, create=False).control))
                line.sendall(json.dumps({"type": "hand-over", "who": "a round"}).encode() + b"\n")
                self.say(f"it says {line.recv(4096).decode(errors='replace').strip()[:200]}")
        except OSError as error:
            self.say(f"it does not answer: {error}")
        if self.random.random() < 0.6:
            self.start()
        return True

    def _flatten(self) -> None:
        self.exits.run(1, "")

    def _two_exits(self) -> None:
        self.exits.run(2, "")

    def _disturbed_exit(self) -> None:
        self.exits.run(
            self.random.choice((1, 1, 2)),
            self.random.choice(("wake", "kill engine", "hang", "kill exit", "start", "start")),
        )

    def owner(self, **told: object) -> bool:
        """Something that the owner or the weather does at the venue."""
        if self.place.venue != "paper":
            self.place.do(**told)
            return True
        one = self.holder
        if one is None or not one.holds or one.slow:
            return False
        number = self._next()
        one.put(number=number, **told)
        return one.until(
            lambda: any(said.get("number") == number for said in list(one.events)), 5.0
        )

    def _move(self, sign: int) -> bool:
        if not self.place.own:
            return False
        coin = self.random.choice(sorted(self.place.own))
        amount = self.place.own[coin] * D(self.random.randint(1, 30)) / 100
        if self.place.venue == "paper" and self.holder is None:
            return False
        self.say(f"the owner {'takes' if sign > 0 else 'brings'} {amount} {coin}")
        after = self.place.own[coin] - sign * amount
        if sign > 0:
            # less may be there from now on, whether or not it is answered
            self.place.own[coin] = after
        done = self.owner(do="withdraw", currency=coin, amount=str(sign * amount))
        if done and sign < 0:
            self.place.own[coin] = after
        return done

    def _withdraw(self) -> bool:
        return self._move(1)

    def _deposit(self) -> bool:
        return self._move(-1)

    def _foreign(self) -> bool:
        symbol = self.random.choice(self.place.symbols)
        price = "1000" if "BTC" in symbol or "XBT" in symbol else "50"
        self.say(f"somebody else rests an order for {symbol}")
        return self.owner(
            do="foreign", name=f"other{self._next()}", symbol=symbol, size="0.05", price=price
        )

    def _weather(self) -> bool:
        self.weather = self.random.choice(("calm", "calm", *STORMS))
        self.say(f"the weather is {self.weather}")
        return self.owner(do="faults", faults=self.weather, lag=self.place.lag)

    def _status(self) -> bool:
        """The command says whether anybody watches."""
        alone = self.holder is None and not self.exits.at_work
        one = self.place.command("status")
        text = one.stdout.read()
        code = one.wait()
        for pipe in (one.stdin, one.stdout):
            pipe.close()
        self.say(f"status says {code}: {text.splitlines()[:1]}")
        held = [symbol for symbol, size in self.place.truth().held().items() if size > DUST[symbol]]
        if alone and self.holder is None and held and code == 0:
            self.fault("status", f"{held} held, no engine runs, and status exits 0: {text[:200]}")
        if "Traceback" in text:
            self.fault("traceback", text[-300:])
        return True

    # The end

    def finish(self) -> None:
        """Fair weather, everybody awake, and flat."""
        self._wake()
        self.owner(do="faults", faults="calm", lag=self.place.lag)
        self.weather = "calm"
        for _ in range(3):
            if 0 in self.exits.run(1, "") or self.exits.unsure:
                break
        else:
            self.fault(
                "never flat", f"three last exits in fair weather: {self.place.truth().left()}"
            )
        self.verdict()

    def close(self) -> None:
        """End every process, and keep what shows a violation."""
        self.watch.close()
        for one in self.engines:
            one.end(kill=True)
        self.place.close()
        if self._keep is not None:
            target = self._keep / self.name.replace(" ", "-")
            target.mkdir(parents=True, exist_ok=True)
            if self.bad:
                shutil.copytree(
                    self.folder, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.sock")
                )
            (target / "transcript.txt").write_text("\n".join(self._lines))
        shutil.rmtree(self.folder, ignore_errors=True)


def _crawl(one: Engine, until: float) -> None:
    """Let a process run a fifth of the time."""
    while one.slow and one.alive and time.monotonic() < until:
        one.process.send_signal(signal.SIGSTOP)
        time.sleep(0.4)
        if one.alive and not one.stopped:
            one.process.send_signal(signal.SIGCONT)
        time.sleep(0.1)
    one.slow = False
