"""The last way to flat: without the desk, without its journal, with nothing but the venue. For a damaged journal, or a full disk.

What is ours is told by the prefix of the client order ids: our open orders, and the net of our executions. Foreign orders and holdings stay.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.desk.ordering import tradable
from engine.model.fill import Fill
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
DEADLINE = 4 * SECOND
"""No exchange that we know refuses one so far away; after it an order can't arrive any more."""


LIMITED = 5 * SECOND
"""Before an exchange is asked again whose limits were reached: a picture is several questions."""
OVERLAP = 60 * SECOND
"""Executions may be listed late by so much."""


class NotFlatError(Exception):
    """The venue did not say flat in time; the text says what is left."""


class Held(Struct, frozen=True):
    """What is to be closed of a symbol: signed, in whole lots."""

    symbol: str
    size: Decimal
    leverage: Decimal | None
    """That of a spot pair on margin: only an order that names one closes it."""


class Emergency:
    """Cancels and closes what is ours, by the venue's word alone."""

    def __init__(self, venue: Venue, account: str, clock: Clock, say: Callable[[str], None], since: int = 0) -> None:
        self._venue = venue
        self._account = account
        self._clock = clock
        self._say = say
        self._since = since
        self._fills: dict[str, Fill] = {}
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
                held = self.held(picture, instruments)
                left = f"{len(mine)} orders, holding " + (", ".join(f"{plain(one.size)} {one.symbol}" for one in held) or "nothing")
                if not mine and not held:
                    self._say("the venue says flat")
                    return
                for order in mine:
                    self._say(f"cancel {order.role} {order.side} {plain(order.size)} {order.symbol}")
                    await self._send(Cancel(order.client_order_id, order.symbol, Lane.EMERGENCY, order.venue_order_id, order.touched_at))
                if not mine:
                    await self._close(held, instruments)
            await self._clock.sleep(PAUSE)
        raise NotFlatError(f"not flat: {left}")

    def _keep(self, quote: Quote) -> None:
        self._quotes[quote.symbol] = quote

    def held(self, picture: Picture, instruments: dict[str, Instrument]) -> list[Held]:
        """What our executions left us holding, as far as the venue would take it; what is on margin, by the venue's word."""
        ours: dict[str, Decimal] = {}
        for fill in self._fills.values():
            instrument = instruments.get(fill.symbol)
            if instrument is not None and fill.client_order_id.startswith(account_prefix(self._account)):
                ours[fill.symbol] = ours.get(fill.symbol, ZERO) + fill.base_change(instrument)
        held = []
        for symbol, size in ours.items():
            instrument, on_margin = instruments[symbol], picture.net.get(symbol, ZERO)
            if instrument.kind is Kind.SPOT:
                there = picture.balances.get(instrument.base, ZERO)
                owed = min(there, ZERO)  # coins are owed only where the venue lends them as they are
                coins = max(min(size - on_margin, there), owed)
                held += [Held(symbol, on_margin, instrument.closing_leverage), Held(symbol, coins, None)]
            else:
                held.append(Held(symbol, on_margin, None))
        lots = [replace(one, size=instruments[one.symbol].round_size(abs(one.size)).copy_sign(one.size)) for one in held]
        return [one for one in lots if tradable(instruments[one.symbol], abs(one.size), self._mid(one.symbol))]

    def _mid(self, symbol: str) -> Decimal | None:
        quote = self._quotes.get(symbol)
        return None if quote is None else quote.mid

    async def _close(self, held: list[Held], instruments: dict[str, Instrument]) -> None:
        for one in held:
            self._sent += 1
            side = Side.SELL if one.size > ZERO else Side.BUY
            self._say(f"{side} {plain(abs(one.size))} {one.symbol} at market")
            derivative = instruments[one.symbol].kind is not Kind.SPOT
            order = Order(
                client_order_id=client_order_id(self._account, f"emergency-{self._began}", one.symbol, self._sent),
                position="",
                symbol=one.symbol,
                side=side,
                type=OrderType.MARKET,
                role=Role.CLOSE,
                size=abs(one.size),
                time_in_force=TimeInForce.IOC,
                reduce_only=one.leverage is not None or (derivative and self._venue.profile.reduce_only),
                leverage=one.leverage,
                deadline=self._clock.now() + DEADLINE if self._venue.profile.deadline else None,
            )
            await self._send(Submit(order, Lane.EMERGENCY))

    async def _picture(self) -> Picture | None:
        """The account; of the executions, after the first time only the new ones are asked for."""
        for answer in await self._send(QueryAccount(self._since, Lane.EMERGENCY, on_margin=True)):
            if isinstance(answer, Picture):
                if answer.since > self._since:
                    self._say("the venue tells no more executions: what was bought before the oldest of them is not closed")
                self._fills |= {fill.execution_id: fill for fill in answer.fills}
                self._since = max(self._since, answer.as_of - OVERLAP)
                return answer
        return None

    async def _send(self, request: Request) -> tuple[VenueReport, ...]:
        """One request; a failure is told, and the next round asks the venue what became of it."""
        try:
            return await self._venue.send(request)
        except OutcomeUnknownError as error:
            self._say(f"no answer: {error}")
            await self._clock.sleep(DEADLINE + SECOND if isinstance(request, Submit) else SECOND)  # past its deadline an order can't arrive any more
        except RateLimitedError as error:
            self._say(str(error))
            await self._clock.sleep(LIMITED)
        except NotSentError as error:
            self._say(str(error))
            await self._clock.sleep(SECOND)
        return ()
