"""Kraken spot's REST: signatures, nonces, counters, and every endpoint that a trader's client calls."""

import json
import re
from collections import deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web
from msgspec.structs import replace

from engine.exchange import RateLimit
from engine.exchange.exchange import FIXED_COST
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.instrument import Kind
from engine.model.money import ZERO
from engine.model.order import Order, Status
from engine.model.quote import Quote, Trade
from engine.model.request import Amend, Lane
from engine.model.side import Side
from engine.wire import lossy
from engine.wire.keys import Key
from engine.wire.spot import shapes
from engine.wire.spot.orders import USERREF, Market, OrderError, Wanted, deadline, invalid, level, number, parse
from engine.wire.spot.pairs import Pair, Pairs, asset
from engine.wire.world import Logged, Terms, World, terms_of

Json = dict[str, Any]
PAGE = 50
SPREADS = 200
INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
"""Minutes that a candle may last."""
NANOSECONDS = 10**26
"""A time above this was told in nanoseconds where seconds are the rule."""
NEVER = 1 << 63
COUNT = re.compile(r"[0-9]{1,12}")
BATCH = (2, 15)
LIMITED = "EAPI:Rate limit exceeded"
COSTS = {"TradesHistory": 2.0, "ClosedOrders": 1.0, "Ledgers": 2.0, "QueryLedgers": 2.0, "QueryTrades": 1.0}
TRADING = frozenset(
    {"AddOrder", "AddOrderBatch", "AmendOrder", "EditOrder", "CancelOrder", "CancelOrderBatch", "CancelAll", "CancelAllOrdersAfter"},
)
"""Not counted by the REST counter but by the matching engine's."""
PERMISSION = {
    "AddOrder": "modify-trades",
    "AddOrderBatch": "modify-trades",
    "AmendOrder": "modify-trades",
    "EditOrder": "modify-trades",
    "CancelOrder": "close-trades",
    "CancelOrderBatch": "close-trades",
    "CancelAll": "close-trades",
    "CancelAllOrdersAfter": "close-trades",
    "OpenOrders": "query-open-trades",
    "OpenPositions": "query-open-trades",
    "QueryOrders": "query-open-trades",
    "QueryTrades": "query-closed-trades",
    "ClosedOrders": "query-closed-trades",
    "TradesHistory": "query-closed-trades",
    "Balance": "query-funds",
    "BalanceEx": "query-funds",
    "TradeBalance": "query-funds",
    "TradeVolume": "query-funds",
    "Ledgers": "query-ledger",
    "QueryLedgers": "query-ledger",
    "GetWebSocketsToken": "create-ws-token",
}


