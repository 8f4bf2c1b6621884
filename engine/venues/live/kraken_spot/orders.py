"""Orders at Kraken spot: placed, amended, cancelled; and what its answers mean."""

from typing import Any

from msgspec.structs import replace

from engine.model import report as r
from engine.model.order import Order, Status
from engine.model.request import Amend, Cancel
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.forms import Forms
from engine.venues.protocol import OutcomeUnknownError, RefusedError

GONE = ("EOrder:Unknown order", "EGeneral:Invalid arguments:txid")
DUPLICATE = "cl_ord_id"


class SpotOrders:
    """Sends for one account."""

    def __init__(self, venue: SpotBase, forms: Forms) -> None:
        self._venue = venue
        self._forms = forms

    async def submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        name = order.client_order_id
        try:
            told = await self._placed(order, lane)
        except RefusedError as error:
            self._venue.modes.refused(order.symbol, str(error))
            return (
                r.Rejected(
                    name, str(error), self._venue.clock.now(), duplicate=DUPLICATE in str(error)
                ),
            )
        identities = told.get("txid") if isinstance(told, dict) else None
        if not identities:
            raise OutcomeUnknownError("an answer without an order id")
        self._venue.known.keep(_with(order, str(identities[0])))
        return (r.Accepted(name, str(identities[0]), self._venue.clock.now()),)

    async def _placed(self, order: Order, lane: int) -> Any:
        """Send an order; where the exchange refuses it for the time alone, once more. Raises
        RefusedError, or like `send`.
        """
        in_time = await self._venue.clocks.settle(order)
        try:
            return await self._added(order, lane, in_time=in_time)
        except RefusedError as error:
            again = await self._venue.clocks.refused(order, str(error)) if in_time else None
            if again is None:
                raise
        return await self._added(order, lane, in_time=again)

    async def _added(self, order: Order, lane: int, *, in_time: bool) -> Any:
        """AddOrder; an exit once more without an optional field that is refused. Raises
        RefusedError, or like `send`.
        """
        while True:
            fields = self._forms.fields(order, in_time=in_time)
            fields = self._venue.vetoes.without(fields) if order.is_exit else fields
            try:
                return await self._venue.private_call("private_post_addorder", fields, lane)
            except RefusedError as error:
                if not (order.is_exit and self._venue.vetoes.names(fields, str(error))):
                    raise

    async def amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        fields = self._about(request.client_order_id, request.venue_order_id)
        for name, value in (
            ("order_qty", request.size),
            ("limit_price", request.price),
            ("trigger_price", request.trigger),
        ):
            if value is not None:
                fields[name] = f"{value:f}"
        try:
            await self._venue.private_call("private_post_amendorder", fields, request.lane)
        except RefusedError as error:
            self._venue.modes.refused(request.symbol, str(error))
            return (r.AmendRejected(request.client_order_id, str(error), self._venue.clock.now()),)
        known = self._venue.known.order(request.client_order_id)
        if known is None:
            raise OutcomeUnknownError(
                "amended an order whose terms are not known: it must be asked for"
            )
        size = known.size if request.size is None else request.size
        price = known.price if request.price is None else request.price
        trigger = known.trigger if request.trigger is None else request.trigger
        self._venue.known.amended(
            replace(known, size=size, price=price, trigger=trigger), self._venue.clock.now()
        )
        return (r.Amended(request.client_order_id, size, price, trigger, self._venue.clock.now()),)

    async def cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]:
        name = request.client_order_id
        try:
            told = await self._venue.private_call(
                "private_post_cancelorder", self._about(name, request.venue_order_id), request.lane
            )
        except RefusedError as error:
            return (
                r.CancelRejected(
                    name, str(error), self._venue.clock.now(), gone=str(error).startswith(GONE)
                ),
            )
        if told.get("pending") or not int(told.get("count", 0)):
            raise OutcomeUnknownError("the exchange has not cancelled it yet")
        self._venue.known.ended(name, self._venue.clock.now())
        return (r.Cancelled(name, None, "User requested", self._venue.clock.now()),)

    def _about(self, client: str, venue_id: str | None) -> dict[str, str]:
        """How a request names an order: by the exchange's id where it is known, for ours may be
        used again.
        """
        found = venue_id or self._venue.known.venue_id_of(client)
        return {"txid": found} if found else {"cl_ord_id": client}


def _with(order: Order, identity: str) -> Order:
    return replace(order, venue_order_id=identity, status=Status.OPEN)
