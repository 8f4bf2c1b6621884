"""Consoles and an engine as real processes, and what happens to them at random: kills, stops,
stalled terminals, cut and stopped lines of a far console. The exchange's truth judges.

    python -m tests.bench.attending [--minutes M] [--seed S]

One console has the engine as its child, one is attached through the stand-in for ssh, and a third
client trades all the while, each intent with an id and a deadline of three seconds. Nothing may be
entered twice, or without having been asked, and no more may be closed than was held; at the end
everything must become flat, by F9 at the console where the engine does not answer, and meanwhile
nothing of ours may be naked once the engine has recovered. Whoever reads that the engine failed too
often leaves and opens another console. Prints what was done, what was answered, and how long a new console took until it showed
the position (`--minutes 60` is the soak of the issue).
"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from decimal import Decimal
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import psutil

from engine.account.home import Home
from engine.account.running import running
from engine.model.intent import (
    AnyIntent,
    Away,
    Base,
    ClosePosition,
    Flatten,
    GoLive,
    OpenBracket,
    Resume,
)
from engine.model.side import Side
from engine.session.attached import AttachedSession
from engine.session.client import ControlError
from tests.support.standby import NAME, ROOT, SYMBOL, Drill
from tests.support.terminal import ENTER, ESCAPE, Terminal
from tui.flows.flatten import WORD

SSH = f"{sys.executable} {ROOT / 'tests' / 'support' / 'far.py'}"
FLATOUT = (sys.executable, "-m", "tui.cli")
F9 = b"\x1b[20~"
D = Decimal
OPERATIONS = {
    "kill engine": 3, "stop engine": 3, "kill console": 3, "stop console": 2, "stall terminal": 2,
    "kill line": 3, "stop line": 3, "stop far console": 1, "kill far console": 2,
}  # fmt: skip


class Soak:
    """Everything that runs, and what became of it."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = Random(seed)
        self.folder = folder
        self.drill = Drill(folder, None, seed)
        self.home = Home.at(NAME, folder / "f")
        self.env = self.drill.environment | {"FLATOUT_SSH_COMMAND": SSH}
        self.consoles: dict[str, Terminal] = {}
        self.done: Counter[str] = Counter()
        self.answered: Counter[str] = Counter()
        self.back: list[float] = []
        self.blocked: Counter[str] = Counter()
        self.broken: list[str] = []
        self._later: set[asyncio.Task[None]] = set()
        self._waking: set[asyncio.Task[None]] = set()
        self._number = 0

    # Processes

    def console(self, kind: str) -> None:
        """Open one where there is none."""
        old = self.consoles.get(kind)
        if old is not None and old.alive:
            if "the engine failed" not in old.text:
                return
            self.done["open it again"] += 1
        if old is not None:
            old.close()
        words = ("--engine", "child") if kind == "near" else ("attach", f"ssh://desk/{NAME}")
        self.consoles[kind] = Terminal(
            self.folder, *FLATOUT, *self.drill.flags, *words, env=self._env()
        )
        self._keep(self._watch(self.consoles[kind], kind))

    def _env(self) -> dict[str, str]:
        return {name: value for name, value in self.env.items() if name.startswith("FLATOUT")} | {
            "FLATOUT_HOME": str(self.folder / "f")
        }

    async def _watch(self, terminal: Terminal, kind: str) -> None:
        """How long it takes until it shows a position; not counted where its engine began with it,
        or nothing was held.
        """
        fresh, began = self.engine == 0, time.monotonic()
        while time.monotonic() - began < 20 and terminal.alive:
            if "LONG" in terminal.text:
                if not fresh:
                    self.back.append(time.monotonic() - began)
                return
            await asyncio.sleep(0.05)
        del kind

    @property
    def engine(self) -> int:
        """The engine's process; 0 where there is none."""
        holder = running(self.home.folder)
        return holder.pid if holder is not None else 0

    def _line(self) -> int:
        far = self.consoles.get("far")
        with contextlib.suppress(psutil.Error):
            if far is not None and far.alive:
                found = psutil.Process(far.pid).children()
                return found[0].pid if found else 0
        return 0

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    # What happens

    def strike(self) -> None:
        """One operation."""
        name = self.random.choices(list(OPERATIONS), list(OPERATIONS.values()))[0]
        verb, _, what = name.partition(" ")
        if what == "terminal":
            near = self.consoles["near"]
            if near.alive:
                near.stall()
                self.done[name] += 1
                self._wake(near.read_on)
            return
        pid = {
            "engine": self.engine,
            "line": self._line(),
            "console": self._pid("near"),
            "far console": self._pid("far"),
        }[what]
        if pid:
            self.done[name] += 1
            self._signal(pid, signal.SIGKILL if verb == "kill" else signal.SIGSTOP)
            if verb == "stop":
                self._wake(lambda: self._signal(pid, signal.SIGCONT))

    def _pid(self, kind: str) -> int:
        found = self.consoles.get(kind)
        return found.pid if found is not None and found.alive else 0

    @staticmethod
    def _signal(pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _wake(self, how: Callable[[], None]) -> None:
        async def wake() -> None:
            try:
                await asyncio.sleep(self.random.uniform(0.5, 8))
            finally:
                how()

        task = asyncio.get_running_loop().create_task(wake())
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    # The client that trades

    async def session(self) -> AttachedSession:
        """A line to the engine, once there is one."""
        while True:
            try:
                return await AttachedSession.open(
                    self.home.session, "the engine", "trade", name="the bench"
                )
            except ControlError:
                await asyncio.sleep(0.2)

    async def trade(self, session: AttachedSession) -> None:
        """One intent, and whatever a person does about a live account that was started again."""
        view = session.view()
        for reason in view.reasons:
            self.blocked[reason.code] += 1
            if reason.code == "LOOKING":
                await self._ask(session, GoLive(id=self._name("live"), account=NAME))
            elif reason.code not in ("STARTING", "UNEXPLAINED"):
                await self._ask(session, Resume(id=self._name("r"), reason=reason.code))
        held = [p for p in view.positions if not p.dust and not p.closing]
        if held and self.random.random() < 0.4:
            position = self.random.choice(held)
            await self._ask(session, ClosePosition(id=self._name("c"), position=position.id))
            return
        size = D("0.01") + D("0.0001") * len(self.drill.asked[SYMBOL])
        self.drill.asked[SYMBOL].add(size)
        stop = Away(D("0.05"))
        await self._ask(
            session,
            OpenBracket(
                id=self._name("e"), symbol=SYMBOL, side=Side.BUY, size=Base(size), stop=stop
            ),
        )

    def _name(self, begins: str) -> str:
        self._number += 1
        return f"{begins}{self._number}"

    async def _ask(self, session: AttachedSession, intent: AnyIntent) -> bool:
        """Whether it is known what became of it."""
        try:
            answer = await session.ask(intent)
        except ControlError:
            self.answered["not known"] += 1
            return False
        kind = "taken" if answer.ok else answer.refusals[0].code
        self.answered["taken, asked twice" if answer.repeated else str(kind)] += 1
        return True

    def _f9(self) -> None:
        """At the near console: the sheet on top is left, unless it asks for F9 once more; then the
        word. Where the engine is gone, or has not answered, that is the last exit.
        """
        near = self.consoles["near"]
        if "past the engine, to the exchange itself   " not in near.text:
            near.send(ESCAPE, 1)
        near.send(F9, 0)
        if near.wait_for(f"type {WORD}", 5):
            near.send(WORD.encode(), 0.3)
            near.send(ENTER, 5)
            past = "PAST THE ENGINE" in near.text
            self.done["F9, past the engine" if past else "F9"] += 1

    # The verdict

    async def judge(self, session: AttachedSession) -> None:
        """By the truth of now."""
        for kind, words in await asyncio.to_thread(self.drill.broken):
            text = f"{kind}: {words}"
            if text not in self.broken:
                self.broken.append(text)
                print(f"VIOLATION {text}", flush=True)
        del session

    async def play(self, seconds: float) -> None:
        """All of it."""
        self.console("near")
        session = await self.session()
        until, strike, look = time.monotonic() + seconds, 0.0, 0.0
        while (now := time.monotonic()) < until:
            for kind in ("near", "far"):
                if self.random.random() < 0.3:
                    self.console(kind)
            if now > strike:
                strike = now + self.random.uniform(1, 4)
                self.strike()
            if now > look:
                look = now + 5
                await self.judge(session)
            await self.trade(session)
            await asyncio.sleep(self.random.uniform(0.1, 0.6))
        await self._settle(session)
        await session.close()

    async def _settle(self, session: AttachedSession) -> None:
        """Everything wakes; what is held is guarded, then flat."""
        if self._waking:
            await asyncio.wait(self._waking)
        self.console("near")
        until, naked = time.monotonic() + 60, {"?": "?"}
        while naked and time.monotonic() < until:
            await asyncio.sleep(1)
            naked = (await asyncio.to_thread(self.drill.truth)).naked()
        self.broken += [f"naked for a minute: {words} {symbol}" for symbol, words in naked.items()]
        left, until = ["?"], time.monotonic() + 90
        while left and time.monotonic() < until:
            if not await self._ask(session, Flatten(id=self._name("f"))):
                self.console("near")
                await asyncio.to_thread(self._f9)
            await asyncio.sleep(3)
            left = (await asyncio.to_thread(self.drill.truth)).left()
        self.broken += [f"not flat: {line}" for line in left]
        await self.judge(session)

    def close(self) -> None:
        """End what runs."""
        pid = self.engine
        for console in self.consoles.values():
            console.close()
        for one in {pid, self.engine} - {0}:
            self._signal(one, signal.SIGCONT)
            self._signal(one, signal.SIGKILL)
        self.drill.close()

    def lines(self) -> list[str]:
        """What is printed."""
        found = [f"done: {dict(self.done)}", f"answers: {dict(self.answered)}"]
        found.append(f"entries waited for: {dict(self.blocked)}")
        found.append(f"executions at the exchange: {len(self.drill.truth().executions)}")
        if self.back:
            rest = f"median {median(self.back):.2f} s, longest {max(self.back):.2f} s"
            found.append(f"a new console shows the position: {rest} ({len(self.back)} times)")
        return [*found, f"{len(self.broken)} violations", *self.broken]


def main(words: list[str]) -> int:
    """Soak, print; 1 where anything was broken."""
    parser = argparse.ArgumentParser(description="consoles and an engine, struck at random")
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="attending-") as folder:
        soak = Soak(Path(folder), told.seed)
        try:
            asyncio.run(soak.play(told.minutes * 60))
            print("\n".join(soak.lines()))
        finally:
            soak.close()
    return int(bool(soak.broken))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
