"""`flatout flatten --yes` as a process: alone, two at once, disturbed in the middle; judged the
moment it ends, and timed.
"""

import signal
import time
from typing import TYPE_CHECKING

from engine.setup import factories
from tests.bench.last_exit import Held, best
from tests.bench.rounds.spawning import Forked
from tests.bench.rounds.truth import DUST, STOPS

if TYPE_CHECKING:
    from tests.bench.rounds.account import Account

ASKED = 3.0
"""Seconds that a hung engine is given to answer."""
PATIENCE = 170.0
"""Seconds after which a last exit hangs: it promises to end within 120 s, and may wait for the
venue before.
"""
CODES = {0: "flat", 1: "not flat, and said so", 2: "unusable", -9: "killed"}


class Exits:
    """The last exits of one account."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self.at_work = 0
        self.unsure = False
        self._taken = 0.0
        self._begin = 0.0
        """Seconds that Python needs to start and to import the command, now."""

    def _started(self) -> float:
        if not self._begin:
            began = time.monotonic()
            one = self._account.place.command("flatten", "--help")
            one.stdout.read()
            one.wait()
            self._begin = time.monotonic() - began
        return self._begin

    def _way(self) -> str:
        one = self._account.holder
        if one is None:
            return "gone"
        if one.stopped:
            return "hung"
        return "slow" if one.slow or not one.is_open else "runs"

    def _best(self, way: str) -> float | None:
        """The best possible from now; None where nothing is held, or where nobody can tell."""
        place = self._account.place
        truth, now = place.truth(), time.time_ns()
        if not place.known:
            return None
        held: Held = [
            (symbol, size, stop[0], stop[1])
            for symbol, size in truth.held().items()
            if size > DUST[symbol]
            for stop in [
                next(
                    (
                        (o.client, o.at)
                        for o in truth.ours()
                        if o.symbol == symbol and o.type in STOPS
                    ),
                    ("", 0),
                )
            ]
        ]
        if not held:
            return None
        profile = factories.profile(place.profile, {"tier": place.tier} if place.tier else {})
        asking = ASKED if way == "hung" else 0.0
        return (
            self._started()
            + asking
            + best(profile, place.levels(now), now, held, place.lag, streams=way == "runs")
        )

    def run(self, count: int, disturbance: str) -> list[int]:
        """Run one or two at once to their end; the exit codes."""
        account, way = self._account, self._way()
        timed = count == 1 and not disturbance and account.weather == "calm" and way != "slow"
        fastest = self._best(way) if timed else None
        account.say(
            f"{count} x flatten --yes; the engine"
            f" {way}{'; then: ' + disturbance if disturbance else ''}; best {fastest}"
        )
        began = time.monotonic()
        self.at_work += 1
        running = [self._popen() for _ in range(count)]
        due = began + account.random.random() * 5 if disturbance else None
        codes: list[int] = []
        while running:
            if due is not None and time.monotonic() > due:
                due = None
                self._disturb(disturbance, running)
            for one in [one for one in running if one.poll() is not None]:
                running.remove(one)
                codes.append(self._ended(one, time.monotonic() - began))
            if time.monotonic() - began > PATIENCE:
                account.fault("hangs", f"a last exit has not ended after {PATIENCE:.0f} s")
                for one in running:
                    one.kill()
            time.sleep(0.01)
        self.at_work -= 1
        if fastest is not None and codes == [0]:
            account.tally.time(account.place.label, way, self._taken, fastest)
            account.say(f"flat after {self._taken:.2f} s, best {fastest:.2f} s")
        return codes

    def _popen(self) -> Forked:
        return self._account.place.command("flatten", "--yes")

    def _ended(self, one: Forked, taken: float) -> int:
        """Judge one that ended just now, by the truth of this moment."""
        account, code = self._account, one.returncode or 0
        left = account.place.truth().left()
        self._taken = taken
        text = one.stdout.read()
        for pipe in (one.stdin, one.stdout):
            pipe.close()
        account.say(f"flatten ended with {code} after {taken:.2f} s; left: {left}\n{text}")
        # coins that the owner brought, and that no engine was told to leave alone: it must not call
        # that flat, and says so
        unsure = "is unattributable" in text
        self.unsure = unsure and not left
        account.tally.exit(
            f"{account.place.venue}:"
            f" {CODES.get(code, code)}{', for coins of the owner' if self.unsure else ''}"
        )
        if code == 0 and left:
            account.fault("false flat", f"exit 0, and left: {left}")
        if code == 1 and not left and account.weather == "calm" and not unsure:
            account.fault("not seen", "exit 1, and nothing is left")
        if code == 1 and "NOT FLAT" not in text:
            account.fault("mute", f"exit 1 without a word: {text[-300:]}")
        if code not in CODES or code == 2 or "Traceback" in text:
            account.fault("unusable", f"exit {code}: {text[-300:]}")
        return code

    def _disturb(self, how: str, running: list[Forked]) -> None:
        account = self._account
        one = account.holder
        account.say(f"meanwhile: {how}")
        if how == "wake":
            account._wake()
        elif how == "start" and (one is None or one.stopped):
            account.start()
        elif how == "kill exit" and running:
            running[0].send_signal(signal.SIGKILL)
        elif how == "kill engine" and one is not None:
            one.signal(signal.SIGKILL)
        elif how == "hang" and one is not None:
            one.signal(signal.SIGSTOP)
