"""The weather at the venue: named sets of faults, each with the lag of its views."""

from msgspec.structs import replace

from engine.clock import SECOND
from engine.exchange import Delay, Faults
from engine.exchange.faults import Interval

STORMS: dict[str, Faults] = {
    "calm": Faults(),
    "lossy": Faults(lose_reply=0.1, lose_request=0.05, delay=Delay(50_000_000, 400_000_000)),
    "slow": Faults(delay=Delay(400_000_000, 1_500_000_000)),
    "broken": Faults(disconnect=Interval(7 * SECOND, SECOND), lose_reply=0.02),
    "stubborn": Faults(reject_stop=0.3),
    "storm": Faults(rate_limit_storm=Interval(9 * SECOND, 2 * SECOND)),
}


def faults(name: str, lag: float) -> Faults:
    """The faults of a name, with views that are `lag` seconds old."""
    return replace(STORMS[name], rest_lag=int(lag * SECOND))
