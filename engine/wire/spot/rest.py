"""Kraken spot's REST: signatures, nonces, counters, and who answers which endpoint."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from aiohttp import web

from engine.wire import lossy
from engine.wire.keys import Key
from engine.wire.spot.account import Account
from engine.wire.spot.errors import OrderError
from engine.wire.spot.fields import of_body
from engine.wire.spot.orders import Market
from engine.wire.spot.pairs import Pairs
from engine.wire.spot.public import Public
from engine.wire.spot.trading import Trading
from engine.wire.views import Logged
from engine.wire.world import World

Json = dict[str, Any]
Method = Callable[[Mapping[str, str]], Json | list[Json]]
LIMITED = "EAPI:Rate limit exceeded"
COSTS = {
    "TradesHistory": 2.0,
    "ClosedOrders": 1.0,
    "Ledgers": 2.0,
    "QueryLedgers": 2.0,
    "QueryTrades": 1.0,
}
TRADING = frozenset(
    {
        "AddOrder",
        "AddOrderBatch",
        "AmendOrder",
        "EditOrder",
        "CancelOrder",
        "CancelOrderBatch",
        "CancelAll",
        "CancelAllOrdersAfter",
    }
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
    "OrderAmends": "query-open-trades",
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

    def __init__(self, world: World, key: Key, *more: Key) -> None:
        self.world = world
        self.key = key
        self.keys = {one.key: one for one in (key, *more)}
        """All of the account, by name; each counts its own nonces."""
        self.pairs = Pairs(world.exchange.instruments.values())
        self.market = Market(self._last, world.exchange.ledger.on_margin)
        self.public = Public(world, self.pairs)
        self.account = Account(world, key, self.public, self.market)
        self.trading = Trading(world, self.pairs, self.market)
        self._public_methods: Mapping[str, Method] = self.public.methods()
        self._private_methods: Mapping[str, Method] = {
            **self.account.methods(),
            **self.trading.methods(),
        }

    def _last(self, symbol: str) -> Decimal | None:
        book = self.world.exchange.books[symbol]
        return book.last if book.last is not None else book.mid

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return [
            web.get("/0/public/{name}", self._public),
            web.post("/0/public/{name}", self._public),
            web.post("/0/private/{name}", self._private),
        ]

    async def _public(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        fields = {**request.query, **of_body(await request.read(), request.content_type)}
        logged = self._logged(f"/0/public/{name}", fields)
        method = self._public_methods.get(name)
        return await lossy.carried(
            self.world,
            request,
            lambda: self._answered(logged, method, fields),
            {"error": [LIMITED]},
        )

    async def _private(self, request: web.Request) -> web.StreamResponse:
        name, body = request.match_info["name"], await request.read()
        fields = of_body(body, request.content_type)
        logged = self._logged(
            f"/0/private/{name}", {key: text for key, text in fields.items() if key != "nonce"}
        )
        headers = request.headers

        def act() -> Json:
            text = self._barred(
                name,
                fields.get("nonce", ""),
                body,
                headers.get("API-Key", ""),
                headers.get("API-Sign", ""),
            )
            if text:
                logged.outcome = text
                return {"error": [text]}
            return self._answered(logged, self._private_methods.get(name), fields)

        return await lossy.carried(self.world, request, act, {"error": [LIMITED]})

    def _logged(self, path: str, fields: dict[str, str]) -> Logged:
        entry = self.world.logged(path, fields)
        if lossy.is_stormy(self.world):
            entry.outcome = LIMITED
        return entry

    def _answered(self, logged: Logged, method: Method | None, fields: Mapping[str, str]) -> Json:
        try:
            if method is None:
                raise OrderError("EGeneral:Unknown method")
            result = method(fields)
        except OrderError as error:
            logged.outcome = str(error)
            return {"error": [str(error)]}
        logged.outcome = "ok"
        return {"error": [], "result": result}

    def _barred(self, name: str, nonce: str, body: bytes, key: str, signature: str) -> str:
        """Why a private request is not looked at; empty where it is."""
        found = self.keys.get(key)
        if found is None:
            return "EAPI:Invalid key"
        if not found.signed(f"/0/private/{name}", nonce, body, signature):
            return "EAPI:Invalid signature"
        if not found.fresh(nonce):
            return "EAPI:Invalid nonce"
        needed = PERMISSION.get(name)
        if needed is not None and needed not in found.permissions:
            return "EGeneral:Permission denied"
        self.account.key = found
        if name not in TRADING and not self.world.spend("rest", COSTS.get(name, 1.0)):
            return LIMITED
        return ""
