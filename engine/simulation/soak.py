"""Many stories, in as many processes as there are to spare; what they found, and how much they went through."""

from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from msgspec import Struct, field

from engine.rehearsal.auditor import Violation
from engine.simulation.draw import USUAL, draw
from engine.simulation.play import play
from engine.simulation.stage import Outcome
from engine.simulation.story import Story

CHUNK = 200
"""Steps per task of a process, about."""
FINDINGS = 50
"""So many are kept; more only counted."""


class Finding(Struct):
    """A story that failed."""

    seed: int
    violations: list[Violation]


class Summary(Struct):
    """What many stories came to."""

    stories: int = 0
    intents: int = 0
    decisions: int = 0
    checked: int = 0
    crashes: int = 0
    failed: int = 0
    findings: list[Finding] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    to_flat: Counter[int] = field(default_factory=Counter)
    """Tenths of a simulated second from the key to the venue's word, and how often."""

    def add(self, seed: int, outcome: Outcome) -> None:
        """One more."""
        self.stories += 1
        self.intents += outcome.intents
        self.decisions += outcome.decisions
        self.checked += outcome.checked
        self.crashes += outcome.crashes
        self.counts.update(outcome.counts)
        if outcome.seconds_to_flat is not None:
            self.to_flat[round(outcome.seconds_to_flat * 10)] += 1
        if outcome.violations:
            self.failed += 1
            if len(self.findings) < FINDINGS:
                self.findings.append(Finding(seed, outcome.violations[:5]))

    def merge(self, other: "Summary") -> None:
        """All that another one counted."""
        self.stories += other.stories
        self.intents += other.intents
        self.decisions += other.decisions
        self.checked += other.checked
        self.crashes += other.crashes
        self.failed += other.failed
        self.findings = (self.findings + other.findings)[:FINDINGS]
        self.counts.update(other.counts)
        self.to_flat.update(other.to_flat)

    def flat_at(self, share: float) -> float | None:
        """Seconds to flat at a quantile; None before anything was flattened."""
        wanted = share * self.to_flat.total()
        for tenths, count in sorted(self.to_flat.items()):
            wanted -= count
            if wanted <= 0:
                return tenths / 10
        return None


def run(story: Story) -> Outcome:
    """Play a story; what it dies of is a finding, too."""
    try:
        return play(story)
    except Exception as error:  # a search for the unknown takes whatever comes
        return Outcome(violations=[Violation(0, "0 dies", f"{type(error).__name__}: {error}")])


def chunk(first: int, count: int, steps: int, ingredients: frozenset[str] = USUAL) -> Summary:
    """Some stories, one after the other."""
    summary = Summary()
    for seed in range(first, first + count):
        summary.add(seed, run(draw(seed, steps, ingredients)))
    return summary


def soak(first: int, steps: int, jobs: int, goes_on: Callable[[Summary], bool]) -> Iterator[Summary]:
    """Stories from seed `first` on, until `goes_on` says no; the sum so far, after each chunk."""
    summary, seed, count = Summary(), first, max(1, CHUNK // steps)
    pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    try:
        waiting: set[Future[Summary]] = set()
        more = True
        while more or waiting:
            while more and len(waiting) < 2 * jobs:
                waiting.add(pool.submit(chunk, seed, count, steps))
                seed += count
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                summary.merge(future.result())
            more = more and goes_on(summary)
            yield summary
    finally:
        pool.shutdown(cancel_futures=True)  # also where somebody has had enough