class Spot:
    """The exchange as a client of REST sees it; the stream asks the same things."""

    def __init__(self, world: World, key: Key) -> None:
        self.world = world
        self.key = key
        self.pairs = Pairs(world.exchange.instruments.values())
        self.days = {symbol: shapes.Day() for symbol in world.exchange.instruments}
        self._last_sizes: dict[str, Decimal] = {}
        self._spreads: dict[str, deque[list[Any]]] = {symbol: deque(maxlen=SPREADS) for symbol in world.exchange.instruments}
        self._candles: dict[str, deque[list[Any]]] = {symbol: deque(maxlen=720) for symbol in world.exchange.instruments}
        self.market = Market(self._last, self._held)
        world.on_trade.append(self._traded)
        world.on_quote.append(self._quoted)
        world.on_close = self._closing  # type: ignore[method-assign]

    # The market

    def _last(self, symbol: str) -> Decimal | None:
        book = self.world.exchange.books[symbol]
        return book.last if book.last is not None else book.mid

    def _held(self, symbol: str) -> Decimal:
        """A position on margin: what was sold beyond what was held, in the pair in which that was done last."""
        exchange = self.world.exchange
        instruments = exchange.instruments
        base = instruments[symbol].base
        owed = min(exchange.ledger.cash.get(base, ZERO), ZERO)
        if not owed:
            return ZERO
        sold = (fill.symbol for fill in reversed(exchange.fills) if fill.side is Side.SELL and instruments[fill.symbol].base == base)
        return owed if next(sold, symbol) == symbol else ZERO

    def _traded(self, trade: Trade) -> None:
        self.days[trade.symbol].add(trade.price, trade.size)
        self._last_sizes[trade.symbol] = trade.size
        self._candle(trade.symbol, trade.at, trade.price, trade.size)

    def _quoted(self, quote: Quote) -> None:
        self.days[quote.symbol].see(quote.mid)
        digits = max(self.pairs.by_symbol[quote.symbol].price_decimals, 5)
        self._spreads[quote.symbol].append([quote.at // 1_000_000_000, f"{quote.bid:.{digits}f}", f"{quote.ask:.{digits}f}"])
        self._candle(quote.symbol, quote.at, quote.mid, ZERO)

    def _candle(self, symbol: str, at: int, price: Decimal, size: Decimal) -> None:
        minute = at // 60_000_000_000 * 60
        rows = self._candles[symbol]
        if not rows or rows[-1][0] != minute:
            rows.append([minute, price, price, price, price, ZERO, ZERO, 0])
        row = rows[-1]
        row[2], row[3], row[4] = max(row[2], price), min(row[3], price), price
        row[5] += size * price
        row[6] += size
        row[7] += 1 if size else 0

    # HTTP

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return [
            web.get("/0/public/{name}", self._public),
            web.post("/0/public/{name}", self._public),
            web.post("/0/private/{name}", self._private),
        ]

    async def _public(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        fields = {**request.query, **_fields(await request.read(), request.content_type)}
        logged = self._logged(f"/0/public/{name}", fields)
        method = PUBLIC.get(name)
        return await lossy.carried(self.world, request, lambda: self._answered(logged, method, fields), {"error": [LIMITED]})

    async def _private(self, request: web.Request) -> web.StreamResponse:
        name, body = request.match_info["name"], await request.read()
        fields = _fields(body, request.content_type)
        logged = self._logged(f"/0/private/{name}", {key: text for key, text in fields.items() if key != "nonce"})
        headers = request.headers

        def act() -> Json:
            text = self._barred(name, fields.get("nonce", ""), body, headers.get("API-Key", ""), headers.get("API-Sign", ""))
            if text:
                logged.outcome = text
                return {"error": [text]}
            return self._answered(logged, PRIVATE.get(name), fields)

        return await lossy.carried(self.world, request, act, {"error": [LIMITED]})

    def _logged(self, path: str, fields: dict[str, str]) -> Logged:
        entry = self.world.logged(path, fields)
        if lossy.is_stormy(self.world):
            entry.outcome = LIMITED
        return entry

    def _answered(self, logged: Logged, method: "Method | None", fields: Mapping[str, str]) -> Json:
        try:
            if method is None:
                raise OrderError("EGeneral:Unknown method")
            result = method(self, fields)
        except OrderError as error:
            logged.outcome = str(error)
            return {"error": [str(error)]}
        logged.outcome = "ok"
        return {"error": [], "result": result}

    def _barred(self, name: str, nonce: str, body: bytes, key: str, signature: str) -> str:
        """Why a private request is not looked at; empty where it is."""
        if key != self.key.key:
            return "EAPI:Invalid key"
        if not self.key.signed(f"/0/private/{name}", nonce, body, signature):
            return "EAPI:Invalid signature"
        if not self.key.fresh(nonce):
            return "EAPI:Invalid nonce"
        needed = PERMISSION.get(name)
        if needed is not None and needed not in self.key.permissions:
            return "EGeneral:Permission denied"
        if name not in TRADING and not self.world.spend("rest", COSTS.get(name, 1.0)):
            return LIMITED
        return ""

    # Public

    def time(self, _: Mapping[str, str]) -> Json:
        """The exchange's clock."""
        now = self.world.now()
        return {"unixtime": now // 1_000_000_000, "rfc1123": shapes.rfc1123(now)}

    def status(self, _: Mapping[str, str]) -> Json:
        """Always online."""
        return {"status": "online", "timestamp": shapes.rfc3339(self.world.now())[:19] + "Z"}

    def assets(self, _: Mapping[str, str]) -> Json:
        """Currencies."""
        exchange = self.world.exchange
        return {asset(name): shapes.asset_info(name) for name in shapes.currencies(tuple(exchange.instruments.values()), exchange.ledger.cash)}

    def asset_pairs(self, fields: Mapping[str, str]) -> Json:
        """Pairs."""
        return {pair.key: shapes.pair_info(pair) for pair in self._asked_pairs(fields)}

    def _asked_pairs(self, fields: Mapping[str, str]) -> list[Pair]:
        if not fields.get("pair"):
            return list(self.pairs.all)
        found = [self.pairs.find(name) for name in fields["pair"].split(",")]
        if None in found:
            raise OrderError("EQuery:Unknown asset pair")
        return [pair for pair in found if pair is not None]

    def ticker(self, fields: Mapping[str, str]) -> Json:
        """Best prices and the day."""
        books, told = self.world.exchange.books, {}
        for pair in self._asked_pairs(fields):
            book = books[pair.symbol]
            size = self._last_sizes.get(pair.symbol, ZERO)
            told[pair.key] = shapes.ticker_info(pair, book.quote, book.last, size, self.days[pair.symbol])
        return told

    def depth(self, fields: Mapping[str, str]) -> Json:
        """The book."""
        pair, count = self._one(fields), whole(fields, "count", 100)
        book, now = self.world.exchange.books[pair.symbol], self.world.now() // 1_000_000_000
        digits = max(pair.price_decimals, 5)

        def rows(side: Side) -> list[list[Any]]:
            return [[f"{price:.{digits}f}", f"{size:.3f}", now] for price, size in book.depth(side, count)]

        return {pair.key: {"asks": rows(Side.SELL), "bids": rows(Side.BUY)}}

    def _one(self, fields: Mapping[str, str]) -> Pair:
        pair = self.pairs.find(fields.get("pair", ""))
        if pair is None:
            raise OrderError("EQuery:Unknown asset pair")
        return pair

    def trades(self, fields: Mapping[str, str]) -> Json:
        """The last prints."""
        pair = self._one(fields)
        since = self._time(fields, "since") or 0
        if since > NANOSECONDS:  # both seconds and its own `last` are understood
            since //= 1_000_000_000
        rows = [
            [f"{t.price:.5f}", f"{t.size:.8f}", shapes.seconds(t.at), "b" if t.taker is not Side.SELL else "s", "m", "", n]
            for n, t in self.world.numbered(pair.symbol)
            if t.at > since
        ]
        last = self.world.trades[pair.symbol][-1].at if self.world.trades[pair.symbol] else self.world.now()
        return {pair.key: rows, "last": str(last)}

    def ohlc(self, fields: Mapping[str, str]) -> Json:
        """Candles of some minutes."""
        pair, minutes, since = self._one(fields), whole(fields, "interval", 1), whole(fields, "since", 0)
        if minutes not in INTERVALS:
            raise invalid("interval")
        digits = max(pair.price_decimals, 1)
        merged: list[list[Any]] = []
        for row in self._candles[pair.symbol]:
            start = row[0] // (minutes * 60) * (minutes * 60)
            if merged and merged[-1][0] == start:
                last = merged[-1]
                last[2], last[3], last[4] = max(last[2], row[2]), min(last[3], row[3]), row[4]
                last[5], last[6], last[7] = last[5] + row[5], last[6] + row[6], last[7] + row[7]
            else:
                merged.append([start, *row[1:]])

        def told(row: list[Any]) -> list[Any]:
            vwap = row[5] / row[6] if row[6] else ZERO
            return [row[0], *(f"{price:.{digits}f}" for price in (*row[1:5], vwap)), f"{row[6]:.8f}", row[7]]

        rows = [told(row) for row in merged if row[0] >= since]
        return {pair.key: rows, "last": rows[-2][0] if len(rows) > 1 else 0}

    def spread(self, fields: Mapping[str, str]) -> Json:
        """The last quotes."""
        pair, since = self._one(fields), whole(fields, "since", 0)
        rows = [row for row in self._spreads[pair.symbol] if row[0] >= since]
        return {pair.key: rows, "last": rows[-1][0] if rows else self.world.now() // 1_000_000_000}

    # The account

    def balance(self, _: Mapping[str, str]) -> Json:
        """Amounts by currency."""
        return {asset(name): f"{amount:.{4 if asset(name).startswith('Z') else 10}f}" for name, amount in self.world.seen().cash.items()}

    def balance_ex(self, _: Mapping[str, str]) -> Json:
        """Amounts, and what open orders hold back."""
        seen = self.world.seen()
        return {asset(name): {"balance": f"{amount:.10f}", "hold_trade": f"{seen.kept.get(name, ZERO):.10f}"} for name, amount in seen.cash.items()}

    def trade_balance(self, _: Mapping[str, str]) -> Json:
        """Equity and margin."""
        exchange = self.world.exchange
        equity = exchange.ledger.equity(exchange.instruments, exchange.mid)
        used, _needed = exchange.ledger.margin(exchange.instruments, exchange.mid)
        told = {"eb": equity, "tb": equity, "m": used, "uv": ZERO, "n": ZERO, "c": ZERO, "v": ZERO, "e": equity, "mf": equity - used}
        if used:
            told["ml"] = equity / used * 100
        return {name: f"{amount:.4f}" for name, amount in told.items()}

    def open_orders(self, fields: Mapping[str, str]) -> Json:
        """Orders that work."""
        wanted = [order for order in self.world.seen().orders if _asked(order, fields)]
        return {"open": {order.client_order_id: self._info(order, fields) for order in wanted}}

    def closed_orders(self, fields: Mapping[str, str]) -> Json:
        """Orders that have ended, the latest first, fifty a page."""
        seen = self.world.seen()
        start, end = self._time(fields, "start"), self._time(fields, "end")
        ended = [
            order
            for order in reversed(list(self.world.exchange.ended.values()))
            if order.status is not Status.REJECTED
            and (order.closed_at or 0) <= seen.at
            and (start is None or (order.closed_at or 0) > start)
            and (end is None or (order.closed_at or 0) <= end)
            and _asked(order, fields)
        ]
        page = ended[whole(fields, "ofs", 0) :][:PAGE]
        return {"closed": {order.client_order_id: self._info(order, fields) for order in page}, "count": len(ended)}

    def query_orders(self, fields: Mapping[str, str]) -> Json:
        """Orders by their ids."""
        told: Json = {}
        names = [name for name in fields.get("txid", "").split(",") if name]
        if fields.get("cl_ord_id"):
            found = self.world.ended_of_client(fields["cl_ord_id"])
            names += [found] if found is not None else []
        if len(names) > PAGE:
            raise invalid("txid")
        for name in names:
            order = self.world.order(name)
            if order is None or order.status is Status.REJECTED:
                raise invalid("txid") if not _is_txid(name) else OrderError("EOrder:Unknown order")
            told[name] = self._info(order, fields)
        return told

    def _info(self, order: Order, fields: Mapping[str, str]) -> Json:
        fills = self.world.executions(order)
        return shapes.order_info(
            order,
            terms_of(order),
            self.pairs.by_symbol[order.symbol],
            fills,
            self.level(order),
            trades=fields.get("trades", "").lower() == "true",
        )

    def level(self, order: Order) -> Decimal | None:
        """Where a stop fires now."""
        trail = self.world.exchange.books[order.symbol].trail_of(order.client_order_id) if order.trail is not None else None
        return order.trigger if trail is None else trail[1]

    def _time(self, fields: Mapping[str, str], name: str) -> int | None:
        """A time in nanoseconds from seconds, or of the order or execution of an id."""
        text = fields.get(name, "")
        if text in ("", "0"):
            return None
        try:
            return int(Decimal(text) * 1_000_000_000)
        except (ArithmeticError, ValueError):
            order = self.world.order(text)
            return order.closed_at if order is not None else None

    def trades_history(self, fields: Mapping[str, str]) -> Json:
        """Executions, the latest first, fifty a page."""
        seen = self.world.seen()
        start, end = self._time(fields, "start"), self._time(fields, "end")
        found = [
            fill
            for fill in self.world.exchange.fills
            if fill.at <= seen.at and (start is None or fill.at > start) and (end is None or fill.at <= end)
        ]
        page = found[::-1][whole(fields, "ofs", 0) :][:PAGE]
        return {"trades": {fill.execution_id: self._trade(fill) for fill in page}, "count": len(found)}

    def query_trades(self, fields: Mapping[str, str]) -> Json:
        """Executions by their ids."""
        wanted = set(fields.get("txid", "").split(","))
        return {fill.execution_id: self._trade(fill) for fill in self.world.exchange.fills if fill.execution_id in wanted}

    def _trade(self, fill: Fill) -> Json:
        order = self.world.order(fill.client_order_id)
        terms = terms_of(order) if order is not None else Terms(kind="market", user=False)
        return shapes.trade_info(fill, order, terms, self.pairs.by_symbol[fill.symbol])

    def open_positions(self, fields: Mapping[str, str]) -> Json | list[Json]:
        """What was sold beyond what was held, a position by pair."""
        exchange = self.world.exchange
        told: Json = {}
        for pair in self.pairs.all:
            held = self._held(pair.symbol)
            if held and exchange.instruments[pair.symbol].kind is Kind.SPOT:
                value = abs(held) * (self._last(pair.symbol) or ZERO)
                told[f"TP{pair.key[:4]}-POSIT-IONAAA"] = {
                    "ordertxid": "",
                    "posstatus": "open",
                    "pair": pair.key,
                    "time": shapes.seconds(self.world.now()),
                    "type": "sell",
                    "ordertype": "market",
                    "cost": f"{value:.5f}",
                    "fee": "0.00000",
                    "vol": f"{abs(held):.8f}",
                    "vol_closed": "0.00000000",
                    "margin": f"{value / exchange.instruments[pair.symbol].max_leverage:.5f}",
                    "value": f"{value:.4f}",
                    "net": "0.0000",
                    "terms": "0.0200% per 4 hours",
                    "rollovertm": str(self.world.now() // 1_000_000_000 + 14_400),
                    "misc": "",
                    "oflags": "",
                }
        return [shapes.consolidated(row) for row in told.values()] if fields.get("consolidation") == "market" else told

    def trade_volume(self, fields: Mapping[str, str]) -> Json:
        """The thirty days' volume and the fees that follow from it."""
        exchange = self.world.exchange
        volume = exchange.ledger.volume(self.world.now())
        fees, makers = {}, {}
        for pair in self._asked_pairs(fields) if fields.get("pair") else []:
            tier = pair.instrument.fees_at(volume)
            fees[pair.key] = {
                "fee": f"{tier.taker * 100:.4f}",
                "minfee": "0.1000",
                "maxfee": "0.4000",
                "nextfee": None,
                "nextvolume": None,
                "tiervolume": f"{tier.volume:.4f}",
            }
            makers[pair.key] = {**fees[pair.key], "fee": f"{tier.maker * 100:.4f}"}
        return {"currency": "ZUSD", "volume": f"{volume:.4f}", "fees": fees, "fees_maker": makers}

    def ledgers(self, fields: Mapping[str, str]) -> Json:
        """Changes of balances, the latest first, fifty a page."""
        names = [name for name in fields.get("asset", "all").split(",") if name != "all"]
        codes = {code for name in names for code in (name, asset(name))}
        start, end = self._time(fields, "start") or 0, self._time(fields, "end") or NEVER
        wanted = [(n, row) for n, row in self._ledger().items() if (not codes or row["asset"] in codes) and start < row["time"] * 1e9 <= end]
        return {"ledger": dict(wanted[whole(fields, "ofs", 0) :][:PAGE]), "count": len(wanted)}

    def query_ledgers(self, fields: Mapping[str, str]) -> Json:
        """Changes of balances by their ids."""
        found = self._ledger()
        return {name: found[name] for name in fields.get("id", "").split(",") if name in found}

    def _ledger(self) -> dict[str, Json]:
        """Changes of balances, from the executions."""
        found: dict[str, Json] = {}
        for fill in reversed(self.world.exchange.fills):
            instrument = self.world.exchange.instruments[fill.symbol]
            for currency, amount in ((instrument.base, fill.size * fill.side.sign), (instrument.quote, -fill.size * fill.price * fill.side.sign)):
                fee = fill.fee if currency == fill.fee_currency else ZERO
                found[shapes.ledger_id(fill, currency, instrument)] = {
                    "aclass": "currency",
                    "amount": f"{amount:.10f}",
                    "asset": asset(currency),
                    "balance": f"{self.world.exchange.ledger.cash.get(currency, ZERO):.10f}",
                    "fee": f"{fee:.10f}",
                    "refid": fill.execution_id,
                    "time": shapes.seconds(fill.at),
                    "type": "trade",
                    "subtype": "",
                }
        return found

    def key_info(self, _: Mapping[str, str]) -> Json:
        """What the key may do."""
        return {
            "api_key_name": "flatout",
            "api_key": self.key.key,
            "nonce": str(self.key.nonce),
            "nonce_window": "0",
            "permissions": list(self.key.permissions),
            "iban": "AA00 N84G TEST TEST",
            "valid_until": "0",
            "query_from": "0",
            "query_to": "0",
            "created_time": str(self.world.began // 1_000_000_000),
            "modified_time": str(self.world.began // 1_000_000_000),
            "ip_allowlist": [],
            "last_used": str(self.world.now() // 1_000_000_000),
        }

    def token(self, _: Mapping[str, str]) -> Json:
        """A token for the private stream."""
        return {"token": self.key.new_token(self.world.now()), "expires": 900}

    # Trading

    def add_order(self, fields: Mapping[str, str]) -> Json:
        """Place an order."""
        wanted = parse(fields, self.pairs, self.market, self.world.now())
        described: Json = {"order": shapes.sentence(wanted.order, wanted.terms, wanted.pair)}
        if wanted.terms.close is not None:
            described["close"] = shapes.close_sentence(wanted.terms)
        if wanted.validate:
            self.check(wanted)
            return {"descr": described}
        told: Json = {"txid": [self.place(wanted)], "descr": described}
        if wanted.terms.client:
            told["cl_ord_id"] = wanted.terms.client
        return told

    def check(self, wanted: Wanted) -> None:
        """What would become of an order. Raises OrderError."""
        text = self.world.admits(wanted.order) or self._short_of_coins(wanted.order, wanted.order.size)
        if text:
            raise OrderError(text)

    def _short_of_coins(self, order: Order, size: Decimal) -> str:
        """Without leverage nothing is sold that is not held."""
        if order.leverage is not None or order.side is Side.BUY or order.reduce_only:
            return ""
        exchange = self.world.exchange
        free = exchange.ledger.free(exchange.instruments[order.symbol].base, order.client_order_id)
        return "EOrder:Insufficient funds" if free < size - order.filled else ""

    def place(self, wanted: Wanted) -> str:
        """Take an order in; its id. Raises OrderError."""
        done = self.world.place(wanted.order, wanted.terms, self._short_of_coins(wanted.order, wanted.order.size))
        if isinstance(done, RateLimit | r.Rejected):
            raise OrderError(done.text)
        return done.venue_order_id

    def add_batch(self, fields: Mapping[str, str]) -> Json:
        """Place several orders of one pair: all are checked before the first is placed."""
        orders = _listed(fields, "orders")
        if not BATCH[0] <= len(orders) <= BATCH[1]:
            raise invalid("orders")
        common = {key: fields[key] for key in ("pair", "deadline", "validate") if key in fields}
        if not all(isinstance(order, Mapping) for order in orders):
            raise invalid("orders")
        wanted = [parse({**_flat(order), **common}, self.pairs, self.market, self.world.now()) for order in orders]
        told: list[Json] = []
        for one in wanted:
            row: Json = {"descr": {"order": shapes.sentence(one.order, one.terms, one.pair)}}
            if one.terms.close is not None:
                row["close"] = shapes.close_sentence(one.terms)
            if one.validate:
                told.append(row)
                continue
            try:
                row["txid"] = self.place(one)
                if one.terms.client:
                    row["cl_ord_id"] = one.terms.client
            except OrderError as error:
                row = {"error": str(error)}
            told.append(row)
        return {"orders": told}

    def _named(self, fields: Mapping[str, str]) -> str:
        """The open order that a request is about. Raises OrderError."""
        name = fields.get("txid", "") or fields.get("order_id", "")
        if fields.get("cl_ord_id"):
            name = self.world.of_client(fields["cl_ord_id"]) or ""
        if name not in self.world.exchange.orders:
            raise OrderError("EOrder:Unknown order")
        return name

    def amend_order(self, fields: Mapping[str, str]) -> Json:
        """Change a working order in place."""
        name = self._named(fields)
        order = self.world.exchange.orders[name]
        pair = self.pairs.by_symbol[order.symbol]
        size = number(fields, "order_qty")
        price = self._level(fields, "limit_price", order, pair)
        trigger = self._level(fields, "trigger_price", order, pair)
        if size is None and price is None and trigger is None:
            raise OrderError("EGeneral:Invalid arguments:No fields to amend")
        deadline(fields, self.world.now())
        if size is not None and (text := self._short_of_coins(order, size)):
            self.world.spend(order.symbol, FIXED_COST)
            raise OrderError(text)
        asked = Amend(name, order.symbol, Lane.ENTRY, name, size, price, trigger)
        done = self.world.amend(asked)
        if isinstance(done, RateLimit | r.AmendRejected):
            raise OrderError(done.text)
        self._retell(name, price, trigger, pair)
        return {"amend_id": self.world.exchange.new_order_id().replace("O", "T", 1)}

    def _level(self, fields: Mapping[str, str], name: str, order: Order, pair: Pair) -> Decimal | None:
        text = fields.get(name, "")
        return None if text in ("", "0") else level(text, name, order.side, pair, self._last(order.symbol))

    def _retell(self, name: str, price: Decimal | None, trigger: Decimal | None, pair: Pair) -> None:
        """The terms of an order say its new prices from now on."""
        order = self.world.exchange.orders.get(name)
        if order is None:
            return
        terms, digits = terms_of(order), pair.price_decimals
        first, second = (trigger, price) if order.trigger is not None else (price, None)
        if first is not None:
            terms = replace(terms, price=f"{first:.{digits}f}")
        if second is not None:
            terms = replace(terms, price2=f"{second:.{digits}f}")
        self.world.exchange.put(replace(order, label=msgspec.json.encode(terms).decode()))
        self.world.settle()

    def edit_order(self, fields: Mapping[str, str]) -> Json:
        """Cancel an order and place another one like it."""
        name = self._named(fields)
        order = self.world.exchange.orders[name]
        terms = terms_of(order)
        if order.filled or terms.close is not None:
            raise OrderError("EOrder:Order not editable")
        renewed = {
            "pair": fields.get("pair", ""),
            "type": order.side.value,
            "ordertype": terms.kind,
            "volume": fields.get("volume") or f"{order.size:f}",
            "price": fields.get("price") or terms.price.replace(",", ""),
            "price2": fields.get("price2") or terms.price2,
            "leverage": terms.leverage,
            "oflags": fields.get("oflags", ",".join(terms.flags)),
            **{key: fields[key] for key in ("deadline", "validate", "userref") if key in fields},
        }
        wanted = parse(renewed, self.pairs, self.market, self.world.now())
        text = self.world.admits(wanted.order)
        if text and text != "EOrder:Insufficient funds":  # the funds that the old one keeps are free once it is gone
            raise OrderError(text)
        if not wanted.validate:
            self._ended(name)
            placed = self.place(wanted)
        return {
            "status": "ok",
            "txid": placed if not wanted.validate else "",
            "originaltxid": name,
            "volume": f"{wanted.order.size:.8f}",
            "price": wanted.terms.price,
            "price2": wanted.terms.price2,
            "orders_cancelled": 0 if wanted.validate else 1,
            "descr": {"order": shapes.sentence(wanted.order, wanted.terms, wanted.pair)},
        }

    def cancel_order(self, fields: Mapping[str, str]) -> Json:
        """Cancel an order, or all of a user reference."""
        text = fields.get("txid", "")
        if not fields.get("cl_ord_id") and USERREF.fullmatch(text):
            names = [name for name, order in self.world.exchange.orders.items() if terms_of(order).userref == int(text)]
            if not names:
                raise OrderError("EOrder:Unknown order")
        else:
            names = [self._named(fields)]
        for name in names:
            self._ended(name)
        return {"count": len(names)}

    def _ended(self, name: str) -> None:
        done = self.world.cancel(name)
        if isinstance(done, RateLimit | r.CancelRejected):
            raise OrderError(done.text)

    def cancel_batch(self, fields: Mapping[str, str]) -> Json:
        """Cancel several; those that are gone already are not counted."""
        names = [str(name) for name in (*_listed(fields, "orders"), *_listed(fields, "cl_ord_ids"))]
        count = 0
        for name in names:
            found = name if name in self.world.exchange.orders else self.world.of_client(name)
            if found is not None:
                self._ended(found)
                count += 1
        return {"count": count}

    def cancel_all(self, _: Mapping[str, str]) -> Json:
        """Cancel everything."""
        return {"count": len(self.world.cancel_all())}

    def cancel_after(self, fields: Mapping[str, str]) -> Json:
        """The dead man's switch."""
        seconds = number(fields, "timeout") or ZERO
        if not 0 <= seconds <= 86_400:
            raise invalid("timeout")
        self.world.arm(float(seconds))
        now = shapes.rfc3339(self.world.now())[:19] + "Z"
        at = self.world.dead_man_at
        return {"currentTime": now, "triggerTime": "0" if at is None else shapes.rfc3339(at)[:19] + "Z"}

    def _closing(self, report: r.Filled, order: Order) -> None:
        """Each fill of an order with a conditional close brings an order of its own size."""
        terms, fill = terms_of(order), report.fill
        assert terms.close is not None
        kind, price, second = terms.close
        fields = {
            "pair": self.pairs.by_symbol[order.symbol].key,
            "type": order.side.opposite.value,
            "ordertype": kind,
            "volume": f"{fill.size:f}",
            "price": price,
            "price2": second,
            "leverage": terms.leverage,
        }
        try:
            wanted = parse(fields, self.pairs, Market(lambda _: fill.price, self._held), self.world.now())
        except OrderError:
            return  # as at the exchange: a close that makes no sense is dropped
        self.world.place(wanted.order, replace(wanted.terms, primary=order.client_order_id, user=False))


def whole(fields: Mapping[str, str], name: str, otherwise: int) -> int:
    """A field that counts something. Raises OrderError."""
    text = fields.get(name, "") or str(otherwise)
    if not COUNT.fullmatch(text):
        raise invalid(name)
    return int(text)


def _is_txid(name: str) -> bool:
    return len(name) >= 10 and name.count("-") == 2


def _asked(order: Order, fields: Mapping[str, str]) -> bool:
    """Whether an order is among those that are asked for."""
    terms = terms_of(order)
    if fields.get("cl_ord_id") and terms.client != fields["cl_ord_id"]:
        return False
    return not fields.get("userref") or str(terms.userref) == fields["userref"]


def _fields(body: bytes, content_type: str) -> dict[str, str]:
    """Form fields, or those of a JSON body; what is nested stays JSON text."""
    text = body.decode("utf-8", "replace")
    if content_type == "application/json":
        try:
            told = json.loads(text or "{}", parse_float=str)
        except (ValueError, RecursionError):
            return {}
        return _flat(told) if isinstance(told, dict) else {}
    try:
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        return {}


def _flat(told: Mapping[str, Any]) -> dict[str, str]:
    """A JSON object as form fields: `close` becomes `close[...]`, truth is `true`."""
    fields: dict[str, str] = {}
    for key, value in told.items():
        if isinstance(value, Mapping):
            fields |= {f"{key}[{inner}]": str(text) for inner, text in value.items()}
        elif isinstance(value, list):
            fields[key] = json.dumps(value)
        elif isinstance(value, bool):
            fields[key] = "true" if value else "false"
        elif value is not None:
            fields[key] = str(value)
    return fields


def _listed(fields: Mapping[str, str], name: str) -> list[Any]:
    """A field that is a list: JSON text, or `name[0]`, `name[1]` of a form."""
    if name in fields:
        try:
            found = json.loads(fields[name], parse_float=str)
        except (ValueError, RecursionError):
            raise invalid(name) from None
        return found if isinstance(found, list) else [found]
    rows: dict[int, Any] = {}
    for key, text in fields.items():
        if key.startswith(f"{name}["):
            index, _, inner = key.removeprefix(f"{name}[").partition("]")
            if not COUNT.fullmatch(index):
                continue
            if inner:
                outer, _, within = inner[1:-1].partition("][")
                rows.setdefault(int(index), {})[f"{outer}[{within}]" if within else outer] = text
            else:
                rows[int(index)] = text
    return [rows[index] for index in sorted(rows)]


Method = Callable[[Spot, Mapping[str, str]], Json | list[Json]]
PUBLIC: dict[str, Method] = {
    "Time": Spot.time,
    "SystemStatus": Spot.status,
    "Assets": Spot.assets,
    "AssetPairs": Spot.asset_pairs,
    "Ticker": Spot.ticker,
    "Depth": Spot.depth,
    "Trades": Spot.trades,
    "OHLC": Spot.ohlc,
    "Spread": Spot.spread,
}
PRIVATE: dict[str, Method] = {
    "Balance": Spot.balance,
    "BalanceEx": Spot.balance_ex,
    "TradeBalance": Spot.trade_balance,
    "OpenOrders": Spot.open_orders,
    "ClosedOrders": Spot.closed_orders,
    "QueryOrders": Spot.query_orders,
    "TradesHistory": Spot.trades_history,
    "QueryTrades": Spot.query_trades,
    "OpenPositions": Spot.open_positions,
    "TradeVolume": Spot.trade_volume,
    "Ledgers": Spot.ledgers,
    "QueryLedgers": Spot.query_ledgers,
    "GetApiKeyInfo": Spot.key_info,
    "GetWebSocketsToken": Spot.token,
    "AddOrder": Spot.add_order,
    "AddOrderBatch": Spot.add_batch,
    "AmendOrder": Spot.amend_order,
    "EditOrder": Spot.edit_order,
    "CancelOrder": Spot.cancel_order,
    "CancelOrderBatch": Spot.cancel_batch,
    "CancelAll": Spot.cancel_all,
    "CancelAllOrdersAfter": Spot.cancel_after,
}
