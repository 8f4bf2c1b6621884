"""Kraken Futures' REST: signatures, nonces, budgets, and every endpoint that a trader's client
calls.

Each request is counted at the door: 500 in ten seconds for trading, 100 in ten minutes for the
history (costs: Kraken API centre, Futures rate limits, read 2026-11). Refusals are HTTP 200 with
`{"result": "error"}`. A nonce may be left out; one that is there must rise.
"""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from aiohttp import web
from msgspec import Struct

from engine.model.limits import Charge, Counter, LimitModel, Window
from engine.model.request import Request
from engine.wire import lossy
from engine.wire.futures import shapes
from engine.wire.futures.account import Account
from engine.wire.futures.batches import batched
from engine.wire.futures.habits import Habits
from engine.wire.futures.history import History
from engine.wire.futures.market import Market, uid
from engine.wire.futures.orders import Fields, RequestError, integer
from engine.wire.futures.products import Products
from engine.wire.futures.times import iso
from engine.wire.futures.trading import Trading
from engine.wire.keys import Key
from engine.wire.world import World

Json = dict[str, Any]
LIMITED = "apiLimitExceeded"
FAILED = "authenticationError"
NOT_ALLOWED = (
    "<html><head><title>405 Not Allowed</title></head><body><h1>405 Not"
    " Allowed</h1></body></html>\n"
)
DONE = frozenset({"placed", "edited", "cancelled", "noOrdersToCancel"})
"""Statuses of requests that did something."""


class AtTheDoor:
    """The limits of an exchange that counts what it is asked before it looks at it: the matching
    engine counts nothing more.
    """

    def __init__(self, model: LimitModel) -> None:
        self._model = model

    @property
    def ages(self) -> float:
        """The exchange's own."""
        return self._model.ages

    def charges(self, _request: Request, _now: int) -> tuple[Charge, ...]:
        """Nothing."""
        return ()

    def counter(self, name: str) -> Counter | Window:
        """The exchange's own."""
        return self._model.counter(name)

    def counters(self) -> Mapping[str, Counter | Window]:
        """The exchange's own."""
        return self._model.counters()


class Endpoint(Struct, frozen=True):
    """One thing that can be asked."""

    method: str
    path: str
    answer: "Callable[[Futures, Fields], Json]"
    cost: float = 1.0
    counter: str = ""
    """Empty where everybody may ask."""
    needs: str = ""
    """A permission."""
    wrapped: bool = True
    """Whether the answer says `success`."""


