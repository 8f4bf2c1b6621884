"""What fees cost this account, by the exchange's own answer.

Asked for once somebody listens, and again each hour: the tier moves with what is traded in thirty
days. Where it can't be asked (a key that may not look at funds, an exchange that does not answer),
nothing is told, and the engine goes by its last fills and the profile.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.venues.protocol import VenueError

AGAIN = 3_600 * SECOND
RETRY = 300 * SECOND
"""After an answer that did not come, or could not be read."""
LANE = 5
HUNDRED = Decimal(100)


async def watch(
    ask: Callable[[], Awaitable[Sequence[r.FeesTold]]],
    tell: Callable[[r.FeesTold], None],
    clock: Clock,
) -> None:
    """Ask for ever, and tell each answer."""
    while True:
        try:
            told = await ask()
        except (VenueError, LookupError, TypeError, ValueError, ArithmeticError):
            told = ()
        for report in told:
            tell(report)
        await clock.sleep(AGAIN if told else RETRY)


def percent(text: object) -> Decimal:
    """A rate that is told in percent. Raises ArithmeticError for what is no number."""
    return Decimal(str(text)) / HUNDRED


def at_volume(tiers: Iterable[Mapping[str, Any]], volume: Decimal) -> Mapping[str, Any]:
    """The tier of a futures schedule that a volume is in. Raises ValueError where there is none."""
    reached = [tier for tier in tiers if Decimal(str(tier["usdVolume"])) <= volume]
    return max(reached, key=lambda tier: Decimal(str(tier["usdVolume"])))


def told(symbol: str, maker: object, taker: object, at: int) -> r.FeesTold:
    """A report of two rates in percent."""
    return r.FeesTold(symbol, percent(maker), percent(taker), at)
