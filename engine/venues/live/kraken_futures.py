"""Kraken Futures: every request as raw parameters of its REST API, every answer read from raw text.

A stop and a target may rest together, exits are reduce-only, and closes with a bound go out as immediate-or-cancel orders.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.order import Order, OrderType, Role, Status, TimeInForce
from engine.model.request import Amend, Cancel, Query, QueryAccount
from engine.model.side import Side
from engine.venues.live.kraken_futures_parts import FuturesParts
from engine.venues.live.kraken_futures_stream import PrivateStream, PublicStream
from engine.venues.live.kraken_names import currency
from engine.venues.live.kraken_spot_stream import nanoseconds
from engine.venues.live.socket import Socket
from engine.venues.live.venue import LOOK_BACK, KeyFacts, LiveVenue, positive
from engine.venues.protocol import OutcomeUnknownError, RefusedError

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
KINDS = {
    "lmt": OrderType.LIMIT,
    "limit": OrderType.LIMIT,
    "post": OrderType.LIMIT,
    "ioc": OrderType.LIMIT,
    "fok": OrderType.LIMIT,
    "mkt": OrderType.MARKET,
    "market": OrderType.MARKET,
    "stp": OrderType.STOP,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "take_profit": OrderType.TAKE_PROFIT,
    "trailing_stop": OrderType.STOP,
}
PLACED = frozenset({"placed", "partiallyFilled", "filled", "attempted"})
ENDED = {
    "FULLY_EXECUTED": Status.FILLED,
    "CANCELLED": Status.CANCELLED,
    "REJECTED": Status.REJECTED,
    "TRIGGER_ACTIVATION_FAILURE": Status.CANCELLED,
}
DUPLICATE = "clientOrderIdAlreadyExist"
NOTHING_TRADED = frozenset({"iocWouldNotExecute"})
PAGES = 20
NEEDS = (
    *("public_get_instruments", "public_get_tickers"),
    *("private_post_sendorder", "private_post_editorder", "private_post_cancelorder", "private_put_leveragepreferences"),
    *("private_post_orders_status", "private_get_openorders", "private_get_fills", "private_get_openpositions", "private_get_accounts"),
)
"""What ccxt must be able to ask."""


def _kept(known: Order, told: Order) -> Order:
    """An order of ours as it is told now, with what no view tells."""
    bounded = known.trigger is None or known.price is not None  # a stop of ours has no limit, whatever it is told with
    return replace(
        known,
        venue_order_id=told.venue_order_id,
        size=told.size,
        price=told.price if told.price is not None and bounded else known.price,
        trigger=told.trigger if told.trigger is not None else known.trigger,
        filled=told.filled,
        status=told.status,
        reason=told.reason,
    )


class KrakenFutures(LiveVenue):
    """An account at Kraken Futures."""

    exchange = "krakenfutures"
    needs = NEEDS

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
        self._private = PrivateStream(self)
        return [self._private.socket, self._public_socket()]

    def _public_socket(self) -> Socket:
        return PublicStream(self).socket

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
        if isinstance(answer, dict) and answer.get("result") == "success":
            return answer
        error = answer.get("error") if isinstance(answer, dict) else None
        errors = [str(error)] if error else [str(text) for text in answer.get("errors", ())] if isinstance(answer, dict) else []
        if errors:
            raise self.judge(errors)
        raise OutcomeUnknownError("an answer without a result")

    async def _private_call(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        return await self.signed(method, params, lane)

    # Orders

    def fields(self, order: Order) -> dict[str, str]:
        """An order as parameters."""
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
        if order.deadline is not None:
            fields["processBefore"] = _iso(self.theirs(order.deadline))
        return fields

    async def validate(self, order: Order) -> str:
        """There is no dry run here: nothing is known to be wrong."""
        return ""

    async def _submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        name, now = order.client_order_id, self.clock.now
        try:
            if order.leverage is not None and order.role is Role.ENTRY:  # a preference of the symbol, not a term of the order
                await self._private_call("private_put_leveragepreferences", {"symbol": order.symbol, "maxLeverage": f"{order.leverage:f}"}, lane)
            told = await self._private_call("private_post_sendorder", self.fields(order), lane)
        except RefusedError as error:
            return (r.Rejected(name, str(error), now()),)
        status = told.get("sendStatus", {})
        word, identity = str(status.get("status", "")), str(status.get("order_id") or "")
        if word in NOTHING_TRADED and order.type is OrderType.MARKET and identity:
            return (r.Accepted(name, identity, now()), r.Cancelled(name, ZERO, word, now()))
        if word not in PLACED:
            if not word:
                raise OutcomeUnknownError("an answer without a status")
            return (r.Rejected(name, word, now(), duplicate=word == DUPLICATE),)
        if not identity:
            raise OutcomeUnknownError("an answer without an order id")
        self.known.keep(replace(order, venue_order_id=identity, status=Status.OPEN))
        reports: list[r.VenueReport] = [r.Accepted(name, identity, now())]
        if self._is_over(order):
            executed = sum((Decimal(str(event["amount"])) for event in status.get("orderEvents", ()) if event.get("type") == "EXECUTION"), ZERO)
            if executed < order.size:  # what did not trade at once is gone, and no stream says so
                reports.append(r.Cancelled(name, executed, "Immediate or cancel", now()))
        return tuple(reports)

    def _is_over(self, order: Order) -> bool:
        """Whether an order never rests."""
        return order.type is OrderType.MARKET or order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK)

    async def _amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        known = self.known.order(request.client_order_id)
        fields = self._about(request.client_order_id, request.venue_order_id, "orderId")
        size = request.size if request.size is not None else known.size if known is not None else None
        for name, value in (("size", size), ("limitPrice", request.price), ("stopPrice", request.trigger)):
            if value is not None:
                fields[name] = f"{value:f}"
        try:
            told = await self._private_call("private_post_editorder", fields, request.lane)
        except RefusedError as error:
            return (r.AmendRejected(request.client_order_id, str(error), self.clock.now()),)
        word = str(told.get("editStatus", {}).get("status", ""))
        if word != "edited":
            if not word:
                raise OutcomeUnknownError("an answer without a status")
            return (r.AmendRejected(request.client_order_id, word, self.clock.now()),)
        if known is None:
            raise OutcomeUnknownError("edited an order whose terms are not known: it must be asked for")
        price = known.price if request.price is None else request.price
        trigger = known.trigger if request.trigger is None else request.trigger
        done = replace(known, size=size or known.size, price=price, trigger=trigger)
        self.known.amended(done, self.clock.now())
        return (r.Amended(request.client_order_id, done.size, price, trigger, self.clock.now()),)

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

    def _about(self, client: str, venue_id: str | None, key: str) -> dict[str, str]:
        found = venue_id or self.known.venue_id_of(client)
        return {key: found} if found else {"cliOrdId": client}

    # Questions

    def parts(self) -> FuturesParts:
        """Who asks for parts of a picture."""
        return FuturesParts(self, self._private_call, self._listed)

    async def _query(self, request: Query) -> tuple[r.VenueReport, ...]:
        name, asked = request.client_order_id, self.clock.now()
        told = await self._private_call("private_post_orders_status", {"cliOrdIds": name}, request.lane)
        rows = [row for row in told.get("orders", ()) if row.get("order", {}).get("cliOrdId") == name]
        if not rows:
            opened = await self._opened(request.lane)
            found = next((order for order in opened if order.client_order_id == name), None)
            if found is not None:
                return (r.Found(found, await self._fills_of(found, request.lane), self.clock.now()),)
            await self._fills(asked - LOOK_BACK, request.lane)
            remembered = self._remembered(name)
            if remembered is not None:
                return (remembered,)
            if self.proves_absence():
                return (r.Absent(name, asked),)
            raise OutcomeUnknownError("no view lists it, but views may lag, and the stream has not been heard for long enough")
        row = rows[-1]
        order = self._described(row["order"], str(row.get("status", "")), str(row.get("updateReason") or ""))
        if not order.is_open:
            self.known.ended(name, asked)
        return (r.Found(order, await self._fills_of(order, request.lane), self.clock.now()),)

    def _remembered(self, name: str) -> r.Found | None:
        """An order that ended longer ago than the exchange tells: from what was heard of it."""
        known, fills = self.known.order(name), tuple(fill for fill in self.known.fills_since(0) if fill.client_order_id == name)
        filled = sum((fill.size for fill in fills), ZERO)
        if known is None or (self.known.ended_at(name) is None and filled < known.size):
            return None
        status = Status.FILLED if filled >= known.size else Status.CANCELLED
        return r.Found(replace(known, status=status, filled=filled), fills, self.clock.now())

    def _described(self, row: Mapping[str, Any], word: str, reason: str) -> Order:
        """An order as `orders/status` tells it."""
        filled, size = Decimal(str(row.get("filled", 0))), Decimal(str(row["quantity"]))
        status = ENDED.get(word, Status.PARTIALLY_FILLED if filled else Status.OPEN)
        if status is Status.FILLED:
            size = max(size, filled)
        trigger = positive(row.get("triggerOptions", {}).get("triggerPrice") if row.get("triggerOptions") else row.get("stopPrice"))
        return self.order(
            str(row["orderId"]),
            str(row.get("cliOrdId") or ""),
            str(row["symbol"]).upper(),
            Side(str(row["side"])),
            str(row.get("type", "lmt")).lower(),
            size,
            positive(row.get("limitPrice")),
            trigger,
            filled,
            status,
            bool(row.get("reduceOnly")),
            self.ours(nanoseconds(str(row["timestamp"]))),
            reason,
        )

    def order(
        self,
        identity: str,
        client: str,
        symbol: str,
        side: Side,
        kind: str,
        size: Decimal,
        price: Decimal | None,
        trigger: Decimal | None,
        filled: Decimal,
        status: Status,
        reduce_only: bool,
        created_at: int,
        reason: str = "",
        *,
        heard: bool = False,
    ) -> Order:
        """An order from what any of its views tells; ours keeps what no view tells."""
        client = client or self.known.client_of(identity) or identity
        known = self.known.order(client)
        told = Order(
            client,
            "",
            symbol,
            side,
            KINDS.get(kind, OrderType.LIMIT),
            Role.ENTRY,
            size,
            price=price,
            trigger=trigger,
            reduce_only=reduce_only,
            status=status,
            filled=filled,
            venue_order_id=identity,
            created_at=created_at,
            touched_at=created_at,
            foreign=not client.startswith(self.prefix),
            reason=reason,
        )
        found = told if known is None else _kept(known, told)
        if known is None or heard:  # of what is known, a view that lags tells nothing better
            self.known.keep(found)
        return found

    async def _opened(self, lane: int) -> list[Order]:
        told = await self._private_call("private_get_openorders", {}, lane)
        found = []
        for row in told.get("openOrders", ()):
            filled, left = Decimal(str(row.get("filledSize", 0))), Decimal(str(row.get("unfilledSize", 0)))
            if filled + left > ZERO:
                found.append(self._listed(row))
        return found

    def _listed(self, row: Mapping[str, Any]) -> Order:
        """A row of the open orders. Raises KeyError or ValueError where a field is missing."""
        filled, left = Decimal(str(row.get("filledSize", 0))), Decimal(str(row["unfilledSize"]))
        return self.order(
            str(row["order_id"]),
            str(row.get("cliOrdId") or row.get("cli_ord_id") or ""),
            str(row["symbol"]).upper(),
            Side(str(row["side"])),
            str(row["orderType"]).lower(),
            filled + left,
            positive(row.get("limitPrice")),
            positive(row.get("stopPrice")),
            filled,
            Status.PARTIALLY_FILLED if filled else Status.OPEN,
            bool(row.get("reduceOnly")),
            self.ours(nanoseconds(str(row["receivedTime"]))),
        )

    def fill(self, row: Mapping[str, Any]) -> Fill:
        """An execution as REST tells it."""
        identity, symbol = str(row["order_id"]), str(row["symbol"]).upper()
        client = str(row.get("cliOrdId") or row.get("cli_ord_id") or self.known.client_of(identity) or identity)
        self.known.hear(identity, client)
        price, size = Decimal(str(row["price"])), Decimal(str(row["size"]))
        maker = str(row["fillType"]) == "maker"
        instrument = self._instruments.get(symbol)
        settle = instrument.settle if instrument is not None else "USD"
        if row.get("fee_paid") is not None:
            fee, fee_currency = Decimal(str(row["fee_paid"])), currency(str(row.get("fee_currency", settle)).upper())
        else:
            tier = self.profile.fee_tiers[0]
            rate = tier.maker if maker else tier.taker
            fee, fee_currency = (instrument.value(size, price) * rate if instrument is not None else ZERO), settle
        at = self.ours(nanoseconds(str(row["fillTime"])))
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        return Fill(str(row["fill_id"]), client, symbol, Side(str(row["side"])), price, size, fee, fee_currency, liquidity, at)

    async def _fills(self, since: int, lane: int) -> tuple[Fill, ...]:
        """Executions from a time on: the last hundred at a time, back to it."""
        found: dict[str, Fill] = {}
        before: str | None = None
        for _ in range(PAGES):
            told = await self._private_call("private_get_fills", {} if before is None else {"lastFillTime": before}, lane)
            rows = told.get("fills", ())
            page = {fill.execution_id: fill for fill in map(self.fill, rows)}
            fresh = page.keys() - found.keys()
            found |= page
            if not fresh or min(fill.at for fill in page.values()) < since:
                break
            before = min(str(row["fillTime"]) for row in rows)
        for fill in found.values():
            self.known.fill(fill)
        return tuple(sorted((fill for fill in found.values() if fill.at >= since), key=lambda fill: (fill.at, fill.execution_id)))

    async def _fills_of(self, order: Order, lane: int) -> tuple[Fill, ...]:
        """The executions of an order: those that were heard, and the others from the list."""
        name = order.client_order_id

        def heard() -> list[Fill]:
            return [fill for fill in self.known.fills_since(0) if fill.client_order_id == name]

        if sum((fill.size for fill in heard()), ZERO) < order.filled:
            await self._fills(order.created_at - SECOND, lane)
        return tuple(heard())

    async def _account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        asked, lane = self.clock.now(), request.lane
        since = min(request.since, asked - LOOK_BACK)  # what is known to have happened lately tells how old a view is
        listed = await self._fills(since, lane)  # first: what the later answers hold is no older than this
        fills = tuple(fill for fill in listed if fill.at >= request.since)
        orders = await self._opened(lane)
        positions = (await self._private_call("private_get_openpositions", {}, lane)).get("openPositions", ())
        accounts = (await self._private_call("private_get_accounts", {}, lane)).get("accounts", {})
        net = {
            str(row["symbol"]).upper(): Decimal(str(row["size"])) * (1 if str(row["side"]) == "long" else -1)
            for row in positions
            if Decimal(str(row["size"]))
        }
        cash: dict[str, Decimal] = {}
        for code, row in (accounts.get("flex", {}).get("currencies") or {}).items():
            amount = Decimal(str(row["quantity"]))
            if amount:
                cash[currency(str(code).upper())] = amount
        as_of = self.as_of(asked, since, orders, [fill.execution_id for fill in listed])
        for order in orders:
            self.known.works(order.client_order_id, order.created_at)
        return (r.Picture(as_of, tuple(orders), fills, cash, net, self.clock.now(), request.since),)


def _iso(at: int) -> str:
    whole, rest = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1_000_000:03d}Z"


def _skew(told: Mapping[str, Any], now: int) -> int:
    """From the time in an answer, where it is further off than answers take."""
    text = told.get("serverTime")
    found = 0 if text is None else nanoseconds(str(text)) - now
    return found if abs(found) > SECOND // 2 else 0
