"""What all live venues share: the streams' tasks, the way in for requests, and what an error means."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.model import report as r
from engine.model.address import refused
from engine.model.ids import account_prefix
from engine.model.instrument import Instrument
from engine.model.order import Order
from engine.model.profile import Profile
from engine.model.quote import Quote, Trade
from engine.model.request import Amend, Cancel, Query, QueryAccount, Request, Submit
from engine.venues.live.errors import Outcome, outcome
from engine.venues.live.flapping import WITHIN, Flapping
from engine.venues.live.keys import Credentials
from engine.venues.live.known import Known
from engine.venues.live.nonces import Nonces
from engine.venues.live.rest import Rest
from engine.venues.live.socket import Socket
from engine.venues.protocol import NonceError, NotSentError, OutcomeUnknownError, RateLimitedError, RefusedError

PAUSES = (0.2, 0.5, 1.0, 2.0)
"""Seconds before what an exchange trades is asked for again."""


class Where(Struct, frozen=True):
    """Which account at which exchange, and how it is reached."""

    account: str
    """The account's name here: client order ids begin with what is derived from it."""
    symbols: tuple[str, ...]
    """What is traded; prices that turn its currencies into the account's are listened to beside it."""
    rest: str | None = None
    """Where to reach it instead of the internet."""
    ws: str | None = None
    timeout: float = 10.0
    currency: str = ""
    """The account's."""
    lenient: bool = False
    """Whether symbols that the exchange does not trade are left out instead of refused."""
    nonces: Path | None = None
    """The file that keeps the largest nonce of the account's key."""


class KeyFacts(Struct, frozen=True):
    """What an exchange says of the key that it is asked with."""

    permissions: tuple[str, ...]
    can_trade: bool
    """And ask about orders, executions and balances."""
    can_withdraw: bool


