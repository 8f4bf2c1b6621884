"""What a soak came to."""

from collections import Counter

from msgspec import Struct, field

from engine.rehearsal.auditor import Violation
from engine.rehearsal.simulation.stage import Outcome

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
