"""What all live venues share: the tasks of the streams, the way in for requests, and what an error
means.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from engine.clock import Clock
from engine.model import report as r
from engine.model.address import refused
from engine.model.ids import account_prefix
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.profile import Profile
from engine.model.quote import Bar, BookShown, Quote, Trade
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit
from engine.venues.live import fees
from engine.venues.live.account import KeyFacts, Where
from engine.venues.live.errors import Outcome, outcome
from engine.venues.live.hearing import Hears
from engine.venues.live.keys import Credentials
from engine.venues.live.nonces import Nonces
from engine.venues.live.rest import Rest
from engine.venues.live.socket import Socket
from engine.venues.live.telling import Telling
from engine.venues.live.terms import Terms
from engine.venues.protocol import (
    NonceError,
    NotSentError,
    OutcomeUnknownError,
    RateLimitedError,
    RefusedError,
)

PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before what an exchange trades is asked for again."""


MOST_OVERTAKEN = 5
"""How often a request is signed again because others of ours arrived before it."""
SHARED = (
    "another program uses the same API key with larger nonces; give each program a key of its own,"
    " or set a nonce window for the key at the exchange"
)


class LiveVenue(Telling, ABC):
    """An account at an exchange."""

    needs: tuple[str, ...] = ()
    """What ccxt must be able to ask, by its names of the endpoints."""
    misfits: tuple[str, ...] = ()
    """How the texts begin with which it refuses an order for its price or size."""
    adds_symbols: bool = False
    """Whether its stream of prices can be asked for more symbols while it is open."""
    feeds: int = 2
    """Streams that must be heard before anything is known: the private ones."""

    def __init__(
        self,
        profile: Profile,
        where: Where,
        credentials: Credentials | None,
        clock: Clock,
        *,
        rest: type[Rest] = Rest,
    ) -> None:
        """`rest` is how requests leave: `engine/venues/looking.py` has ones that carry questions
        only.
        """
        super().__init__(clock)
        self._profile = profile
        self.where = where
        self.prefix = account_prefix(where.account)
        self.rest = rest(
            self.exchange, credentials, self._urls(), where.timeout, Nonces(where.nonces)
        )
        self.on_trade: Callable[[Trade], None] | None = None
        self.on_wait: Callable[[str, float], None] | None = None
        """Who hears why a question of the opening is asked again, and after how many seconds."""
        self.skew = 0
        """Nanoseconds by which the exchange's clock is ahead of ours."""
        self._credentials = credentials
        self.listing: dict[str, Instrument] = {}
        """What is traded here and was asked for, by symbol."""
        self._tasks: list[asyncio.Task[None]] = []
        self._shared: r.KeyShared | None = None
        self.terms = Terms(self, self.misfits)
        self._is_open = False

    # What the engine asks

    @property
    def name(self) -> str:
        """What the console shows."""
        return self.exchange

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may be written nowhere."""
        return (
            () if self._credentials is None else (self._credentials.key, self._credentials.secret)
        )

    @property
    def live(self) -> bool:
        """Real money."""
        return True

    @property
    def profile(self) -> Profile:
        """What it can do."""
        return self._profile

    async def open(self) -> None:
        """Load ccxt and what is traded. Raises OutcomeUnknownError, NotSentError, RateLimitedError
        or RefusedError.
        """
        if not self._is_open:
            self._check_addresses()
            await self.rest.open(self.needs)
            self.listing = {i.symbol: i for i in await self._patiently(self._load_instruments)}
            self._is_open = True

    async def widen(self, symbols: Iterable[str]) -> None:
        """List these symbols, too; those that the exchange does not trade are left out. Raises as
        `open` does.
        """
        wanted = tuple(dict.fromkeys((*self.where.symbols, *symbols)))
        if wanted != self.where.symbols:
            self.where = replace(self.where, symbols=wanted, lenient=True)
            self.listing = {i.symbol: i for i in await self._patiently(self._load_instruments)}

    @property
    def heard(self) -> tuple[str, ...]:
        """The symbols whose prices are asked for."""
        return tuple(one for one in self.where.symbols if one not in self.unheard)

    def listed_symbols(self) -> tuple[str, ...]:
        """All that the exchange said it trades when it was asked last, as far as a dialect kept
        it.
        """
        return tuple(self.listing)

    def public_stream(self) -> Hears | None:
        """The stream of prices, where a dialect can ask it for more; None before it was made."""
        return None

    def traded(self, symbol: str) -> Instrument | None:
        """What is traded under a symbol; None for one that is not."""
        return self.listing.get(symbol)

    async def list_anew(self) -> None:
        """Ask for what is traded once more, and tell what has changed. Raises like `open`."""
        for instrument in await self._load_instruments():
            if instrument != self.listing.get(instrument.symbol):
                self.listing[instrument.symbol] = instrument
                self.tell(r.Relisted(instrument, self.clock.now()))

    def _check_addresses(self) -> None:
        for kind, address in (("rest", self.where.rest), ("ws", self.where.ws)):
            if address is not None and (why := refused(kind, address)):
                raise RefusedError(f"account.{kind} is {address!r}; {why}")

    async def _patiently(
        self, ask: Callable[[], Awaitable[Sequence[Instrument]]]
    ) -> Sequence[Instrument]:
        """Questions that change nothing are asked again. Raises the last failure."""
        for pause in PAUSES:
            try:
                return await ask()
            except (OutcomeUnknownError, NotSentError, RateLimitedError) as error:
                if self.on_wait is not None:
                    self.on_wait(str(error), pause)
                await asyncio.sleep(pause)
        return await ask()

    async def instruments(self) -> tuple[Instrument, ...]:
        """What can be traded."""
        await self.open()
        return tuple(self.listing.values())

    async def connect(
        self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]
    ) -> None:
        """Begin to listen; `Connected` comes once the private stream has told where the account
        stands.
        """
        self._on_report, self._on_quote = on_report, on_quote
        await self.open()
        if self._shared is not None:  # it was seen while nobody listened yet
            self.tell(self._shared)
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(socket.run(), name=f"{self.exchange} stream")
            for socket in self._sockets()
        ]
        if self._credentials is not None:
            self.spawn(fees.watch(self.fee_rates, self.tell, self.clock))

    def hear_trades(self, on_trade: Callable[[Trade], None]) -> bool:
        """Subscribe to trades, too, from the next connection on."""
        self.on_trade = on_trade
        return True

    def follow(self, symbol: str) -> None:
        """Somebody looks at the levels of a symbol; a dialect whose books are always told has
        nothing to do.
        """

    def book(self, symbol: str, count: int) -> BookShown | None:
        """At most `count` levels a side, where a dialect hears them; this one hears none."""
        return None

    async def listen(
        self, on_quote: Callable[[Quote], None], on_trade: Callable[[Trade], None]
    ) -> None:
        """Only the public stream: prices for a paper account. No key is needed."""
        self._on_quote, self.on_trade = on_quote, on_trade
        await self.open()
        self._tasks = [
            asyncio.get_running_loop().create_task(
                self._public_socket().run(), name=f"{self.exchange} prices"
            )
        ]

    async def close(self) -> None:
        """Hang up; what rests at the exchange stays."""
        self._on_report = self._on_quote = self.on_trade = None
        tasks = [*self._tasks, *self._beside]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        await self.rest.close()
        self._is_open = False

    async def send(self, request: Request) -> tuple[r.VenueReport, ...]:
        """Carry out one request. Raises OutcomeUnknownError, NotSentError or RateLimitedError."""
        try:
            reports = await self._carry_out(request)
        except (
            LookupError,
            TypeError,
            ValueError,
            ArithmeticError,
            AttributeError,
        ) as error:  # it was sent: nothing proves that it failed
            raise OutcomeUnknownError(
                f"an answer that can't be read: {type(error).__name__}: {str(error)[:80]}"
            ) from error
        self.terms.answered(reports)
        return reports

    async def _carry_out(self, request: Request) -> tuple[r.VenueReport, ...]:
        match request:
            case Submit(order=order):
                self.known.send(order)
                return await self._submit(order, request.lane)
            case Amend():
                return await self._amend(request)
            case Cancel():
                return await self._cancel(request)
            case Query():
                return await self._query(request)
            case QueryAccount():
                return await self._account(request)

    async def past(self, symbol: str) -> dict[int, list[Bar]]:
        """Candles of a symbol before now, for charts: bars by their length in nanoseconds; none
        where a dialect asks for none. Raises like `send`.
        """
        return {}

    # What a dialect says

    @abstractmethod
    def _urls(self) -> Mapping[str, Any]: ...

    @abstractmethod
    async def _load_instruments(self) -> Sequence[Instrument]: ...

    @abstractmethod
    def _sockets(self) -> Sequence[Socket]: ...

    @abstractmethod
    def _public_socket(self) -> Socket: ...

    @abstractmethod
    async def _submit(self, order: Order, lane: int) -> tuple[r.VenueReport, ...]: ...

    @abstractmethod
    async def _amend(self, request: Amend) -> tuple[r.VenueReport, ...]: ...

    @abstractmethod
    async def _cancel(self, request: Cancel) -> tuple[r.VenueReport, ...]: ...

    @abstractmethod
    async def _query(self, request: Query) -> tuple[r.VenueReport, ...]: ...

    @abstractmethod
    async def _account(self, request: QueryAccount) -> tuple[r.VenueReport, ...]: ...

    @abstractmethod
    async def key_facts(self) -> KeyFacts:
        """What the key may do. Raises like `send`, and RefusedError."""

    @abstractmethod
    async def fee_rates(self) -> Sequence[r.FeesTold]:
        """What this account pays, for each symbol that is told. Raises like `send`, and what an
        answer raises that can't be read.
        """

    @abstractmethod
    async def measure_skew(self) -> int:
        """Nanoseconds by which the exchange's clock is ahead of ours."""

    @abstractmethod
    async def validate(self, order: Order) -> str:
        """What the exchange would refuse the order for, without placing it; empty where it would
        take it. Raises like `send`.
        """

    # What a dialect uses

    async def signed(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed request's result. Raises as the answer's errors mean.

        One that is refused for its nonce never reached the account: it is signed again, first as it
        was, for our own requests may overtake each other, and then with a nonce from a larger step,
        as long as there is one. Each war of nonces is told to the engine.
        """
        nonces, refusals = self.rest.nonces, 0
        while True:
            step = nonces.step
            try:
                answer = self._result(await self.rest.private(method, params, lane))
            except NonceError as error:
                refusals += 1
                if refusals == 1 or (nonces.overtaken() and refusals < MOST_OVERTAKEN):
                    continue
                self._shared = r.KeyShared(str(error), self.clock.now())
                self.tell(self._shared)
                if not nonces.climb(step):
                    raise
            else:
                nonces.taken()
                return answer

    @abstractmethod
    def _result(self, answer: Any) -> Any:
        """What an answer says. Raises as its errors mean."""

    def judge(self, texts: Sequence[str]) -> Exception:
        """What an answer's errors mean, as the exception to raise."""
        text = "; ".join(texts)
        match outcome(self._profile.errors, texts):
            case Outcome.REFUSED:
                return RefusedError(text)
            case Outcome.RATE_LIMITED:
                return RateLimitedError(text)
            case Outcome.NOT_SENT:
                return NotSentError(text)
            case Outcome.NONCE:
                return NonceError(f"{text}: {SHARED}")
            case Outcome.UNKNOWN:
                return OutcomeUnknownError(text)

    def ours(self, at: int) -> int:
        """A time of the exchange on our clock."""
        return at - self.skew

    def theirs(self, at: int) -> int:
        """A time of ours on the exchange's clock."""
        return at + self.skew

    def instrument(self, symbol: str) -> Instrument:
        """What is traded under a symbol. Raises KeyError."""
        return self.listing[symbol]

    def proves_absence(self) -> bool:
        """Whether an order that no view lists and no stream told of can't be there, though views
        may lag.

        The stream tells of every order as it comes, and when it begins anew it lists those that are
        open and the last that traded. One that came and was cancelled meanwhile has changed
        nothing. Whether one may still be on its way is for the desk to judge.
        """
        return self.healthy_since is not None
