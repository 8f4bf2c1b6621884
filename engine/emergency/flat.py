"""One venue, brought to flat: puts a run together."""

from collections.abc import Callable, Collection, Iterable

from msgspec.structs import replace

from engine.account.pen import AlwaysPermit
from engine.account.summary import Summary
from engine.clock import SECOND, Clock
from engine.emergency.budget import Budget
from engine.emergency.closing import Closing, Result
from engine.emergency.guarding import Terms
from engine.emergency.marking import Marker
from engine.emergency.ours import Ours
from engine.gate import Permit
from engine.model.instrument import Instrument, Kind
from engine.venues.parts import PartedVenue
from engine.venues.protocol import OutcomeUnknownError, Venue, VenueError

SECONDS = 120.0
"""The most that a run takes."""
DELAY = 0.5
"""Seconds by which one request may take longer to arrive than the next, for the limit model of a
live venue.
"""


class NotFlatError(Exception):
    """The venue did not say flat in time; the text says what is left."""


async def close_account(
    venue: Venue,
    account: str,
    clock: Clock,
    say: Callable[[str], None],
    *,
    summary: Summary | None,
    permit: Permit,
    lag: int,
    marker: Marker | None = None,
    all_of: Collection[str] = (),
    any_price: bool = False,
    coins: bool = True,
    currency: str = "",
    seconds: float = SECONDS,
) -> Result:
    """Close everything of ours at a venue. Raises VenueError where it says nothing at all."""
    if not isinstance(venue, PartedVenue):
        raise OutcomeUnknownError(f"{venue.name} can't be asked for parts of a picture")
    until = clock.now() + int(seconds * SECOND)
    instruments = {one.symbol: one for one in await venue.instruments()}
    ours = Ours(account, summary, None if marker is None else marker.before)
    parts = venue.parts()
    if missing := [symbol for symbol in ours.symbols if symbol not in instruments]:
        try:
            await parts.widen(missing)
            instruments = {one.symbol: one for one in await venue.instruments()}
        except VenueError as error:
            say(f"{', '.join(missing)}: {error}")
    budget = Budget(venue.profile.limit_model(DELAY if venue.live else 0.0), clock, until)
    counters = () if summary is None else summary.counters
    budget.start(counters, ours.symbols or tuple(instruments))
    currencies = {currency, *_money(instruments.values(), known=summary is not None)} - {""}
    terms = Terms(account=account, lag=lag, until=until, any_price=any_price, all_of=all_of)
    terms = replace(terms, coins=coins, currencies=currencies)
    closing = Closing(venue, parts, ours, permit, budget, marker, instruments, clock, terms, say)
    return await closing.run()


def _money(instruments: Iterable[Instrument], *, known: bool) -> set[str]:
    """Currencies that are money, and nothing to sell. A coin that is traded, too, is that only
    where the home says what of it was there.
    """
    listed = tuple(instruments)
    traded = {one.base for one in listed if one.kind is Kind.SPOT}
    return {one.quote for one in listed} - (set() if known else traded)


class Emergency:
    """Cancels and closes what is ours, by the venue's word alone: for whoever has a venue, and no
    home to read.
    """

    def __init__(
        self,
        venue: Venue,
        account: str,
        clock: Clock,
        say: Callable[[str], None],
        summary: Summary | None = None,
        lag: int = 0,
    ) -> None:
        self._venue = venue
        self._account = account
        self._clock = clock
        self._say = say
        self._summary = summary
        self._lag = lag

    async def flatten(self) -> None:
        """Until the venue says flat. Raises NotFlatError where it does not."""
        permit = _Beating(self._clock)
        result = await close_account(
            self._venue,
            self._account,
            self._clock,
            self._say,
            summary=self._summary,
            permit=permit,
            lag=self._lag,
        )
        for line in result.lines:
            self._say(line)
        if not result.flat:
            raise NotFlatError("; ".join(result.lines))


class _Beating(AlwaysPermit):
    """The pen of a world that nobody else can reach, and that does not stand still."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock.now())

    def _late(self, now: int) -> bool:
        del now
        return False
