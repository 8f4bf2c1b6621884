"""Kraken spot: every request as raw fields of its REST API, every answer read from raw text.

What rests: stops as `stop-loss`, closes with a bound as immediate-or-cancel limits (Kraken's market
orders have no bound). An order that names a leverage is on margin: the exchange holds what it opens
as positions beside the balances, and only orders that name one close them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.profile import Profile
from engine.model.quote import Bar, BookShown, Quote
from engine.model.request import Amend, Cancel, Query, QueryAccount
from engine.venues.live import fees, past
from engine.venues.live.account import KeyFacts, Where
from engine.venues.live.hearing import Hears
from engine.venues.live.keys import Credentials
from engine.venues.live.kraken_names import Names
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.deadlines import SpotClocks
from engine.venues.live.kraken_spot.fills import Listed
from engine.venues.live.kraken_spot.forms import Forms
from engine.venues.live.kraken_spot.modes import Modes
from engine.venues.live.kraken_spot.orders import SpotOrders
from engine.venues.live.kraken_spot.owners import Owners
from engine.venues.live.kraken_spot.parts import SpotParts
from engine.venues.live.kraken_spot.pictures import SpotPictures
from engine.venues.live.kraken_spot.prices import PublicStream
from engine.venues.live.kraken_spot.questions import SpotQuestions
from engine.venues.live.kraken_spot.rows import SpotRows
from engine.venues.live.kraken_spot.stream import PrivateStream
from engine.venues.live.rest import Rest
from engine.venues.live.socket import Socket
from engine.venues.live.vetoes import Vetoes
from engine.venues.protocol import NonceError, OutcomeUnknownError, RateLimitedError, RefusedError

LIMITED = 3.0
"""Seconds before a part of a question is asked again that was refused for the limits."""
NEEDED = frozenset(
    {"query-funds", "query-open-trades", "query-closed-trades", "modify-trades", "close-trades"}
)
"""What a key must be allowed, by the names of GetApiKeyInfo."""
QUESTIONS = (
    "public_get_assets",
    "public_get_assetpairs",
    "public_get_time",
    "public_get_systemstatus",
    "public_get_ticker",
    "public_get_ohlc",
)
ASKED = (
    *("addorder", "amendorder", "cancelorder"),
    *("openorders", "closedorders", "queryorders", "querytrades", "tradeshistory"),
    *("balanceex", "openpositions", "getapikeyinfo", "getwebsocketstoken", "tradevolume"),
)
"""What ccxt must be able to ask: public questions, and private requests without their beginning."""
MISFITS = (
    *("EOrder:Invalid price", "EOrder:Tick size", "EOrder:Order minimum", "EOrder:Cost minimum"),
    *("EGeneral:Invalid arguments:price", "EGeneral:Invalid arguments:volume"),
)


class KrakenSpot(SpotBase):
    """An account at Kraken spot."""

    exchange = "kraken"
    misfits = MISFITS
    adds_symbols = True
    needs = (*QUESTIONS, *(f"private_post_{name}" for name in ASKED))

    def __init__(
        self,
        profile: Profile,
        where: Where,
        credentials: Credentials | None,
        clock: Clock,
        *,
        rest: type[Rest] = Rest,
    ) -> None:
        super().__init__(profile, where, credentials, clock, rest=rest)
        self.modes: Modes = Modes(self)
        self.rows = SpotRows(self)
        self.forms = Forms(self)
        self.orders = SpotOrders(self, self.forms)
        self.questions = SpotQuestions(self, self.rows)
        self.pictures = SpotPictures(self, self.rows)
        self.listed = Listed(self.known, self.rows.fill)
        self.clocks = SpotClocks(self)
        self.owners = Owners(self.known)
        self.vetoes = Vetoes("stptype", "trigger", "oflags")
        self._public_stream: PublicStream | None = None

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
            self.where = replace(
                self.where,
                symbols=tuple(
                    symbol for symbol in self.where.symbols if symbol in self.names.symbols
                ),
            )
        elif unknown:
            near = [s for s in self.names.symbols if s.split("/")[0] == unknown[0].split("/")[0]][
                :5
            ]
            raise RefusedError(
                f"market.symbols: {unknown[0]} is not traded at {self.exchange}; allowed:"
                f" {', '.join(near) or 'see its list of pairs'}"
            )
        await self.clocks.measure()
        self.where = replace(self.where, symbols=(*self.where.symbols, *self.converting()))
        self.modes.listed(self.names.modes())
        return [self.names.instrument(symbol, self.profile) for symbol in self.where.symbols]

    async def connect(
        self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        """Begin to listen; who does hears at once which pairs take no orders now."""
        await super().connect(on_report, on_quote)
        self.modes.again()

    def converting(self) -> tuple[str, ...]:
        """The pairs that turn what is traded, and what it is paid in, into the account's currency:
        without them profit has no value there.
        """
        ours, found = self.where.currency, dict[str, None]()
        for name in dict.fromkeys(
            name for symbol in self.where.symbols for name in symbol.split("/")
        ):
            pairs = (f"{name}/{ours}", f"{ours}/{name}")
            found |= dict.fromkeys([pair for pair in pairs if pair in self.names.symbols][:1])
        return tuple(pair for pair in found if pair not in self.where.symbols)

    def _sockets(self) -> Sequence[Socket]:
        self._private = PrivateStream(self)
        return [self._private.socket, self._public_socket()]

    def _public_socket(self) -> Socket:
        self._public_stream = PublicStream(self)
        return self._public_stream.socket

    def public_stream(self) -> Hears | None:
        """The stream of prices."""
        return self._public_stream

    def listed_symbols(self) -> tuple[str, ...]:
        """All pairs."""
        return self.names.symbols

    def follow(self, symbol: str) -> None:
        """Ask for the levels of a symbol that is heard here."""
        if symbol in self.heard and self._public_stream is not None:
            self._public_stream.books.follow(symbol)

    def book(self, symbol: str, count: int) -> BookShown | None:
        """The levels of the book channel, once they were asked for."""
        stream = self._public_stream
        return None if stream is None else stream.books.shown(symbol, count)

    async def past(self, symbol: str) -> dict[int, list[Bar]]:
        """OHLC of a symbol. Raises VenueError."""

        async def ask(length: int, since: int) -> list[Bar | None]:
            fields = {
                "pair": self.names.pair(symbol),
                "interval": length // past.LENGTHS[0],
                "since": since // SECOND,
            }
            told = await self.public_result("public_get_ohlc", fields)
            [rows] = [rows for name, rows in told.items() if name != "last"]
            return [past.bar(int(row[0]) * SECOND, (*row[1:5], row[6])) for row in rows]

        return await past.asked(ask, self.clock)

    async def public_result(self, method: str, params: Mapping[str, Any] | None = None) -> Any:
        """The result of a public question. Raises VenueError."""
        return self._result(await self.rest.public(method, params))

    async def token(self) -> str:
        """A token for the private stream. Raises like `send`."""
        self.tell(r.Charged("rest", 1.0, self.clock.now()))
        return str((await self.private_call("private_post_getwebsocketstoken", {}, 1))["token"])

    async def measure_skew(self) -> int:
        """From the status of the exchange, to the second."""
        began = self.clock.now()
        told = self._result(await self.rest.public("public_get_time"))
        ended = self.clock.now()
        at = int(told["unixtime"]) * SECOND
        if at <= ended and at + SECOND >= began:
            return 0  # it tells whole seconds: nothing says that the clocks differ
        return at + SECOND // 2 - (began + ended) // 2

    async def fee_rates(self) -> Sequence[r.FeesTold]:
        """From the volume of thirty days and the fees that follow from it; a schedule without
        makers has one fee for both.
        """
        self.tell(r.Charged("rest", 1.0, self.clock.now()))
        pairs = ",".join(self.names.pair(symbol) for symbol in self.where.symbols)
        told = await self.private_call("private_post_tradevolume", {"pair": pairs}, fees.LANE)
        makers, now = told.get("fees_maker") or told["fees"], self.clock.now()
        rows = (
            (self.names.symbol(key), makers.get(key, row)["fee"], row["fee"])
            for key, row in told["fees"].items()
        )
        return [fees.told(*row, now) for row in rows]

    async def key_facts(self) -> KeyFacts:
        """What the key may do."""
        told = await self.private_call("private_post_getapikeyinfo", {}, 5)
        permissions = tuple(str(name) for name in told.get("permissions", ()))
        return KeyFacts(
            permissions, set(permissions) >= NEEDED, any("withdraw" in name for name in permissions)
        )

    # Answers

    def _result(self, answer: Any) -> Any:
        """What an answer says. Raises as its errors mean; a result beside a warning is a result."""
        errors = (
            [str(text) for text in answer.get("error", ())]
            if isinstance(answer, dict)
            else ["no answer"]
        )
        if (
            isinstance(answer, dict)
            and answer.get("result") is not None
            and not any(text.startswith("E") for text in errors)
        ):
            return answer["result"]
        if errors:
            raise self.judge(errors)
        raise OutcomeUnknownError("an answer without a result")

    async def private_call(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed request's result. Raises like `signed`."""
        try:
            return await self.signed(method, params, lane)
        except NonceError:  # a nonce is made of the clock
            self.clocks.again()
            raise

    async def patient_call(
        self, method: str, params: Mapping[str, Any], lane: int, *, again: bool
    ) -> Any:
        """A part of a long question; `again`: where it is refused for the limits, once more, for
        others were answered. Raises like `send`.
        """
        while True:
            try:
                return await self.private_call(method, params, lane)
            except RateLimitedError:
                if not again:
                    raise
                await asyncio.sleep(LIMITED)

    # Orders

    def fields(self, order: Order) -> dict[str, str]:
        """An order as form fields. Raises NotSentError where it could not be in time."""
        return self.forms.fields(order)

    async def validate(self, order: Order) -> str:
        """Kraken's own dry run."""
        try:
            await self.private_call(
                "private_post_addorder", self.fields(order) | {"validate": "true"}, 4
            )
        except RefusedError as error:
            return str(error)
        return ""

    # Questions

    def parts(self) -> SpotParts:
        """Who asks for parts of a picture."""
        return SpotParts(self, self.private_call, self.rows.order, self.rows.fill, self.rows.net)

    async def _submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        return await self.orders.submit(order, lane)

    async def _amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        return await self.orders.amend(request)

    async def _cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]:
        return await self.orders.cancel(request)

    async def _query(self, request: Query) -> tuple[r.VenueReport, ...]:
        return await self.questions.query(request)

    async def _account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        return await self.pictures.account(request)

    async def fee_of(self, fill: Fill, lane: int) -> Decimal | None:
        """The fee of an execution, in its quote currency, where the exchange lists it by now.
        Raises like `send`.
        """
        return await self.questions.fee_of(fill, lane)
