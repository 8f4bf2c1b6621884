"""What all accounts count together, and the tables that are printed of it."""

import sys
import threading
from collections import Counter, defaultdict
from statistics import median, quantiles


class Tally:
    """Counts, from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.rounds: Counter[str] = Counter()
        self.operations: dict[str, Counter[str]] = defaultdict(Counter)
        self.exits: Counter[str] = Counter()
        self.violations: dict[str, list[str]] = defaultdict(list)
        self.times: dict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        self.naked = 0.0
        self.accounts = 0

    def round(self, venue: str) -> None:
        """One more."""
        with self._lock:
            self.rounds[venue] += 1

    def operation(self, venue: str, name: str) -> None:
        """One that was really done."""
        with self._lock:
            self.operations[name][venue] += 1

    def exit(self, words: str) -> None:
        """How a last exit ended."""
        with self._lock:
            self.exits[words] += 1

    def violation(self, kind: str, words: str) -> None:
        """Something that must not be."""
        with self._lock:
            self.violations[kind].append(words)
            print(f"{kind}: {words}", file=sys.stderr, flush=True)

    def time(self, label: str, way: str, taken: float, best: float) -> None:
        """Seconds from the call to flat, and the best possible."""
        with self._lock:
            self.times[label, way].append((taken, best))

    def longest(self, seconds: float) -> None:
        """A time without a stop while a last exit worked."""
        with self._lock:
            self.naked = max(self.naked, seconds)

    @property
    def done(self) -> int:
        """Rounds, all venues."""
        return sum(self.rounds.values())

    def lines(self) -> list[str]:
        """The tables."""
        venues = sorted(self.rounds)
        lines = [f"{'':<24}" + "".join(f"{venue:>10}" for venue in venues)]
        lines.append(f"{'rounds':<24}" + "".join(f"{self.rounds[venue]:>10}" for venue in venues))
        for name, counts in sorted(self.operations.items()):
            lines += [f"{name:<24}" + "".join(f"{counts[venue]:>10}" for venue in venues)]
        lines += [
            "",
            (
                f"accounts {self.accounts}; longest without a stop while a last exit worked:"
                f" {self.naked:.1f} s"
            ),
            "last exits ended:",
        ]
        lines += [f"  {words:<44}{count:>6}" for words, count in sorted(self.exits.items())]
        lines += ["", f"violations: {sum(map(len, self.violations.values()))}"]
        for kind, found in sorted(self.violations.items()):
            lines.append(f"  {kind}: {len(found)}")
            lines += [f"    {words}" for words in found[:20]]
        return [*lines, "", *self._times()]

    def _times(self) -> list[str]:
        head = f"{'from the call to flat, s':<28}{'the engine':<10}{'runs':>6}{'best p50':>10}{'p50':>8}{'p99':>8}{'ratio p50':>11}{'p99':>7}"
        lines = [head]
        for (label, way), found in sorted(self.times.items()):
            taken, ratios = [one for one, _ in found], [one / best for one, best in found]
            best = median(one for _, one in found)
            row = f"{best:>10.2f}{median(taken):>8.2f}{_top(taken):>8.2f}{median(ratios):>11.2f}{_top(ratios):>7.2f}"
            lines.append(f"{label:<28}{way:<10}{len(found):>6}{row}")
        return lines


def _top(values: list[float]) -> float:
    """The 99th percentile."""
    return quantiles(values, n=100, method="inclusive")[98] if len(values) > 1 else values[0]
