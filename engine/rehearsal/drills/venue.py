"""The paper venue of a drill: what goes wrong there is switched on and off by the script."""

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from msgspec.structs import replace

from engine.clock import SECOND
from engine.exchange import Delay, RateLimit
from engine.model import report as r
from engine.model.limits import levels
from engine.model.order import TRIGGERED, Order, OrderType, Role
from engine.model.quote import Quote, Tick
from engine.model.request import Lane, Request, Submit
from engine.model.side import Side
from engine.venues.paper import PaperVenue
from engine.venues.protocol import OutcomeUnknownError

T = TypeVar("T")

SLOW = Delay(2 * SECOND, 4 * SECOND)
"""How long the ways of a slow venue take."""


class DrillVenue(PaperVenue):
    """A paper venue whose faults begin and end."""

    hung = False
    """Whether requests get no answer and never arrive."""
    frozen = False
    """Whether its prices are not told."""
    post_only = False
    """Whether it takes only orders that rest."""
    skips = 0
    """So many of the next prices are passed over."""
    mute = False
    """Whether what it does is not told: neither by replies nor by the stream."""
    spent = False
    """Whether somebody else uses up the key's limits."""

    def set(self, what: str, *, on: bool) -> None:
        """Begin or end a fault of the script."""
        match what:
            case "hang":
                self.hung = on
            case "freeze-prices":
                self.frozen = on
            case "post-only":
                self._only_posts(on=on)
            case "spend-limits":
                self.spent = on
            case "lose-replies":
                self.mute = on
                self.faults = replace(self.faults, lose_reply=1.0 if on else 0.0)
            case "refuse-stops":
                self.faults = replace(self.faults, reject_stop=1.0 if on else 0.0)
            case "slow":
                self._delay, self._usual = (SLOW, self._delay) if on else (self._usual, SLOW)

    _usual = SLOW

    def _only_posts(self, *, on: bool) -> None:
        """As the live venues tell it."""
        self.post_only = on
        word = "post_only" if on else "online"
        for symbol in self.exchange.instruments:
            self._say(r.MarketMode(symbol, word, not on, self._clock.now()))

    def spend(self) -> None:
        """Another program with the same key asks as much as the venue lets it."""
        now = self._clock.now()
        for level in levels(self.exchange.limits, now):
            counter = self.exchange.limits.counter(level.name)
            if level.free > 0:
                counter.spend(level.free, now)

    def takes_closes(self, symbol: str) -> bool:
        """Whether an order that closes would be taken now: the best that anybody could do."""
        if self.hung or self.post_only:
            return False
        now, limits = self._clock.now(), self.exchange.limits
        close = Order("", "", symbol, Side.SELL, OrderType.MARKET, Role.CLOSE, Decimal(1))
        return all(
            not limits.counter(name).wait(cost, now, 0.0)
            for name, cost in limits.charges(Submit(close, Lane.PROTECT), now)
        )

    def feed(self, tick: Tick) -> None:
        """The next thing that the market says."""
        if self.skips:
            self.skips -= 1
            return
        super().feed(tick)

    async def _carried(self, act: Callable[[], T | RateLimit]) -> T:
        if self.hung:
            await self._clock.sleep(self._timeout)
            raise OutcomeUnknownError("no answer: the venue hangs")
        return await super()._carried(act)

    def _said(self, report: r.VenueReport) -> None:
        if not self.mute:
            super()._said(report)

    def _quoted(self, quote: Quote) -> None:
        if not self.frozen:
            super()._quoted(quote)

    def _refusal(self, request: Request) -> str:
        if self.post_only and isinstance(request, Submit):
            order = request.order
            if order.type not in TRIGGERED and not order.post_only:
                return "EService:Market in post_only mode"
        return super()._refusal(request)
