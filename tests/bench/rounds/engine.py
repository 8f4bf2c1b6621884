"""One engine process of a round, as whoever started it sees it."""

import json
import signal
import subprocess
import threading
import time
from typing import Any

from tests.bench.rounds.place import Place

Json = dict[str, Any]  # whatever it says
FRESH = 3.0
"""Seconds for which what an engine said last still counts as what it says."""
TELLS = frozenset(
    {
        "NAKED", "PARTIAL_STOP", "STOP_REFUSED", "STOP_NOT_FIRING", "STOP_LIMIT_JUMPED", "UNKNOWN_OUTCOME", "UNEXPLAINED",
        "DIFFERENCE", "CLOSE_STUCK", "CLOSE_UNFILLED", "HELD_BACK", "BREAKER", "DISCONNECTED", "JOURNAL_FAILING", "SENT_ON_BOOKS",
        "OVER_CLOSED", "UNKNOWN_ORDER", "SECOND_ENGINE", "RATE_LIMITED", "ORDER_REJECTED", "CANCEL_REFUSED",
    }
)  # fmt: skip
"""Alerts that say that a position may be without its stop, or that nobody can know."""


class Engine:
    """A child process that holds the account, or looks on."""

    def __init__(self, place: Place, number: int, *, take_over: bool = False) -> None:
        self.number = number
        self.stopped = False
        self.slow = False
        self.last: Json = {}
        self.heard = 0.0
        self.woken = time.monotonic()
        self.answers: dict[str, list[str]] = {}
        self.events: list[Json] = []
        self._lock = threading.Lock()
        self._errors = (place.folder / f"engine-{number}.err").open("w")
        words = [str(place.settings), str(place.home), "take-over" if take_over else "-"]
        self.process = place.nursery.spawn(
            "tests.bench.rounds.child", words, place.environment, self._errors
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told = json.loads(line)
            self.heard = time.monotonic()
            if told["event"] == "now":
                self.last = told
            elif told["event"] == "answer":
                self.answers[told["intent"]] = told["refusals"]
            self.events.append(told)

    @property
    def alive(self) -> bool:
        """Whether the process is there, stopped or not."""
        return self.process.poll() is None

    @property
    def is_open(self) -> bool:
        """Whether its session was opened."""
        return any(told["event"] == "open" for told in list(self.events))

    @property
    def holds(self) -> bool:
        """Whether it runs, and holds the account as far as it has said."""
        return self.alive and not self.stopped and bool(self.last) and not self.last["read_only"]

    @property
    def tells(self) -> bool:
        """Whether an alert stands there that somebody may be naked."""
        return time.monotonic() - self.heard < FRESH and bool(
            TELLS.intersection(self.last.get("alerts", ()))
        )

    @property
    def ready(self) -> bool:
        """Whether entries are open."""
        return self.holds and not self.last["reasons"] and self.last["feeds"] > 0

    def put(self, **told: object) -> None:
        """Tell it to do something; a dead one is told nothing."""
        assert self.process.stdin is not None
        try:
            with self._lock:
                self.process.stdin.write(json.dumps(told) + "\n")
                self.process.stdin.flush()
        except (OSError, ValueError):
            pass

    def intent(self, kind: str, **fields: object) -> None:
        """Ask for an intent within 3 s, as a key press does."""
        self.put(
            do="ask", intent={"intent": kind, "not_after": time.time_ns() + 3_000_000_000, **fields}
        )

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it is still there."""
        if self.alive:
            self.process.send_signal(number)
            if number in (signal.SIGSTOP, signal.SIGCONT):
                self.stopped = number is signal.SIGSTOP
                self.woken = time.monotonic()

    def until(self, true: Any, seconds: float) -> bool:
        """Whether it became so in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if true():
                return True
            if not self.alive:
                return bool(true())
            time.sleep(0.05)
        return False

    def end(self, *, kill: bool) -> int:
        """End it, in order or not; its exit code."""
        self.slow = False
        if self.alive:
            self.signal(signal.SIGCONT)
            self.signal(signal.SIGKILL if kill else signal.SIGTERM)
        try:
            self.process.wait(25)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._reader.join(5)
        for pipe in (self.process.stdin, self.process.stdout, self._errors):
            try:
                if pipe is not None:
                    pipe.close()
            except OSError:
                pass
        return self.process.returncode or 0
