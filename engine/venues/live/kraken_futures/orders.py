"""Orders at Kraken Futures: placed, edited, cancelled; and what its answers mean."""

from collections import OrderedDict
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.model import report as r
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.request import Amend, Cancel
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.deadlines import TOO_LATE
from engine.venues.live.kraken_futures.forms import Forms
from engine.venues.protocol import OutcomeUnknownError, RefusedError

PLACED = frozenset({"placed", "partiallyFilled", "filled", "attempted"})
DUPLICATE = "clientOrderIdAlreadyExist"
SELF_FILL = "selfFill"
MOST_EDITS = 1_000
NOTHING_TRADED = frozenset({"iocWouldNotExecute"})


class FuturesOrders:
    """Sends for one account."""

    def __init__(self, venue: FuturesBase, forms: Forms) -> None:
        self._venue = venue
        self._forms = forms
        self._edits_rest = False
        """Whether the exchange takes the size of an edit for what shall rest, whatever `qtyMode`
        says.
        """
        self._whole: OrderedDict[str, Decimal] = OrderedDict()
        """By client order id, the size that an edit asked for last as that of the whole order."""

    async def submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        name, now = order.client_order_id, self._venue.clock.now
        try:
            # a preference of the symbol, not a term of the order
            if order.leverage is not None and order.role is Role.ENTRY:
                await self._venue.signed(
                    "private_put_leveragepreferences",
                    {"symbol": order.symbol, "maxLeverage": f"{order.leverage:f}"},
                    lane,
                )
            timed = await self._venue.clocks.settle(order)
            status = await self._sent(order, lane, timed=timed)
            again = (
                await self._venue.clocks.late(order)
                if timed and status.get("status") == TOO_LATE
                else None
            )
            if again is not None:
                self._venue.tell(r.Charged("derivatives", 10.0, now()))
                status = await self._sent(order, lane, timed=again)
        except RefusedError as error:
            return (r.Rejected(name, str(error), now()),)
        word, identity = str(status.get("status", "")), str(status.get("order_id") or "")
        if word in NOTHING_TRADED and order.type is OrderType.MARKET and identity:
            return (r.Accepted(name, identity, now()), r.Cancelled(name, ZERO, word, now()))
        if word not in PLACED:
            if not word:
                raise OutcomeUnknownError("an answer without a status")
            self._venue.modes.refused(order.symbol, word)
            return (r.Rejected(name, self._why(order, word), now(), duplicate=word == DUPLICATE),)
        if not identity:
            raise OutcomeUnknownError("an answer without an order id")
        self._venue.known.keep(replace(order, venue_order_id=identity, status=Status.OPEN))
        reports: list[r.VenueReport] = [r.Accepted(name, identity, now())]
        if self._is_over(order):
            executed = _executed(status)
            if executed < order.size:  # what did not trade at once is gone, and no stream says so
                reports.append(r.Cancelled(name, executed, "Immediate or cancel", now()))
        return tuple(reports)

    async def _sent(self, order: Order, lane: int, *, timed: bool) -> Mapping[str, Any]:
        """The status of an order; an exit is sent once more without an optional field that is
        refused. Raises like `signed`.
        """
        while True:
            fields = self._forms.fields(order, timed=timed)
            fields = self._venue.vetoes.without(fields) if order.is_exit else fields
            try:
                told = await self._venue.signed("private_post_sendorder", fields, lane)
            except RefusedError as error:
                if not (order.is_exit and self._venue.vetoes.names(fields, str(error))):
                    raise
                self._venue.tell(r.Charged("derivatives", 10.0, self._venue.clock.now()))
                continue
            status: Mapping[str, Any] = told.get("sendStatus") or {}
            return status

    def _why(self, order: Order, word: str) -> str:
        """A refusal in the exchange's words, with the orders of this account that the order would
        have met.
        """
        if word != SELF_FILL:
            return word
        own = [
            other
            for other in self._venue.known.resting(order.symbol, order.side.opposite)
            if order.price is None or _crosses(order, other)
        ]
        names = ", ".join(
            f"{other.client_order_id} ({other.side.value} {other.remaining:f} at {other.price:f})"
            for other in own
            if other.price
        )
        return f"{word}: it would meet {names or 'another order'} of this account"

    def _is_over(self, order: Order) -> bool:
        """Whether an order never rests."""
        return order.type is OrderType.MARKET or order.time_in_force in (
            TimeInForce.IOC,
            TimeInForce.FOK,
        )

    async def amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        known = self._venue.known.order(request.client_order_id)
        try:
            word, rests = await self._edit(request, known, request.lane)
            wanted = None if request.size is None or rests is None else request.size - rests[1]
            if (
                word == "edited"
                and rests is not None
                and wanted is not None
                and rests[0] == request.size != wanted > ZERO
            ):
                # it did not look at qtyMode: what rests is too large by what has filled
                self._edits_rest = True
                word, rests = await self._edit(request, known, request.lane)
        except RefusedError as error:
            return (r.AmendRejected(request.client_order_id, str(error), self._venue.clock.now()),)
        if word != "edited":
            if not word:
                raise OutcomeUnknownError("an answer without a status")
            return (r.AmendRejected(request.client_order_id, word, self._venue.clock.now()),)
        if known is None:
            raise OutcomeUnknownError(
                "edited an order whose terms are not known: it must be asked for"
            )
        price = known.price if request.price is None else request.price
        trigger = known.trigger if request.trigger is None else request.trigger
        size = request.size or known.size
        if request.size is not None and rests is not None:
            # what the exchange says that the order is now
            size = max(rests[0] + rests[1], known.filled)
        done = replace(known, size=size, price=price, trigger=trigger)
        self._venue.known.amended(done, self._venue.clock.now())
        return (
            r.Amended(request.client_order_id, done.size, price, trigger, self._venue.clock.now()),
        )

    async def _edit(
        self, request: Amend, known: Order | None, lane: int
    ) -> tuple[str, tuple[Decimal, Decimal] | None]:
        """The status of an edit, and what rests and what has filled as its answer tells them.
        Raises as `signed` does.

        A field that is as it was is left out: `size` may mean what shall rest or all of it (a
        connector's notes; no official text was found). Where it changes, `qtyMode` says which.
        """
        fields = self._about(request.client_order_id, request.venue_order_id, "orderId")
        terms = {"size": request.size, "limitPrice": request.price, "stopPrice": request.trigger}
        before = (
            {}
            if known is None
            else {"size": known.size, "limitPrice": known.price, "stopPrice": known.trigger}
        )
        changed = {
            name: value
            for name, value in terms.items()
            if value is not None and value != before.get(name)
        }
        for name, value in (changed or terms).items():
            if value is not None:
                fields[name] = f"{value:f}"
        if "size" in fields and self._edits_rest:
            filled = (
                ZERO
                if known is None
                else max(known.filled, self._venue.known.filled(request.client_order_id))
            )
            fields["size"] = f"{Decimal(fields['size']) - filled:f}"
        elif "size" in fields:
            fields["qtyMode"] = "ABSOLUTE"
            self._whole[request.client_order_id] = Decimal(fields["size"])
            while len(self._whole) > MOST_EDITS:
                self._whole.popitem(last=False)
        told = (await self._venue.signed("private_post_editorder", fields, lane)).get(
            "editStatus"
        ) or {}
        return str(told.get("status", "")), _rests(told)

    async def cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]:
        name, now = request.client_order_id, self._venue.clock.now
        try:
            told = await self._venue.signed(
                "private_post_cancelorder",
                self._about(name, request.venue_order_id, "order_id"),
                request.lane,
            )
        except RefusedError as error:
            return (r.CancelRejected(name, str(error), now()),)
        word = str(told.get("cancelStatus", {}).get("status", ""))
        if word == "cancelled":
            self._venue.known.ended(name, now())
            return (r.Cancelled(name, None, "cancelled_by_user", now()),)
        if word in ("notFound", "filled"):
            return (r.CancelRejected(name, word, now(), gone=True),)
        raise OutcomeUnknownError(f"an answer that makes no sense: {word[:40]!r}")

    def edited(self, order: Order) -> None:
        """The stream tells an edit: where an order is larger by what has filled, the exchange did
        not look at `qtyMode`.
        """
        if order.filled and self._whole.get(order.client_order_id) == order.size - order.filled:
            self._edits_rest = True

    def _about(self, client: str, venue_id: str | None, key: str) -> dict[str, str]:
        found = venue_id or self._venue.known.venue_id_of(client)
        return {key: found} if found else {"cliOrdId": client}


def _crosses(order: Order, other: Order) -> bool:
    """Whether two orders would trade with each other."""
    return (
        order.price is not None
        and other.price is not None
        and (other.price - order.price) * order.side.sign <= ZERO
    )


def _rests(told: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    """What rests and what has filled of an order after an edit, where the answer tells it."""
    new = next(
        (
            event["new"]
            for event in told.get("orderEvents") or ()
            if event.get("type") == "EDIT" and event.get("new")
        ),
        None,
    )
    if new is None or new.get("quantity") is None or new.get("filled") is None:
        return None
    return Decimal(str(new["quantity"])), Decimal(str(new["filled"]))


def _executed(status: Mapping[str, Any]) -> Decimal:
    """How much of an order its answer says was executed."""
    return sum(
        (
            Decimal(str(event["amount"]))
            for event in status.get("orderEvents", ())
            if event.get("type") == "EXECUTION"
        ),
        ZERO,
    )
