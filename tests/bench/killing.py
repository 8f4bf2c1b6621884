"""Kills, hangs, wakes, restarts, last exits and hand-overs of the pen at random, with faults and
lag, judged by the venue's truth alone.

    python -m tests.bench.killing [--rounds N] [--seed S] [--seconds T] [--venue
    paper|spot|futures|all] [--jobs J] [--keep DIRECTORY]

A round is a few operations on one account and a verdict; an account lives for some rounds, then a
last exit must make it flat. The account of seed S + k plays the same operations again with `--seed
S+k --rounds 20 --jobs 1`; what the operating system does in between is its own. `--keep` keeps the
transcript of each account, and the home of one that broke something.
"""

import argparse
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

from tests.bench.rounds.account import Account
from tests.bench.rounds.spawning import Nursery
from tests.bench.rounds.tally import Tally

ROUNDS = 20
"""Of one account."""
VENUES = ("paper", "spot", "futures")


class Search:
    """Accounts, one after the other, in a few threads."""

    def __init__(
        self, rounds: int, seed: int, seconds: float, venues: tuple[str, ...], keep: Path | None
    ) -> None:
        self.tally, self._nursery = Tally(), Nursery()
        self._left = dict.fromkeys(venues, rounds)
        self._seed, self._keep = seed, keep
        self._until = time.monotonic() + seconds
        self._lock = threading.Lock()

    def _next(self) -> tuple[str, int, int] | None:
        """Venue, seed and rounds of the next account."""
        with self._lock:
            venue = max(self._left, key=lambda name: self._left[name])
            if self._left[venue] <= 0 or time.monotonic() > self._until:
                return None
            count = min(ROUNDS, self._left[venue])
            self._left[venue] -= count
            self._seed += 1
            self.tally.accounts += 1
            return venue, self._seed - 1, count

    def stop(self) -> None:
        """Begin no further round; what is under way ends in order, and is told."""
        self._until = 0.0

    def work(self) -> None:
        """Until there is nothing more to do."""
        while (wanted := self._next()) is not None:
            venue, seed, count = wanted
            account = Account(venue, seed, self.tally, self._nursery, self._keep)
            try:
                for _ in range(count):
                    if time.monotonic() > self._until:
                        break
                    account.play()
                account.finish()
            except Exception:  # of the bench itself: told like a violation, so that nobody takes a broken search for a clean one
                account.fault("bench", traceback.format_exc()[-600:])
            finally:
                account.close()

    def run(self, jobs: int) -> None:
        """All of it, with a line each few seconds."""
        threads = [threading.Thread(target=self.work) for _ in range(jobs)]
        for thread in threads:
            thread.start()
        began, told = time.monotonic(), 0.0
        while any(thread.is_alive() for thread in threads):
            time.sleep(0.2)
            if time.monotonic() - told > 10:
                told = time.monotonic()
                broken = sum(map(len, self.tally.violations.values()))
                print(
                    f"{told - began:.0f} s: {dict(self.tally.rounds)} rounds, {broken} violations",
                    file=sys.stderr,
                    flush=True,
                )
        self._nursery.close()


def main(words: list[str]) -> int:
    """Play, print the tables; 1 where anything was broken."""
    parser = argparse.ArgumentParser(
        description="kills, hangs, last exits and hand-overs at random, judged by the truth"
    )
    parser.add_argument("--rounds", type=int, default=40, help="of each venue")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600.0, help="no round begins later")
    parser.add_argument("--venue", choices=[*VENUES, "all"], default="all")
    parser.add_argument("--jobs", type=int, default=2, help="accounts at once")
    parser.add_argument("--keep", type=Path, help="where to keep what broke")
    told = parser.parse_args(words)
    search = Search(
        told.rounds,
        told.seed,
        told.seconds,
        VENUES if told.venue == "all" else (told.venue,),
        told.keep,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: search.stop())
    search.run(told.jobs)
    print("\n".join(search.tally.lines()))
    return int(bool(search.tally.violations))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
