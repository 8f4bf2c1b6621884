"""The last way to flat: without the desk, without its journal, with nothing but the venue. For a damaged journal, or a full disk.

What is ours is told by the prefix of the client order ids: our open orders, and the net of our executions. Foreign orders and holdings stay.
"""

from collections.abc import Callable
from decimal import Decimal

from engine.clock import SECOND, Clock
from engine.model.ids import account_prefix, client_order_id
from engine.model.instrument import Instrument, Kind
from engine.model.money import ZERO, plain
from engine.model.order import Order, OrderType, Role, TimeInForce
from engine.model.quote import Quote
from engine.model.report import Picture, VenueReport
from engine.model.request import Cancel, Lane, QueryAccount, Request, Submit
from engine.model.side import Side
from engine.venues.protocol import NotSentError, OutcomeUnknownError, RateLimitedError, Venue

ROUNDS = 120
PAUSE = SECOND // 2


class NotFlatError(Exception):
    """The venue did not say flat in time; the text says what is left."""


class Emergency:
    """Cancels and closes what is ours, by the venue's word alone."""

    def __init__(self, venue: Venue, account: str, clock: Clock, say: Callable[[str], None], since: int = 0) -> None:
        self._venue = venue
        self._account = account
        self._clock = clock
        self._say = say
        self._since = since
        self._began = clock.now()
        self._sent = 0
        self._quotes: dict[str, Quote] = {}

    async def flatten(self) -> None:
        """Until the venue says flat. Raises NotFlatError after a minute of trying."""
        instruments = {instrument.symbol: instrument for instrument in await self._venue.instruments()}
        await self._venue.connect(lambda _: None, self._keep)
        left = "the venue has not answered"
        for _ in range(ROUNDS):
            picture = await self._picture()
            if picture is not None:
                mine = [order for order in picture.orders if order.client_order_id.startswith(account_prefix(self._account))]
                net = self.net(picture, instruments)
                left = f"{len(mine)} orders, holding " + (", ".join(f"{plain(size)} {symbol}" for symbol, size in net.items()) or "nothing")
                if not mine and not net:
                    self._say("the venue says flat")
                    return
                for order in mine:
                    self._say(f"cancel {order.role} {order.side} {plain(order.size)} {order.symbol}")
                    await self._send(Cancel(order.client_order_id, order.symbol, Lane.EMERGENCY, order.venue_order_id, order.touched_at))
                if not mine:
                    await self._close(net, instruments)
            await self._clock.sleep(PAUSE)
        raise NotFlatError(f"not flat: {left}")

    def _keep(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote

    def net(self, picture: Picture, instruments: dict[str, Instrument]) -> dict[str, Decimal]:
        """What our executions left us holding, in whole lots that the venue would take, by symbol."""
        held: dict[str, Decimal] = {}
        for fill in picture.fills:
            instrument = instruments.get(fill.symbol)
            if instrument is not None and fill.client_order_id.startswith(account_prefix(self._account)):
                held[fill.symbol] = held.get(fill.symbol, ZERO) + fill.base_change(instrument)
        for symbol in list(held):
            instrument = instruments[symbol]
            if instrument.kind is not Kind.SPOT:
                held[symbol] = picture.net.get(symbol, ZERO)
            size = instrument.round_size(abs(held[symbol]))
            quote = self._quotes.get(symbol)
            too_small = size < instrument.min_size or (quote is not None and instrument.notional(size, quote.mid) < instrument.min_cost)
            if too_small:
                del held[symbol]
            else:
                held[symbol] = size if held[symbol] > ZERO else -size
        return held

    async def _close(self, net: dict[str, Decimal], instruments: dict[str, Instrument]) -> None:
        for symbol, size in net.items():
            self._sent += 1
            side = Side.SELL if size > ZERO else Side.BUY
            self._say(f"{side} {plain(abs(size))} {symbol} at market")
            derivative = instruments[symbol].kind is not Kind.SPOT
            order = Order(
                client_order_id=client_order_id(self._account, f"emergency-{self._began}", symbol, self._sent),
                position="",
                symbol=symbol,
                side=side,
                type=OrderType.MARKET,
                role=Role.CLOSE,
                size=abs(size),
                time_in_force=TimeInForce.IOC,
                reduce_only=derivative and self._venue.profile.reduce_only,
                deadline=self._clock.now() + 2 * SECOND if self._venue.profile.deadline else None,
            )
            await self._send(Submit(order, Lane.EMERGENCY))

    async def _picture(self) -> Picture | None:
        for answer in await self._send(QueryAccount(self._since, Lane.EMERGENCY)):
            if isinstance(answer, Picture):
                return answer
        return None

    async def _send(self, request: Request) -> tuple[VenueReport, ...]:
        """One request; a failure is told, and the next round asks the venue what became of it."""
        try:
            return await self._venue.send(request)
        except OutcomeUnknownError as error:
            self._say(f"no answer: {error}")
            await self._clock.sleep(3 * SECOND)  # past the order's deadline: it can't arrive any more
        except (NotSentError, RateLimitedError) as error:
            self._say(str(error))
            await self._clock.sleep(SECOND)
        return ()
