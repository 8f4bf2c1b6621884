"""Kraken spot: every request as raw fields of its REST API, every answer read from raw text.

What rests: stops as `stop-loss`, closes with a bound as immediate-or-cancel limits (Kraken's market orders have no bound). An order that names a
leverage is on margin: the exchange holds what it opens as positions beside the balances, and only orders that name one close them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Status, TimeInForce
from engine.model.profile import Profile
from engine.model.quote import Quote
from engine.model.request import Amend, Cancel, Query, QueryAccount
from engine.model.side import Side
from engine.venues.live.keys import Credentials
from engine.venues.live.kraken_names import EACH, Names
from engine.venues.live.kraken_spot_fills import Listed
from engine.venues.live.kraken_spot_modes import Modes
from engine.venues.live.kraken_spot_parts import SpotParts
from engine.venues.live.kraken_spot_stream import PrivateStream, PublicStream, order_from_fields
from engine.venues.live.kraken_spot_times import Times
from engine.venues.live.rest import Rest
from engine.venues.live.socket import Socket
from engine.venues.live.venue import LOOK_BACK, KeyFacts, LiveVenue, Where, positive
from engine.venues.protocol import NonceError, OutcomeUnknownError, RateLimitedError, RefusedError, VenueError

TYPES = {
    OrderType.MARKET: "market",
    OrderType.LIMIT: "limit",
    OrderType.STOP: "stop-loss",
    OrderType.STOP_LIMIT: "stop-loss-limit",
    OrderType.TAKE_PROFIT: "take-profit",
    OrderType.TRAILING_STOP: "trailing-stop",
}
EXPIRY_LEAST = SECOND * 5
"""The nearest expiry that the exchange admits (AddOrder, read 2026-11)."""
PAGES, PAGE = 200, 50
"""Of executions, at most, in one question: what is older is not told, and the picture says since when it is complete."""
IDS = 20
"""Executions that one question may name (QueryTrades `txid`, read 2026-11)."""
PREVENTION = "cancel-oldest"
"""An exit that would trade with an order of its own account goes through, and that order ends (AddOrder `stptype`, read 2026-11). The default,
cancel-newest, would end the exit itself, unfilled, as often as it is sent."""
LIMITED = 3.0
"""Seconds before a part of a question is asked again that was refused for the limits."""
NEEDED = frozenset({"query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades"})
"""What a key must be allowed, by the names of GetApiKeyInfo."""
QUESTIONS = ("public_get_assets", "public_get_assetpairs", "public_get_time", "public_get_systemstatus")
ASKED = (
    *("addorder", "amendorder", "cancelorder"),
    *("openorders", "closedorders", "queryorders", "querytrades", "tradeshistory"),
    *("balanceex", "openpositions", "getapikeyinfo", "getwebsocketstoken"),
)
"""What ccxt must be able to ask: public questions, and private requests without their beginning."""
GONE = ("EOrder:Unknown order", "EGeneral:Invalid arguments:txid")
DUPLICATE = "cl_ord_id"
FILLED_STATES = {"pending": Status.OPEN, "open": Status.OPEN, "closed": Status.FILLED, "canceled": Status.CANCELLED, "expired": Status.EXPIRED}


class KrakenSpot(LiveVenue):
    """An account at Kraken spot."""

    exchange = "kraken"
    needs = (*QUESTIONS, *(f"private_post_{name}" for name in ASKED))

    def __init__(self, profile: Profile, where: Where, credentials: Credentials | None, clock: Clock, *, rest: type[Rest] = Rest) -> None:
        super().__init__(profile, where, credentials, clock, rest=rest)
        self.modes = Modes(self)
        self.listed = Listed(self.known, self._fill)
        self.times = Times(self)

    # Opening

    def _urls(self) -> Mapping[str, Any]:
        where = self.where
        return {} if where.rest is None else {"public": where.rest, "private": where.rest}

    def stream_url(self, *, private: bool) -> str:
        """Where the streams are."""
        if self.where.ws is not None:
            return f"{self.where.ws}/{'auth/v2' if private else 'v2'}"
        return "wss://ws-auth.kraken.com/v2" if private else "wss://ws.kraken.com/v2"

    async def _load_instruments(self) -> Sequence[Instrument]:
        assets = self._result(await self.rest.public("public_get_assets"))
        pairs = await self.public_result("public_get_assetpairs", {"aclass_base": "currency"})
        self.names = Names(assets, pairs)
        unknown = [symbol for symbol in self.where.symbols if symbol not in self.names.symbols]
        if unknown and self.where.lenient:
            self.where = replace(self.where, symbols=tuple(symbol for symbol in self.where.symbols if symbol in self.names.symbols))
        elif unknown:
            near = [s for s in self.names.symbols if s.split("/")[0] == unknown[0].split("/")[0]][:5]
            raise RefusedError(
                f"market.symbols: {unknown[0]} is not traded at {self.exchange}; allowed: {', '.join(near) or 'see its list of pairs'}"
            )
        await self.times.measure()
        self.where = replace(self.where, symbols=(*self.where.symbols, *self.converting()))
        self.modes.listed(self.names.modes())
        return [self.names.instrument(symbol, self.profile) for symbol in self.where.symbols]

    async def connect(self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]) -> None:
        """Begin to listen; who does hears at once which pairs take no orders now."""
        await super().connect(on_report, on_quote)
        self.modes.again()

    def converting(self) -> tuple[str, ...]:
        """The pairs that turn what is traded, and what it is paid in, into the account's currency: without them profit has no value there."""
        ours, found = self.where.currency, dict[str, None]()
        for name in dict.fromkeys(name for symbol in self.where.symbols for name in symbol.split("/")):
            pairs = (f"{name}/{ours}", f"{ours}/{name}")
            found |= dict.fromkeys([pair for pair in pairs if pair in self.names.symbols][:1])
        return tuple(pair for pair in found if pair not in self.where.symbols)

    def _sockets(self) -> Sequence[Socket]:
        self._private = PrivateStream(self)
        return [self._private.socket, self._public_socket()]

    def _public_socket(self) -> Socket:
        return PublicStream(self).socket

    async def public_result(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """The result of a public question. Raises VenueError."""
        return self._result(await self.rest.public(method, params))

    async def token(self) -> str:
        """A token for the private stream. Raises like `send`."""
        self.tell(r.Charged("rest", 1.0, self.clock.now()))
        return str((await self._private_call("private_post_getwebsocketstoken", {}, 1))["token"])

    async def measure_skew(self) -> int:
        """From the status of the exchange, to the second."""
        began = self.clock.now()
        told = self._result(await self.rest.public("public_get_time"))
        ended = self.clock.now()
        at = int(told["unixtime"]) * SECOND
        if at <= ended and at + SECOND >= began:
            return 0  # it tells whole seconds: nothing says that the clocks differ
        return at + SECOND // 2 - (began + ended) // 2

    async def key_facts(self) -> KeyFacts:
        """What the key may do."""
        told = await self._private_call("private_post_getapikeyinfo", {}, 5)
        permissions = tuple(str(name) for name in told.get("permissions", ()))
        return KeyFacts(permissions, set(permissions) >= NEEDED, any("withdraw" in name for name in permissions))

    # Answers

    def _result(self, answer: Any) -> Any:
        """What an answer says. Raises as its errors mean; a result beside a warning is a result."""
        errors = [str(text) for text in answer.get("error", ())] if isinstance(answer, dict) else ["no answer"]
        if isinstance(answer, dict) and answer.get("result") is not None and not any(text.startswith("E") for text in errors):
            return answer["result"]
        if errors:
            raise self.judge(errors)
        raise OutcomeUnknownError("an answer without a result")

    async def _private_call(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        try:
            return await self.signed(method, params, lane)
        except NonceError:  # a nonce is made of the clock
            self.times.again()
            raise

    async def _patient_call(self, method: str, params: Mapping[str, Any], lane: int, *, again: bool) -> Any:
        """A part of a long question; `again`: where it is refused for the limits, once more, for others were answered. Raises like `send`."""
        while True:
            try:
                return await self._private_call(method, params, lane)
            except RateLimitedError:
                if not again:
                    raise
                await asyncio.sleep(LIMITED)

    # Orders

    def fields(self, order: Order, *, in_time: bool = True) -> dict[str, str]:
        """An order as form fields; its deadline only with `in_time`. Raises NotSentError where it could not be in time."""
        kind, in_force = TYPES[order.type], order.time_in_force
        fields = {
            "pair": self.names.pair(order.symbol),
            "type": order.side.value,
            "ordertype": kind,
            "volume": f"{order.size:f}",
            "cl_ord_id": order.client_order_id,
        }
        first, second = order.price, None
        if order.type is OrderType.MARKET and order.price is not None:
            fields["ordertype"], in_force = "limit", TimeInForce.IOC
        elif order.type is OrderType.TRAILING_STOP:
            assert order.trail is not None
            distance = f"{order.trail.fraction * 100:f}%" if order.trail.fraction is not None else f"{order.trail.amount:f}"
            fields["price"], first = f"+{distance}", None
        elif order.trigger is not None:
            first, second = order.trigger, order.price
            if second is not None and order.type in (OrderType.STOP, OrderType.TAKE_PROFIT):
                fields["ordertype"] = f"{kind}-limit"
        if order.trigger is not None or order.type is OrderType.TRAILING_STOP:
            fields["trigger"] = self.profile.triggers[0]
        if first is not None:
            fields["price"] = f"{first:f}"
        if second is not None:
            fields["price2"] = f"{second:f}"
        fields["oflags"] = "post,fciq" if order.post_only else "fciq"
        if order.is_exit:
            fields["stptype"] = PREVENTION
        fields |= self._in_force(order, in_force)
        fields |= self._margin(order)
        return fields | (self.times.field(order) if in_time else {})

    def _in_force(self, order: Order, in_force: TimeInForce) -> dict[str, str]:
        """How long it rests. What is to expire expires at the exchange, too: a little later than here, for whoever was to cancel it may be gone."""
        rests = in_force in (TimeInForce.GTC, TimeInForce.GTD)
        if rests and order.expires_at is not None and order.expires_at - self.clock.now() >= EXPIRY_LEAST:
            return {"timeinforce": "GTD", "expiretm": str(self.theirs(order.expires_at) // SECOND + 2)}
        return {} if rests else {"timeinforce": in_force.value.upper()}

    def _margin(self, order: Order) -> dict[str, str]:
        """An order that names a leverage is on margin, and only those can be reduce-only."""
        if order.leverage is None or self.instrument(order.symbol).moves_coins(order.leverage):
            return {}
        return {"leverage": f"{order.leverage.normalize():f}"} | ({"reduce_only": "true"} if order.reduce_only else {})

    async def validate(self, order: Order) -> str:
        """Kraken's own dry run."""
        try:
            await self._private_call("private_post_addorder", self.fields(order) | {"validate": "true"}, 4)
        except RefusedError as error:
            return str(error)
        return ""

    async def _submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        name = order.client_order_id
        try:
            told = await self._placed(order, lane)
        except RefusedError as error:
            self.modes.refused(order.symbol, str(error))
            return (r.Rejected(name, str(error), self.clock.now(), duplicate=DUPLICATE in str(error)),)
        identities = told.get("txid") if isinstance(told, dict) else None
        if not identities:
            raise OutcomeUnknownError("an answer without an order id")
        self.known.keep(_with(order, str(identities[0])))
        return (r.Accepted(name, str(identities[0]), self.clock.now()),)

    async def _placed(self, order: Order, lane: int) -> Any:
        """Send an order; where the exchange refuses it for the time alone, once more. Raises RefusedError, or like `send`."""
        in_time = await self.times.settle(order)
        try:
            return await self._private_call("private_post_addorder", self.fields(order, in_time=in_time), lane)
        except RefusedError as error:
            again = await self.times.refused(order, str(error)) if in_time else None
            if again is None:
                raise
        return await self._private_call("private_post_addorder", self.fields(order, in_time=again), lane)

    async def _amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        fields = self._about(request.client_order_id, request.venue_order_id)
        for name, value in (("order_qty", request.size), ("limit_price", request.price), ("trigger_price", request.trigger)):
            if value is not None:
                fields[name] = f"{value:f}"
        try:
            await self._private_call("private_post_amendorder", fields, request.lane)
        except RefusedError as error:
            self.modes.refused(request.symbol, str(error))
            return (r.AmendRejected(request.client_order_id, str(error), self.clock.now()),)
        known = self.known.order(request.client_order_id)
        if known is None:
            raise OutcomeUnknownError("amended an order whose terms are not known: it must be asked for")
        size = known.size if request.size is None else request.size
        price = known.price if request.price is None else request.price
        trigger = known.trigger if request.trigger is None else request.trigger
        self.known.amended(replace(known, size=size, price=price, trigger=trigger), self.clock.now())
        return (r.Amended(request.client_order_id, size, price, trigger, self.clock.now()),)

    async def _cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]:
        name = request.client_order_id
        try:
            told = await self._private_call("private_post_cancelorder", self._about(name, request.venue_order_id), request.lane)
        except RefusedError as error:
            return (r.CancelRejected(name, str(error), self.clock.now(), gone=str(error).startswith(GONE)),)
        if told.get("pending") or not int(told.get("count", 0)):
            raise OutcomeUnknownError("the exchange has not cancelled it yet")
        self.known.ended(name, self.clock.now())
        return (r.Cancelled(name, None, "User requested", self.clock.now()),)

    def _about(self, client: str, venue_id: str | None) -> dict[str, str]:
        """How a request names an order: by the exchange's id where it is known, for ours may be used again."""
        found = venue_id or self.known.venue_id_of(client)
        return {"txid": found} if found else {"cl_ord_id": client}

    # Questions

    def parts(self) -> SpotParts:
        """Who asks for parts of a picture."""
        return SpotParts(self, self._private_call, self._order, self._fill, self._net)

    async def _query(self, request: Query) -> tuple[r.VenueReport, ...]:
        name, asked = request.client_order_id, self.clock.now()
        found = await self._by_id(name, request.lane) or await self._by_client(name, request.lane)
        if found is None:
            if self.proves_absence() and self.known.venue_id_of(name) is None:
                return (r.Absent(name, asked),)
            raise OutcomeUnknownError("no view lists it, but views may lag, and the stream has not been heard for long enough")
        identity, row = found
        order = self._order(identity, row)
        fills = await self._fills_of(order, row, request.lane)
        if not order.is_open:
            self.known.ended(name, asked)
        return (r.Found(order, fills, self.clock.now()),)

    async def _by_id(self, name: str, lane: int) -> tuple[str, Mapping[str, Any]] | None:
        """An order by the exchange's id; None where that is not known or the question fails: then there is another way. Raises RateLimitedError."""
        identity = self.known.venue_id_of(name)
        if identity is None:
            return None
        try:
            told = await self._private_call("private_post_queryorders", {"txid": identity, "trades": "true", **EACH}, lane)
        except RateLimitedError:
            raise
        except VenueError:
            return None
        return (identity, told[identity]) if identity in told else None

    async def _by_client(self, name: str, lane: int) -> tuple[str, Mapping[str, Any]] | None:
        asked = {"cl_ord_id": name, "trades": "true"}
        for method, key, more in (("private_post_openorders", "open", {}), ("private_post_closedorders", "closed", EACH)):
            told = (await self._private_call(method, {**asked, **more}, lane)).get(key, {})
            rows = {identity: row for identity, row in told.items() if row.get("cl_ord_id") == name}
            if rows:
                latest = max(rows, key=lambda identity: Decimal(str(rows[identity].get("opentm", 0))))
                self.known.name(latest, name)
                return latest, rows[latest]
        return None

    def _order(self, identity: str, row: Mapping[str, Any]) -> Order:
        """An order as REST tells it."""
        descr = row["descr"]
        client = str(row.get("cl_ord_id") or self.known.client_of(identity) or identity)
        filled = Decimal(str(row["vol_exec"]))
        status = FILLED_STATES[str(row["status"])]
        if status is Status.OPEN and filled:
            status = Status.PARTIALLY_FILLED
        if status is Status.CANCELLED and filled == Decimal(str(row["vol"])):
            status = Status.FILLED
        order = order_from_fields(
            client,
            identity,
            self.names.symbol(str(descr["pair"])),
            Side(str(descr["type"])),
            str(descr["ordertype"]),
            Decimal(str(row["vol"])),
            first=str(descr["price"]),
            second=str(descr["price2"]),
            stop=str(row.get("stopprice", "0")),
            filled=filled,
            value=Decimal(str(row["cost"])),
            status=status,
            reduce_only=bool(row.get("reduce_only")),
            created_at=self.ours(int(Decimal(str(row["opentm"])) * SECOND)),
            foreign=not client.startswith(self.prefix),
            reason=str(row.get("reason") or ""),
            known=self.known.order(client),
            leverage=positive(str(descr.get("leverage", "none")).removeprefix("none").partition(":")[0]),
        )
        if self.known.order(client) is None:  # of what is known, a view that lags tells nothing better
            self.known.keep(order)
        return order

    async def _fills_of(self, order: Order, row: Mapping[str, Any], lane: int) -> tuple[Fill, ...]:
        """The executions of an order: those that were heard, and the others by their ids."""
        wanted = [str(name) for name in row.get("trades", ())]
        missing = [name for name in wanted if self.known.execution(name) is None]
        found = {fill.execution_id: fill for name in wanted if (fill := self.known.execution(name)) is not None}
        for index in range(0, len(missing), IDS):
            told = await self._private_call("private_post_querytrades", {"txid": ",".join(missing[index : index + IDS])}, lane)
            for fills in self.listed.fills(told, lambda _: order.client_order_id, wanted).values():
                for fill in fills:
                    self.known.fill(fill)
                    found[fill.execution_id] = fill
        return tuple(sorted(found.values(), key=lambda fill: fill.at))

    async def fee_of(self, fill: Fill, lane: int) -> Decimal | None:
        """The fee of an execution, in its quote currency, where the exchange lists it by now. Raises like `send`."""
        told = await self._private_call("private_post_querytrades", {"txid": fill.execution_id}, lane)
        row = told.get(fill.execution_id)
        return None if row is None or row.get("fee") is None else Decimal(str(row["fee"]))

    def _fill(self, name: str, row: Mapping[str, Any], client: str) -> Fill:
        """An execution as REST tells it."""
        symbol = self.names.symbol(str(row["pair"]))
        return Fill(
            name,
            client,
            symbol,
            Side(str(row["type"])),
            Decimal(str(row["price"])),
            Decimal(str(row["vol"])),
            Decimal(str(row["fee"])),
            symbol.partition("/")[2],
            Liquidity.MAKER if row.get("maker") else Liquidity.TAKER,
            self.ours(int(Decimal(str(row["time"])) * SECOND)),
        )

    async def _account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        asked, lane = self.clock.now(), request.lane
        since = min(request.since, asked - LOOK_BACK)  # what is known to have happened lately tells how old a view is
        trades = await self._trades(since, lane)  # first: what the later answers hold is no older than this
        long = len(trades) > PAGE  # the exchange's limits are near, and nobody wants to read it all again
        opened = (await self._patient_call("private_post_openorders", {"trades": "true"}, lane, again=long))["open"]
        balances = await self._patient_call("private_post_balanceex", {}, lane, again=long)
        held = await self._patient_call("private_post_openpositions", {}, lane, again=long) if request.on_margin and self._lends else {}
        orders = tuple(order for identity, row in opened.items() if (order := self._readable(identity, row)) is not None)
        await self._learn({str(row["ordertxid"]) for row in trades.values()}, lane, again=long)
        rows = self.listed.fills(trades, lambda row: self.known.client_of(str(row["ordertxid"])) or str(row["ordertxid"]))
        distinct = {fill.execution_id: fill for fills in rows.values() for fill in fills}
        listed = tuple(sorted(distinct.values(), key=lambda fill: (fill.at, fill.execution_id)))
        as_of = self.as_of(asked, since, orders, [fill.execution_id for fill in listed])
        fills = tuple(fill for fill in listed if fill.at >= request.since)
        self._liquidations(fills, trades)
        cash: dict[str, Decimal] = {}
        for code, row in balances.items():
            name = self.names.asset(code)
            cash[name] = cash.get(name, ZERO) + Decimal(str(row["balance"]))
        told = {name: amount for name, amount in cash.items() if amount}
        for order in orders:
            self.known.works(order.client_order_id, order.created_at)
        complete = len(trades) < PAGES * PAGE  # else what is older was not read
        told_since = request.since if complete else max(request.since, listed[0].at + 1)
        return (r.Picture(as_of, orders, fills, told, self._net(held), self.clock.now(), told_since),)

    def _readable(self, identity: str, row: Mapping[str, Any]) -> Order | None:
        """An open order; None for somebody else's that lacks a field, which is told. Raises like `_order` for one of ours."""
        try:
            return self._order(identity, row)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            client = str(row.get("cl_ord_id") or self.known.client_of(identity) or identity)
            if client.startswith(self.prefix):
                raise
            self.notice("ROW_SKIPPED", identity, f"an open order that is not ours: {type(error).__name__}: {str(error)[:60]}")
            return None

    def _liquidations(self, fills: Sequence[Fill], trades: Mapping[str, Mapping[str, Any]]) -> None:
        """Tell what the exchange closed by itself before the picture that lists it: the stream may have been down."""
        for fill in fills:
            row = trades.get(fill.execution_id, {})
            if "liquidat" in str(row.get("misc", "")) and not fill.client_order_id.startswith(self.prefix):
                self.tell(r.Liquidated(fill.symbol, fill, fill.at))

    @property
    def _lends(self) -> bool:
        """Whether anything that is traded here can be on margin."""
        return any(instrument.can_short for instrument in self._instruments.values())

    def _net(self, positions: Mapping[str, Mapping[str, Any]]) -> dict[str, Decimal]:
        """What is on margin, by symbol: each opening execution is a position of its own, of which a part may be closed."""
        net: dict[str, Decimal] = {}
        for row in positions.values():
            symbol = self.names.symbol(str(row["pair"]))
            size = (Decimal(str(row["vol"])) - Decimal(str(row["vol_closed"]))) * Side(str(row["type"])).sign
            net[symbol] = net.get(symbol, ZERO) + size
        return net

    async def _trades(self, since: int, lane: int) -> dict[str, Any]:
        """Executions from a time on, page after page."""
        found: dict[str, Any] = {}
        for _ in range(PAGES):
            asked = {"start": str(max(self.theirs(since), 0) // SECOND), "ofs": str(len(found)), **EACH}
            told = await self._patient_call("private_post_tradeshistory", asked, lane, again=bool(found))
            page = told.get("trades", {})
            found |= page
            if not page or len(found) >= int(told.get("count", 0)):
                break
            await asyncio.sleep(0)
        return found

    async def _learn(self, identities: set[str], lane: int, *, again: bool) -> None:
        """Whose executions they are: the history tells the exchange's ids only."""
        unknown = sorted(identity for identity in identities if identity and self.known.client_of(identity) is None)
        for index in range(0, len(unknown), 50):
            told = await self._patient_call("private_post_queryorders", {"txid": ",".join(unknown[index : index + 50])}, lane, again=again)
            for identity, row in told.items():
                self.known.name(identity, str(row.get("cl_ord_id") or identity))


def _with(order: Order, identity: str) -> Order:
    return replace(order, venue_order_id=identity, status=Status.OPEN)
