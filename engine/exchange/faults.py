"""What can go wrong between us and a venue, with probabilities per request or report, drawn from
one seed.
"""

import math
from random import Random

from msgspec import Struct


class Delay(Struct, frozen=True):
    """How long a way takes: log-normal, nanoseconds."""

    p50: int
    p99: int

    def draw(self, random: Random) -> int:
        """One way."""
        if not self.p50:
            return 0
        # the 99th percentile of a standard normal
        sigma = math.log(max(self.p99, self.p50) / self.p50) / 2.3263
        return int(self.p50 * math.exp(random.gauss(0.0, 1.0) * sigma))


class Interval(Struct, frozen=True):
    """Something that happens again and again, nanoseconds."""

    every: int
    lasts: int

    def is_on(self, since: int) -> bool:
        """Whether it lasts at this time after the beginning; the first one comes after one
        interval.
        """
        return since >= self.every and since % self.every < self.lasts


class Faults(Struct, frozen=True):
    """Probabilities from 0 to 1; none of them by default."""

    lose_reply: float = 0.0
    """The venue acted, the answer is lost."""
    lose_request: float = 0.0
    """It never arrived."""
    duplicate_report: float = 0.0
    reorder_reports: float = 0.0
    reject_stop: float = 0.0
    """A stop order is refused."""
    delay: Delay | None = None
    """Replaces the venue's own."""
    disconnect: Interval | None = None
    rest_lag: int = 0
    """Pictures of the account are this old, nanoseconds."""
    rate_limit_storm: Interval | None = None
