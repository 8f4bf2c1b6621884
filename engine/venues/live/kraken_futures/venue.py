"""Kraken Futures: every request as raw parameters of its REST API, every answer read from raw text.

A stop and a target may rest together, exits are reduce-only, and closes with a bound go out as
immediate-or-cancel orders.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.quote import Bar, BookShown
from engine.model.request import Amend, Cancel, Lane, Query, QueryAccount
from engine.venues.live import fees, past
from engine.venues.live.account import KeyFacts
from engine.venues.live.freshness import LOOK_BACK
from engine.venues.live.hearing import Hears
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.budget import Budget
from engine.venues.live.kraken_futures.deadlines import FuturesClocks
from engine.venues.live.kraken_futures.forms import Forms
from engine.venues.live.kraken_futures.history import FuturesExecutions
from engine.venues.live.kraken_futures.listing import instrument_of, skew
from engine.venues.live.kraken_futures.modes import Modes
from engine.venues.live.kraken_futures.orders import FuturesOrders
from engine.venues.live.kraken_futures.parts import FuturesParts
from engine.venues.live.kraken_futures.prices import PublicStream
from engine.venues.live.kraken_futures.questions import FuturesQuestions
from engine.venues.live.kraken_futures.rows import FuturesRows
from engine.venues.live.kraken_futures.stream import PrivateStream
from engine.venues.live.socket import Socket
from engine.venues.live.vetoes import Vetoes
from engine.venues.protocol import OutcomeUnknownError, RefusedError, VenueError

HOST = "https://futures.kraken.com"
STREAM = "wss://futures.kraken.com/ws/v1"
MISFITS = (
    "invalidPrice",
    "invalidSize",
    "invalidArgument: limitPrice",
    "invalidArgument: stopPrice",
    "invalidArgument: size",
)
NEEDS = (
    *(
        "public_get_instruments",
        "public_get_tickers",
        "public_get_feeschedules",
        "charts_get_price_type_symbol_interval",
        "private_get_feeschedules_volumes",
    ),
    *(
        "private_post_sendorder",
        "private_post_editorder",
        "private_post_cancelorder",
        "private_put_leveragepreferences",
    ),
    *(
        "private_post_orders_status",
        "private_get_orders_status",
        "private_get_openorders",
        "private_get_fills",
        "private_get_openpositions",
        "private_get_accounts",
    ),
)
"""What ccxt must be able to ask."""


class KrakenFutures(FuturesBase):
    """An account at Kraken Futures."""

    exchange = "krakenfutures"
    misfits = MISFITS
    adds_symbols = True
    needs = NEEDS

    def __init__(self, *args: Any, **more: Any) -> None:  # Any: as LiveVenue takes them
        super().__init__(*args, **more)
        self.rows = FuturesRows(self)
        self.executions = FuturesExecutions(self)
        self.questions = FuturesQuestions(self, self.executions)
        self.modes = Modes(self)
        self.vetoes = Vetoes("processBefore", "triggerSignal")
        self.clocks = FuturesClocks(self)
        self.forms = Forms(self)
        self.orders = FuturesOrders(self, self.forms)
        self._schedules: dict[str, str] = {}
        """By symbol, the fee schedule that it is in."""
        self._levels: PublicStream | None = None
        self._listed: tuple[str, ...] = ()
        self.opened_at: int | None = None
        """When it began to listen."""

    # Opening

    def _urls(self) -> Mapping[str, Any]:
        host = self.where.rest or HOST
        derivatives = f"{host}/derivatives/api/"
        paths = {
            "charts": "charts",
            "history": "history",
            "feeschedules": "feeschedules",
            "auth": "auth",
        }
        return {"public": derivatives, "private": derivatives} | {
            name: f"{host}/api/{path}/" for name, path in paths.items()
        }

    def stream_url(self) -> str:
        """Where the streams are: one address for both."""
        return f"{self.where.ws}/v1" if self.where.ws is not None else STREAM

    async def _load_instruments(self) -> Sequence[Instrument]:
        told = self._result(await self.rest.public("public_get_instruments"))
        rows = {
            str(row["symbol"]).upper(): row for row in told["instruments"] if row.get("tradeable")
        }
        self._listed = tuple(rows)
        unknown = [symbol for symbol in self.where.symbols if symbol not in rows]
        if unknown and self.where.lenient:
            self.where = replace(
                self.where, symbols=tuple(symbol for symbol in self.where.symbols if symbol in rows)
            )
        elif unknown:
            near = ", ".join(sorted(name for name in rows if name.startswith("PF_"))[:5])
            raise RefusedError(
                f"market.symbols: {unknown[0]} is not traded at {self.exchange}; allowed: {near}"
                " and the like"
            )
        self.skew = skew(told, self.clock.now())
        self.clocks.compared()
        self._schedules = {
            symbol: str(rows[symbol].get("feeScheduleUid", "")) for symbol in self.where.symbols
        }
        return [instrument_of(symbol, rows[symbol], self.profile) for symbol in self.where.symbols]

    async def past(self, symbol: str) -> dict[int, list[Bar]]:
        """Candles of a contract's trades. Raises VenueError."""

        async def ask(length: int, since: int) -> list[Bar | None]:
            fields = {
                "price_type": "trade",
                "symbol": symbol,
                "interval": "1m" if length == past.LENGTHS[0] else "1h",
                "from": since // SECOND,
                "to": self.clock.now() // SECOND,
            }
            told = await self.rest.public("charts_get_price_type_symbol_interval", fields)
            names = ("open", "high", "low", "close", "volume")
            return [
                past.bar(int(row["time"]) * 1_000_000, [row[name] for name in names])
                for row in told.get("candles") or ()
            ]

        return await past.asked(ask, self.clock)

    def _sockets(self) -> Sequence[Socket]:
        self._private, self.opened_at = PrivateStream(self), self.clock.now()
        return [self._private.socket, self._public_socket()]

    def _public_socket(self) -> Socket:
        self._public_stream = self._levels = PublicStream(self)
        return self._public_stream.socket

    def public_stream(self) -> Hears | None:
        """The stream of prices."""
        return self._levels

    def listed_symbols(self) -> tuple[str, ...]:
        """All contracts that trade."""
        return self._listed

    def book(self, symbol: str, count: int) -> BookShown | None:
        """The levels of the book feed, which prices come from."""
        return None if self._levels is None else self._levels.book(symbol, count)

    def sign(self, challenge: str) -> tuple[str, str]:
        """The key, and a challenge as the secret signs it."""
        return self.rest.sign_challenge(challenge)

    async def measure_skew(self) -> int:
        """From the time in any of its answers, less half the way."""
        began = self.clock.now()
        told = self._result(await self.rest.public("public_get_tickers"))
        return skew(told, (began + self.clock.now()) // 2)

    async def fee_rates(self) -> Sequence[r.FeesTold]:
        """From the schedules, and the volume of thirty days in each."""
        now = self.clock.now()
        self.tell(r.Charged("derivatives", 1.0, now))
        schedules = self._result(await self.rest.public("public_get_feeschedules"))["feeSchedules"]
        volumes = (await self.signed("private_get_feeschedules_volumes", {}, fees.LANE))[
            "volumesByFeeSchedule"
        ]
        ours = [one for one in schedules if one["uid"] in self._schedules.values()]
        tiers = {
            str(one["uid"]): fees.at_volume(one["tiers"], Decimal(str(volumes.get(one["uid"], 0))))
            for one in ours
        }
        known = ((symbol, tiers.get(uid)) for symbol, uid in self._schedules.items())
        return [
            fees.told(symbol, tier["makerFee"], tier["takerFee"], now)
            for symbol, tier in known
            if tier is not None
        ]

    async def key_facts(self) -> KeyFacts:
        """What the key may do: access to trading and to transfers is told apart."""
        told = await self.rest.request("check", "auth", {"version": "v1/api-keys/v3"}, 5)
        if not isinstance(told, dict) or "permissions" not in told:
            raise self.judge(
                [str(told.get("error", "no permissions are told"))]
                if isinstance(told, dict)
                else ["no answer"]
            )
        access = {str(name): str(word) for name, word in told["permissions"].items()}
        permissions = tuple(f"{name}: {word}" for name, word in access.items())
        return KeyFacts(
            permissions,
            access.get("general") == "full_access",
            access.get("transfer", "no_access") == "full_access",
        )

    # Answers

    def _result(self, answer: Any) -> Any:
        """What an answer says. Raises as its error means."""
        if isinstance(answer, dict) and (
            answer.get("result") == "success" or isinstance(answer.get("elements"), list)
        ):
            return answer  # the history tells no result
        error = answer.get("error") if isinstance(answer, dict) else None
        errors = (
            [str(error)]
            if error
            else (
                [str(text) for text in answer.get("errors", ())] if isinstance(answer, dict) else []
            )
        )
        if errors:
            raise self.judge(errors)
        raise OutcomeUnknownError("an answer without a result")

    # Orders

    def fields(self, order: Order) -> dict[str, str]:
        """An order as parameters."""
        return self.forms.fields(order)

    async def validate(self, order: Order) -> str:
        """There is no dry run here: nothing is known to be wrong."""
        return ""

    def time_refused(self) -> None:
        """A refusal named the nonce, which is made of the time."""
        self.clocks.again()

    # Rows that can't be read

    def skipped(self, what: str, name: str, symbol: str) -> None:
        """A row was left out: somebody is told, once."""
        about = f"{what} {name} of {symbol}" if symbol else f"{what} {name}"
        self.notice(
            AlertCode.ROW_SKIPPED,
            about,
            "a field is missing or makes no sense; the row is left out, the others go on",
        )

    def look_again(self, identity: str) -> None:
        """Ask over REST what a row of the stream was about."""
        self.spawn(self._look_again(identity))

    async def _look_again(self, identity: str) -> None:
        name = self.known.client_of(identity) or ""
        known = self.known.order(name)
        try:
            for fill in await self.executions.fills(
                self.clock.now() - LOOK_BACK, Lane.QUERY, Budget(self, 0.0)
            ):
                self.tell(r.Filled(fill, fill.at))
            if known is not None and name.startswith(self.prefix):
                for report in await self._query(Query(name, known.symbol)):
                    self.tell(report)
        except VenueError:
            return  # the next picture of the account tells it

    # Questions

    def parts(self) -> FuturesParts:
        """Who asks for parts of a picture."""
        return FuturesParts(self, self.signed)

    async def _submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]:
        return await self.orders.submit(order, lane)

    async def _amend(self, request: Amend) -> tuple[r.VenueReport, ...]:
        return await self.orders.amend(request)

    async def _cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]:
        return await self.orders.cancel(request)

    def edited(self, order: Order) -> None:
        """The stream tells an edit."""
        self.orders.edited(order)

    async def _query(self, request: Query) -> tuple[r.VenueReport, ...]:
        return await self.questions.query(request)

    async def _account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]:
        return await self.questions.account(request)