class LiveVenue(ABC):
    """An account at an exchange."""

    exchange: str
    """ccxt's name of it."""
    needs: tuple[str, ...] = ()
    """What ccxt must be able to ask, by its names of the endpoints."""
    feeds: int = 2
    """Streams that must be heard before anything is known: the private ones."""

    def __init__(self, profile: Profile, where: Where, credentials: Credentials | None, clock: Clock, *, rest: type[Rest] = Rest) -> None:
        """`rest` is how requests leave: `engine/venues/looking.py` has ones that carry questions only."""
        self._profile = profile
        self.where = where
        self.clock = clock
        self.known = Known()
        self.prefix = account_prefix(where.account)
        self.rest = rest(self.exchange, credentials, self._urls(), where.timeout, Nonces(where.nonces))
        self.on_trade: Callable[[Trade], None] | None = None
        self.on_wait: Callable[[str, float], None] | None = None
        """Who hears why a question of the opening is asked again, and after how many seconds."""
        self.on_price: Callable[[Quote], None] | None = None
        """Who else hears prices."""
        self.skew = 0
        """Nanoseconds by which the exchange's clock is ahead of ours."""
        self.healthy_since: int | None = None
        """Since when the private stream has told everything; None while it doesn't."""
        self._credentials = credentials
        self._instruments: dict[str, Instrument] = {}
        self._on_report: Callable[[r.VenueReport], None] | None = None
        self._on_quote: Callable[[Quote], None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._shared: r.KeyShared | None = None
        self._beside: set[asyncio.Task[None]] = set()
        self._flapping: dict[str, Flapping] = {}
        self._noticed: dict[tuple[str, str], str] = {}
        self._is_open = self._is_down = False

    # What the engine asks

    @property
    def name(self) -> str:
        """What the console shows."""
        return self.exchange

    @property
    def secrets(self) -> tuple[str, ...]:
        """What may be written nowhere."""
        return () if self._credentials is None else (self._credentials.key, self._credentials.secret)

    @property
    def live(self) -> bool:
        """Real money."""
        return True

    @property
    def profile(self) -> Profile:
        """What it can do."""
        return self._profile

    async def open(self) -> None:
        """Load ccxt and what is traded. Raises OutcomeUnknownError, NotSentError, RateLimitedError or RefusedError."""
        if not self._is_open:
            self._check_addresses()
            await self.rest.open(self.needs)
            self._instruments = {i.symbol: i for i in await self._patiently(self._load_instruments)}
            self._is_open = True

    async def widen(self, symbols: Iterable[str]) -> None:
        """List these symbols, too; those that the exchange does not trade are left out. Raises as `open` does."""
        wanted = tuple(dict.fromkeys((*self.where.symbols, *symbols)))
        if wanted != self.where.symbols:
            self.where = replace(self.where, symbols=wanted, lenient=True)
            self._instruments = {i.symbol: i for i in await self._patiently(self._load_instruments)}

    def _check_addresses(self) -> None:
        for kind, address in (("rest", self.where.rest), ("ws", self.where.ws)):
            if address is not None and (why := refused(kind, address)):
                raise RefusedError(f"account.{kind} is {address!r}; {why}")

    async def _patiently(self, ask: Callable[[], Awaitable[Sequence[Instrument]]]) -> Sequence[Instrument]:
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
        return tuple(self._instruments.values())

    async def connect(self, on_report: Callable[[r.VenueReport], None], on_quote: Callable[[Quote], None]) -> None:
        """Begin to listen; `Connected` comes once the private stream has told where the account stands."""
        self._on_report, self._on_quote = on_report, on_quote
        await self.open()
        if self._shared is not None:  # it was seen while nobody listened yet
            self.tell(self._shared)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(socket.run(), name=f"{self.exchange} stream") for socket in self._sockets()]

    async def listen(self, on_quote: Callable[[Quote], None], on_trade: Callable[[Trade], None]) -> None:
        """Only the public stream: prices for a paper account. No key is needed."""
        self._on_quote, self.on_trade = on_quote, on_trade
        await self.open()
        self._tasks = [asyncio.get_running_loop().create_task(self._public_socket().run(), name=f"{self.exchange} prices")]

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
            return await self._carry_out(request)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:  # it was sent: nothing proves that it failed
            raise OutcomeUnknownError(f"an answer that can't be read: {type(error).__name__}: {str(error)[:80]}") from error

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
    async def measure_skew(self) -> int:
        """Nanoseconds by which the exchange's clock is ahead of ours."""

    @abstractmethod
    async def validate(self, order: Order) -> str:
        """What the exchange would refuse the order for, without placing it; empty where it would take it. Raises like `send`."""

    # What a dialect uses

    async def signed(self, method: str, params: Mapping[str, Any], lane: int) -> Any:
        """A signed request's result. Raises as the answer's errors mean.

        One that is refused for its nonce never reached the account: it is signed again, first as it was, for our own requests may overtake
        each other, and then with a nonce from a larger step, as long as there is one. Each war of nonces is told to the engine.
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

    def tell(self, report: r.VenueReport) -> None:
        """Say a report to the engine."""
        if isinstance(report, r.Filled):
            self.known.fill(report.fill)
        if self._on_report is not None:
            self._on_report(report)

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something beside requests; it ends with the venue."""
        task = asyncio.get_running_loop().create_task(work, name=f"{self.exchange} beside")
        self._beside.add(task)
        task.add_done_callback(self._beside.discard)

    def notice(self, code: str, subject: str, text: str) -> None:
        """Have somebody told, once as long as the words are the same; without text, that it is over."""
        if self._noticed.get((code, subject), "") == text:
            return
        self._noticed[code, subject] = text
        while len(self._noticed) > MOST_NOTICED:
            del self._noticed[next(iter(self._noticed))]
        self.tell(r.Noticed(code, subject, text, self.clock.now()))

    def broke(self, line: str, text: str) -> None:
        """A line that was up broke: each by itself heals, and one that goes on breaking is told."""
        flapping = self._flapping.setdefault(line, Flapping())
        if flapping.broke(self.clock.now()):
            self.notice("LINE_FLAPS", line, text)
            self.spawn(self._calm(line, flapping))

    async def _calm(self, line: str, flapping: Flapping) -> None:
        while not flapping.is_calm(self.clock.now()):
            await self.clock.sleep(WITHIN // 4)
        self.notice("LINE_FLAPS", line, "")

    def quote(self, quote: Quote) -> None:
        """Say a price."""
        if self.on_price is not None:
            self.on_price(quote)
        if self._on_quote is not None:
            self._on_quote(quote)

    def up(self) -> None:
        """The private stream tells everything from now on."""
        self.healthy_since = self.clock.now()
        self._is_down = False
        self.tell(r.Connected(self.healthy_since))

    def down(self, text: str) -> None:
        """The private stream is broken, or could not be opened: what happens meanwhile must be asked for."""
        self.healthy_since = None
        if not self._is_down:
            self._is_down = True
            self.tell(r.Disconnected(text, self.clock.now()))

    def ours(self, at: int) -> int:
        """A time of the exchange on our clock."""
        return at - self.skew

    def theirs(self, at: int) -> int:
        """A time of ours on the exchange's clock."""
        return at + self.skew

    def instrument(self, symbol: str) -> Instrument:
        """What is traded under a symbol. Raises KeyError."""
        return self._instruments[symbol]

    def proves_absence(self) -> bool:
        """Whether an order that no view lists and no stream told of can't be there, though views may lag.

        The stream tells of every order as it comes, and when it begins anew it lists those that are open and the last that traded. One that came
        and was cancelled meanwhile has changed nothing. Whether one may still be on its way is for the desk to judge.
        """
        return self.healthy_since is not None

    def as_of(self, asked: int, since: int, orders: Sequence[Order], executions: Sequence[str]) -> int:
        """How fresh a view is: as of when it was asked for, unless what is known to have happened before is not in it; then, as of before that."""
        seen, earliest = set(executions), max(since + ROUNDED, asked - LOOK_BACK)
        missing = [fill.at for fill in self.known.fills_since(earliest) if fill.at < asked and fill.execution_id not in seen]
        listed = {order.client_order_id for order in orders}
        missing += [at for name, at in self.known.working_since(asked - LOOK_BACK, asked) if name not in listed]
        for order in orders:
            changes = (self.known.ended_at(order.client_order_id), self.known.amended_at(order))
            missing += [at for at in changes if at is not None and at < asked]
        return min([asked, *(at - 1 for at in missing)])


MOST_NOTICED = 200
"""Different things that were told and are remembered as told."""
MOST_OVERTAKEN = 5
"""How often a request is signed again because others of ours arrived before it."""
SHARED = (
    "another program uses the same API key with larger nonces; give each program a key of its own, or set a nonce window for the key at the exchange"
)
ROUNDED = SECOND // 1000
"""Views tell times with fewer digits than streams."""
LOOK_BACK = 90 * SECOND
"""A view that is older than this is no view."""


def positive(text: object) -> Decimal | None:
    """A number above zero; None for anything that says zero or nothing."""
    if text in (None, "", "0"):
        return None
    found = Decimal(str(text))
    return found if found > 0 else None