class Futures:
    """The exchange as a client of REST sees it; the stream tells the same things."""

    def __init__(self, world: World, key: Key, habits: Habits | None = None) -> None:
        self.world = world
        self.key = key
        self.habits = habits or Habits()
        self.products = Products(world.exchange.instruments.values())
        self.market = Market(world, self.products)
        self.trading = Trading(world, self.products, self.habits)
        self.account = Account(world, self.market, self.trading, self.habits)
        self.history = History(self.account)
        exchange = world.exchange
        exchange.limits = AtTheDoor(exchange.limits)
        own = exchange._id  # noqa: SLF001 - ids are UUIDs here, of orders and of executions, the same for the same history
        exchange._id = lambda kind: uid(own(kind))  # type: ignore[method-assign]  # noqa: SLF001

    def routes(self) -> list[web.RouteDef]:
        """Where it answers."""
        return [
            web.route(endpoint.method, endpoint.path, self._serving(endpoint))
            for endpoint in ENDPOINTS
        ]

    def _serving(self, endpoint: Endpoint) -> lossy.Handler:
        async def serve(request: web.Request) -> web.StreamResponse:
            text = (await request.read()).decode("utf-8", "replace")
            asked = request.raw_path.partition("?")[2]
            fields = {**_fields(asked), **_body(text), **request.match_info}
            logged = self.world.logged(request.path, fields, request.method)
            if (
                endpoint.path.endswith("/orders/status")
                and request.method not in self.habits.status_by
            ):
                logged.outcome = "405"
                return web.Response(text=NOT_ALLOWED, status=405, content_type="text/html")

            def act() -> Json:
                try:
                    if endpoint.counter:
                        self._admit(endpoint, request, asked + text, fields)
                    told = endpoint.answer(self, fields)
                except RequestError as refused:
                    logged.outcome = str(refused)
                    return self._error(str(refused))
                logged.outcome = _outcome(told)
                told = self.habits.spoiled(told)
                return (
                    {"result": "success", **told, "serverTime": iso(self.world.now())}
                    if endpoint.wrapped
                    else told
                )

            return await lossy.carried(self.world, request, act, self._error(LIMITED))

        return serve

    def _error(self, text: str) -> Json:
        return {"result": "error", "error": text, "serverTime": iso(self.world.now())}

    def _admit(self, endpoint: Endpoint, request: web.Request, data: str, fields: Fields) -> None:
        """Raises RequestError where a private request is not looked at."""
        headers, key = request.headers, self.key
        nonce, path = headers.get("Nonce", ""), request.path.removeprefix("/derivatives")
        if headers.get("APIKey", "") != key.key or not key.authentic(
            path, nonce, data, headers.get("Authent", "")
        ):
            raise RequestError(FAILED)
        if endpoint.needs and endpoint.needs not in key.permissions:
            raise RequestError(FAILED)
        if nonce and not key.fresh(nonce):
            raise RequestError(
                "nonceDuplicate" if nonce == str(key.nonce) else "nonceBelowThreshold"
            )
        if not self.world.spend(endpoint.counter, _cost(endpoint, fields)):
            raise RequestError(LIMITED)

    def check(self, _: Fields) -> Json:
        """What the key may do."""
        trades = "modify-trades" in self.key.permissions
        return {
            "apiKey": self.key.key,
            "accountUid": shapes.ACCOUNT,
            "iiban": "AA00 N84G TEST TEST",
            "createdAt": iso(self.world.began),
            "permissions": {
                "general": "full_access" if trades else "read_only",
                "transfer": "no_access",
            },
            "allowedCidrBlock": None,
            "allowedCidrBlocks": [],
        }


def _cost(endpoint: Endpoint, fields: Fields) -> float:
    """Batches and long answers cost more."""
    if endpoint.path.endswith("/batchorder"):
        return endpoint.cost + len(batched(fields))
    if endpoint.path.endswith("/fills") and fields.get("lastFillTime"):
        return 25.0
    if endpoint.path.endswith("/account-log"):
        count = integer(fields, "count") or 500
        return next((cost for most, cost in LOG_COSTS if count <= most), 10.0)
    return endpoint.cost


LOG_COSTS = ((25, 1.0), (50, 2.0), (1_000, 3.0), (5_000, 6.0))
"""By the number of rows that are asked for."""


def _outcome(told: Json) -> str:
    status: Json = next(
        (told[name] for name in ("sendStatus", "editStatus", "cancelStatus") if name in told), {}
    )
    said = status.get("status", "ok")
    return "ok" if said in DONE else str(said)


