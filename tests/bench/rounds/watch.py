"""Looks at the truth again and again: for how long is something of ours held without a stop while
somebody should guard it?
"""

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.bench.rounds.account import Account

LOOK = 0.5
NAKED = 5.0
"""Seconds that a position may be without its stop before somebody must be told."""
SLOWLY = 5.0
"""A process that runs a fifth of the time gets so many times longer."""


class Watch:
    """A thread beside the rounds of one account."""

    def __init__(self, account: "Account") -> None:
        self._account = account
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Look no more."""
        self._stop.set()
        self._thread.join(10)

    def _run(self) -> None:
        since: dict[str, float] = {}
        alone: dict[str, float] = {}
        while not self._stop.wait(LOOK):
            try:
                naked = self._account.place.truth().naked()
            except (
                Exception
            ):  # nothing is there yet, or the exchange is gone: there is nothing to look at
                continue
            now = time.monotonic()
            self._count_exits(naked, alone, now)
            for symbol in [*since]:
                if symbol not in naked:
                    del since[symbol]
            patience = self._patience()
            for symbol, words in naked.items():
                if patience is None:
                    since.pop(symbol, None)
                elif now - since.setdefault(symbol, now) > patience:
                    one = self._account.holder
                    self._account.say(f"the engine says {one.last if one else None}")
                    self._account.fault(
                        "naked",
                        f"{symbol}: {words} without a stop for {now - since[symbol]:.1f} s, no"
                        " alert stands",
                    )
                    del since[symbol]

    def _count_exits(self, naked: dict[str, str], alone: dict[str, float], now: float) -> None:
        """The longest time without a stop while a last exit was at work."""
        for symbol in [*alone]:
            if symbol not in naked or not self._account.exits.at_work:
                self._account.tally.longest(now - alone.pop(symbol))
        if self._account.exits.at_work:
            for symbol in naked:
                alone.setdefault(symbol, now)

    def _patience(self) -> float | None:
        """Seconds that it may last now; None where nobody could do anything, or somebody is
        told.
        """
        one = self._account.holder
        if one is None or one.stopped or not one.holds or one.tells:
            return None
        return NAKED * (SLOWLY if one.slow else 1.0)
