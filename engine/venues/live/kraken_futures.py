"""Kraken Futures: every request as raw parameters of its REST API, every answer read from raw text.

A stop and a target may rest together, exits are reduce-only, and closes with a bound go out as immediate-or-cancel orders.
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount
from engine.venues.live.kraken_futures_modes import Modes
from engine.venues.live.kraken_futures_parts import FuturesParts
from engine.venues.live.kraken_futures_prices import PublicStream
from engine.venues.live.kraken_futures_questions import Budget, FuturesQuestions
from engine.venues.live.kraken_futures_rows import FuturesRows
from engine.venues.live.kraken_futures_stream import PrivateStream
from engine.venues.live.kraken_futures_times import TOO_LATE, FuturesTimes
from engine.venues.live.kraken_names import currency
from engine.venues.live.kraken_spot_stream import nanoseconds
from engine.venues.live.socket import Socket
from engine.venues.live.venue import LOOK_BACK, KeyFacts, LiveVenue, positive
from engine.venues.protocol import OutcomeUnknownError, RefusedError, VenueError

HOST = "https://futures.kraken.com"
STREAM = "wss://futures.kraken.com/ws/v1"
TYPES = {
    OrderType.MARKET: "mkt",
    OrderType.LIMIT: "lmt",
    OrderType.STOP: "stp",
    OrderType.STOP_LIMIT: "stp",
    OrderType.TAKE_PROFIT: "take_profit",
    OrderType.TRAILING_STOP: "trailing_stop",
}
PLACED = frozenset({"placed", "partiallyFilled", "filled", "attempted"})
DUPLICATE = "clientOrderIdAlreadyExist"
SELF_FILL = "selfFill"
MOST_EDITS = 1_000
NOTHING_TRADED = frozenset({"iocWouldNotExecute"})
NEEDS = (
    *("public_get_instruments", "public_get_tickers"),
    *("private_post_sendorder", "private_post_editorder", "private_post_cancelorder", "private_put_leveragepreferences"),
    *("private_post_orders_status", "private_get_openorders", "private_get_fills", "private_get_openpositions", "private_get_accounts"),
)
"""What ccxt must be able to ask."""


class KrakenFutures(LiveVenue):
    """An account at Kraken Futures."""

    exchange = "krakenfutures"
    needs = NEEDS

    def __init__(self, *args: Any, **more: Any) -> None:  # Any: as LiveVenue takes them
        super().__init__(*args, **more)
        self.rows = FuturesRows(self)
        self.questions = FuturesQuestions(self)
        self.modes = Modes(self)
        self.times = FuturesTimes(self)
        self._edits_rest = False
        """Whether the exchange takes the size of an edit for what shall rest, whatever `qtyMode` says."""
        self._whole: OrderedDict[str, Decimal] = OrderedDict()
        """By client order id, the size that an edit asked for last as that of the whole order."""
        self.opened_at: int | None = None
        """When it began to listen."""

    # Opening

    def _urls(self) -> Mapping[str, Any]:
        host = self.where.rest or HOST
        derivatives = f"{host}/derivatives/api/"
        paths = {"charts": "charts", "history": "history", "feeschedules": "feeschedules", "auth": "auth"}
        return {"public": derivatives, "private": derivatives} | {name: f"{host}/api/{path}/" for name, path in paths.items()}

    def stream_url(self) -> str:
        """Where the streams are: one address for both."""
        return f"{self.where.ws}/v1" if self.where.ws is not None else STREAM

    async def _load_instruments(self) -> Sequence[Instrument]:
        told = self._result(await self.rest.public("public_get_instruments"))
        rows = {str(row["symbol"]).upper(): row for row in told["instruments"] if row.get("tradeable")}
        unknown = [symbol for symbol in self.where.symbols if symbol not in rows]
        if unknown and self.where.lenient:
            self.where = replace(self.where, symbols=tuple(symbol for symbol in self.where.symbols if symbol in rows))
        elif unknown:
            near = ", ".join(sorted(name for name in rows if name.startswith("PF_"))[:5])
            raise RefusedError(f"market.symbols: {unknown[0]} is not traded at {self.exchange}; allowed: {near} and the like")
        self.skew = _skew(told, self.clock.now())
        self.times.compared()
        return [self._instrument(symbol, rows[symbol]) for symbol in self.where.symbols]

    def _instrument(self, symbol: str, row: Mapping[str, Any]) -> Instrument:
        inverse = "inverse" in str(row["type"]) or symbol.startswith(("PI_", "FI_"))
        levels = row.get("marginLevels") or [{}]
        initial = positive(levels[0].get("initialMargin"))
        lot = Decimal(1).scaleb(-int(row.get("contractValueTradePrecision", 0)))
        base, _, quote = str(row.get("pair", "")).partition(":")
        base, quote = str(row.get("base") or base), str(row.get("quote") or quote or "USD")
        return Instrument(
            symbol=symbol,
            base=currency(base),
            quote=quote,
            kind=Kind.INVERSE if inverse else Kind.LINEAR,
            tick=Decimal(str(row["tickSize"])),
            lot=lot,
            min_size=lot,
            min_cost=ZERO,
            fee_tiers=self.profile.fee_tiers,
            fee_currency=self.profile.fee_currency,
            contract_size=Decimal(str(row.get("contractSize", 1))),
            max_leverage=(ONE / initial).quantize(ONE) if initial is not None else self.profile.max_leverage,
            maintenance_margin=Decimal(str(levels[0].get("maintenanceMargin", self.profile.maintenance_margin))),
        )

    def _sockets(self) -> Sequence[Socket]:
        self._private, self.opened_at = PrivateStream(self), self.clock.now()
        return [self._private.socket, self._public_socket()]

    def _public_socket(self) -> Socket:
        self._public_stream = PublicStream(self)
        return self._public_stream.socket

    def sign(self, challenge: str) -> tuple[str, str]:
        """The key, and a challenge as the secret signs it."""
        return self.rest.sign_challenge(challenge)

    async def measure_skew(self) -> int:
        """From the time in any of its answers, less half the way."""
        began = self.clock.now()
        told = self._result(await self.rest.public("public_get_tickers"))
        return _skew(told, (began + self.clock.now()) // 2)

    async def key_facts(self) -> KeyFacts:
        """What the key may do: access to trading and to transfers is told apart."""
        told = await self.rest.request("check", "auth", {"version": "v1/api-keys/v3"}, 5)
        if not isinstance(told, dict) or "permissions" not in told:
            raise self.judge([str(told.get("error", "no permissions are told"))] if isinstance(told, dict) else ["no answer"])
        access = {str(name): str(word) for name, word in told["permissions"].items()}
        permissions = tuple(f"{name}: {word}" for name, word in access.items())
        return KeyFacts(permissions, access.get("general") == "full_access", access.get("transfer", "no_access") == "full_access")

    # Answers

    def _result(self, answer: Any) -> Any:
        """What an answer says. Raises as its error means."""
        if isinstance(answer, dict) and (answer.get("result") == "success" or isinstance(answer.get("elements"), list)):
            return answer  # the history tells no result
        error = answer.get("error") if isinstance(answer, dict) else None
        errors = [str(error)] if error else [str(text) for text in answer.get("errors", ())] if isinstance(answer, dict) else []
        if errors:
            raise self.judge(errors)
        raise OutcomeUnknownError("an answer without a result")

    async def _private_call(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        return await self.signed(method, params, lane)

    # Orders

    def fields(self, order: Order, *, timed: bool = True) -> dict[str, str]:
        """An order as parameters; without `timed`, with no deadline."""
        kind, price = TYPES[order.type], order.price
        if order.type is OrderType.MARKET and price is not None:
            kind = "ioc"
        elif order.type is OrderType.LIMIT:
            kind = "post" if order.post_only else {TimeInForce.IOC: "ioc", TimeInForce.FOK: "fok"}.get(order.time_in_force, "lmt")
        fields = {
            "orderType": kind,
            "symbol": order.symbol,
            "side": order.side.value,
            "size": f"{order.size:f}",
            "cliOrdId": order.client_order_id,
        }
        if price is not None:
            fields["limitPrice"] = f"{price:f}"
        if order.trigger is not None:
            fields["stopPrice"] = f"{order.trigger:f}"
        if order.trail is not None:
            percent = order.trail.fraction is not None
            distance = order.trail.fraction * 100 if order.trail.fraction is not None else order.trail.amount
            fields["trailingStopMaxDeviation"] = f"{distance:f}"
            fields["trailingStopDeviationUnit"] = "PERCENT" if percent else "QUOTE_CURRENCY"
        if order.trigger is not None or order.trail is not None:
            fields["triggerSignal"] = self.profile.triggers[0]
        if order.reduce_only:
            fields["reduceOnly"] = "true"
        return fields | (self.times.field(order) if timed else {})

    async def validate(self, order: Order) -> str:
        """There is no dry run here: nothing is known to be wrong."""
        return ""

    async def _submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        name, now = order.client_order_id, self.clock.now
        try:
            if order.leverage is not None and order.role is Role.ENTRY:  # a preference of the symbol, not a term of the order
                await self._private_call("private_put_leveragepreferences", {"symbol": order.symbol, "maxLeverage": f"{order.leverage:f}"}, lane)
            timed = await self.times.settle(order)
            status = await self._sent(order, lane, timed=timed)
            again = await self.times.refused(order) if timed and status.get("status") == TOO_LATE else None
            if again is not None:
                self.tell(r.Charged("derivatives", 10.0, now()))
                status = await self._sent(order, lane, timed=again)
        except RefusedError as error:
            return (r.Rejected(name, str(error), now()),)
        word, identity = str(status.get("status", "")), str(status.get("order_id") or "")
        if word in NOTHING_TRADED and order.type is OrderType.MARKET and identity:
            return (r.Accepted(name, identity, now()), r.Cancelled(name, ZERO, word, now()))
        if word not in PLACED:
            if not word:
                raise OutcomeUnknownError("an answer without a status")
            self.modes.refused(order.symbol, word)
            return (r.Rejected(name, self._why(order, word), now(), duplicate=word == DUPLICATE),)
        if not identity:
            raise OutcomeUnknownError("an answer without an order id")
        self.known.keep(replace(order, venue_order_id=identity, status=Status.OPEN))
        reports: list[r.VenueReport] = [r.Accepted(name, identity, now())]
        if self._is_over(order):
            executed = sum((Decimal(str(event["amount"])) for event in status.get("orderEvents", ()) if event.get("type") == "EXECUTION"), ZERO)
            if executed < order.size:  # what did not trade at once is gone, and no stream says so
                reports.append(r.Cancelled(name, executed, "Immediate or cancel", now()))
        return tuple(reports)

    async def _sent(self, order: Order, lane: int, *, timed: bool) -> Mapping[str, Any]:
        told = await self._private_call("private_post_sendorder", self.fields(order, timed=timed), lane)
        status: Mapping[str, Any] = told.get("sendStatus") or {}
        return status

    def time_refused(self) -> None:
        """A refusal named the nonce, which is made of the time."""
        self.times.again()

    def _why(self, order: Order, word: str) -> str:
        """A refusal in the exchange's words, with the orders of this account that the order would have met."""
        if word != SELF_FILL:
            return word
        own = [other for other in self.known.resting(order.symbol, order.side.opposite) if order.price is None or _crosses(order, other)]
        names = ", ".join(f"{other.client_order_id} ({other.side.value} {other.remaining:f} at {other.price:f})" for other in own if other.price)
        return f"{word}: it would meet {names or 'another order'} of this account"

    def _is_over(self, order: Order) -> bool:
        """Whether an order never rests."""
        return order.type is OrderType.MARKET or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)

    async def _amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        known = self.known.order(request.client_order_id)
        try:
            word, rests = await self._edit(request, known, request.lane)
            wanted = None if request.size is None or rests is None else request.size - rests[1]
            if word == "edited" and rests is not None and wanted is not None and rests[0] == request.size != wanted > ZERO:
                self._edits_rest = True  # it did not look at qtyMode: what rests is too large by what has filled
                word, rests = await self._edit(request, known, request.lane)
        except RefusedError as error:
            return (r.AmendRejected(request.client_order_id, str(error), self.clock.now()),)
        if word != "edited":
            if not word:
                raise OutcomeUnknownError("an answer without a status")
            return (r.AmendRejected(request.client_order_id, word, self.clock.now()),)
        if known is None:
            raise OutcomeUnknownError("edited an order whose terms are not known: it must be asked for")
        price = known.price if request.price is None else request.price
        trigger = known.trigger if request.trigger is None else request.trigger
        size = request.size or known.size
        if request.size is not None and rests is not None:
            size = max(rests[0] + rests[1], known.filled)  # what the exchange says that the order is now
        done = replace(known, size=size, price=price, trigger=trigger)
        self.known.amended(done, self.clock.now())
        return (r.Amended(request.client_order_id, done.size, price, trigger, self.clock.now()),)

    async def _edit(self, request: Amend, known: Order | None, lane: int) -> tuple[str, tuple[Decimal, Decimal] | None]:
        """The status of an edit, and what rests and what has filled as its answer tells them. Raises as `signed` does.

        A field that is as it was is left out: `size` may mean what shall rest or all of it (a connector's notes; no official text was found).
        Where it changes, `qtyMode` says which.
        """
        fields = self._about(request.client_order_id, request.venue_order_id, "orderId")
        terms = {"size": request.size, "limitPrice": request.price, "stopPrice": request.trigger}
        before = {} if known is None else {"size": known.size, "limitPrice": known.price, "stopPrice": known.trigger}
        changed = {name: value for name, value in terms.items() if value is not None and value != before.get(name)}
        for name, value in (changed or terms).items():
            if value is not None:
                fields[name] = f"{value:f}"
        if "size" in fields and self._edits_rest:
            filled = ZERO if known is None else max(known.filled, self.known.filled(request.client_order_id))
            fields["size"] = f"{Decimal(fields['size']) - filled:f}"
        elif "size" in fields:
            fields["qtyMode"] = "ABSOLUTE"
            self._whole[request.client_order_id] = Decimal(fields["size"])
            while len(self._whole) > MOST_EDITS:
                self._whole.popitem(last=False)
        told = (await self._private_call("private_post_editorder", fields, lane)).get("editStatus") or {}
        return str(told.get("status", "")), _rests(told)

    async def _cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]:
        name, now = request.client_order_id, self.clock.now
        try:
            told = await self._private_call("private_post_cancelorder", self._about(name, request.venue_order_id, "order_id"), request.lane)
        except RefusedError as error:
            return (r.CancelRejected(name, str(error), now()),)
        word = str(told.get("cancelStatus", {}).get("status", ""))
        if word == "cancelled":
            self.known.ended(name, now())
            return (r.Cancelled(name, None, "cancelled_by_user", now()),)
        if word in ("notFound", "filled"):
            return (r.CancelRejected(name, word, now(), gone=True),)
        raise OutcomeUnknownError(f"an answer that makes no sense: {word[:40]!r}")

    def edited(self, order: Order) -> None:
        """The stream tells an edit: where an order is larger by what has filled, the exchange did not look at `qtyMode`."""
        if order.filled and self._whole.get(order.client_order_id) == order.size - order.filled:
            self._edits_rest = True

    # Rows that can't be read

    def skipped(self, what: str, name: str, symbol: str) -> None:
        """A row was left out: somebody is told, once."""
        about = f"{what} {name} of {symbol}" if symbol else f"{what} {name}"
        self.notice("ROW_SKIPPED", about, "a field is missing or makes no sense; the row is left out, the others go on")

    def look_again(self, identity: str) -> None:
        """Ask over REST what a row of the stream was about."""
        self.spawn(self._look_again(identity))

    async def _look_again(self, identity: str) -> None:
        name = self.known.client_of(identity) or ""
        known = self.known.order(name)
        try:
            for fill in await self.questions.fills(self.clock.now() - LOOK_BACK, Lane.QUERY, Budget(self, 0.0)):
                self.tell(r.Filled(fill, fill.at))
            if known is not None and name.startswith(self.prefix):
                for report in await self._query(Query(name, known.symbol)):
                    self.tell(report)
        except VenueError:
            return  # the next picture of the account tells it

    def _about(self, client: str, venue_id: str | None, key: str) -> dict[str, str]:
        found = venue_id or self.known.venue_id_of(client)
        return {key: found} if found else {"cliOrdId": client}

    # Questions

    def parts(self) -> FuturesParts:
        """Who asks for parts of a picture."""
        return FuturesParts(self, self._private_call)

    async def _query(self, request: Query) -> tuple[r.VenueReport, ...]:
        return await self.questions.query(request)

    async def _account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        return await self.questions.account(request)


def _crosses(order: Order, other: Order) -> bool:
    """Whether two orders would trade with each other."""
    return order.price is not None and other.price is not None and (other.price - order.price) * order.side.sign <= ZERO


def _rests(told: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    """What rests and what has filled of an order after an edit, where the answer tells it."""
    new = next((event["new"] for event in told.get("orderEvents") or () if event.get("type") == "EDIT" and event.get("new")), None)
    if new is None or new.get("quantity") is None or new.get("filled") is None:
        return None
    return Decimal(str(new["quantity"])), Decimal(str(new["filled"]))


def _skew(told: Mapping[str, Any], now: int) -> int:
    """From the time in an answer, where it is further off than answers take."""
    text = told.get("serverTime")
    found = 0 if text is None else nanoseconds(str(text)) - now
    return found if abs(found) > SECOND // 2 else 0