def _fields(text: str) -> dict[str, str]:
    """A query or a form; what comes twice is joined by commas."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        name = name.removesuffix("[]")
        fields[name] = f"{fields[name]},{value}" if name in fields else value
    return fields


def _body(text: str) -> dict[str, str]:
    """A form; a batch may come as JSON that is not encoded."""
    if text.startswith("json="):
        told = text.removeprefix("json=")
        return {"json": told if told.startswith("{") else unquote(told.replace("+", " "))}
    return _fields(text)


def _market(answer: Callable[[Market, Fields], Json]) -> Callable[[Futures, Fields], Json]:
    return lambda futures, fields: answer(futures.market, fields)


def _account(answer: Callable[[Account, Fields], Json]) -> Callable[[Futures, Fields], Json]:
    return lambda futures, fields: answer(futures.account, fields)


def _trading(answer: Callable[[Trading, Fields], Json]) -> Callable[[Futures, Fields], Json]:
    return lambda futures, fields: answer(futures.trading, fields)


def _history(answer: Callable[[History, Fields], Json]) -> Callable[[Futures, Fields], Json]:
    return lambda futures, fields: answer(futures.history, fields)


V3, V4, HISTORY, CHARTS = (
    "/derivatives/api/v3",
    "/derivatives/api/v4",
    "/api/history/{version:v2|v3}",
    "/api/charts/v1",
)
BUDGET = "derivatives"
PUBLIC: tuple[tuple[str, Callable[[Market, Fields], Json]], ...] = (
    (f"{V3}/instruments", Market.instruments),
    (f"{V3}/instruments/status", Market.statuses),
    (f"{V3}/instruments/{{symbol}}/status", Market.status),
    (f"{V3}/tickers", Market.tickers),
    (f"{V3}/tickers/{{symbol}}", Market.ticker),
    (f"{V3}/orderbook", Market.orderbook),
    (f"{V3}/history", Market.history),
    (f"{V3}/feeschedules", Market.fees),
    (f"{V3}/historicalfundingrates", Market.funding),
    (f"{V4}/historicalfundingrates", Market.funding),
)
BARE: tuple[tuple[str, Callable[[Market, Fields], Json]], ...] = (
    (f"{HISTORY}/market/{{symbol}}/executions", Market.executions),
    (f"{CHARTS}/{{price_type}}/{{symbol}}/{{interval}}", Market.candles),
)
"""Public, without `success`."""
ASKED: tuple[tuple[str, str, Callable[[Account, Fields], Json], float], ...] = (
    ("GET", "accounts", Account.accounts, 2.0),
    ("GET", "openpositions", Account.open_positions, 2.0),
    ("GET", "openorders", Account.open_orders, 2.0),
    ("GET", "fills", Account.fills, 2.0),
    ("GET", "leveragepreferences", Account.leverages, 2.0),
    ("PUT", "leveragepreferences", Account.set_leverage, 10.0),
    ("GET", "pnlpreferences", Account.pnl_currencies, 2.0),
    ("GET", "notifications", Account.notifications, 1.0),
    ("GET", "initialmargin", Account.initial_margin, 1.0),
    ("GET", "feeschedules/volumes", Account.volumes, 1.0),
)
TRADED: tuple[tuple[str, Callable[[Trading, Fields], Json], float, str], ...] = (
    ("sendorder", Trading.send, 10.0, "modify-trades"),
    ("editorder", Trading.edit, 10.0, "modify-trades"),
    ("batchorder", Trading.batch, 9.0, "modify-trades"),
    ("cancelorder", Trading.cancel, 10.0, "close-trades"),
    ("cancelallorders", Trading.cancel_all, 25.0, "close-trades"),
    ("cancelallordersafter", Trading.cancel_after, 25.0, "close-trades"),
    ("orders/status", Trading.statuses, 1.0, ""),
)
REMEMBERED: tuple[tuple[str, Callable[[History, Fields], Json]], ...] = (
    ("orders", History.orders),
    ("triggers", History.triggers),
    ("executions", History.executions),
    ("account-log", History.account_log),
)
ENDPOINTS = (
    *(Endpoint("GET", path, _market(answer)) for path, answer in PUBLIC),
    *(Endpoint("GET", path, _market(answer), wrapped=False) for path, answer in BARE),
    *(
        Endpoint(method, f"{V3}/{path}", _account(answer), cost, BUDGET)
        for method, path, answer, cost in ASKED
    ),
    *(
        Endpoint("POST", f"{V3}/{path}", _trading(answer), cost, BUDGET, needs)
        for path, answer, cost, needs in TRADED
    ),
    Endpoint("GET", f"{V3}/orders/status", _trading(Trading.statuses), 1.0, BUDGET),
    *(
        Endpoint("GET", f"{HISTORY}/{path}", _history(answer), 1.0, "history", wrapped=False)
        for path, answer in REMEMBERED
    ),
    Endpoint("GET", "/api/auth/v1/api-keys/v3/check", Futures.check, 1.0, BUDGET, wrapped=False),
)
