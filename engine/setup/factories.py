"""Putting an engine together from its settings: instruments, venue, market, journal. What it needs
is imported here and nowhere earlier.
"""

import asyncio
import difflib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from engine.clock import SECOND, Clock
from engine.exchange import Delay, Exchange, Faults, Lending, Store
from engine.market import (
    MarketError,
    RecordedMarket,
    ScriptedMoves,
    SimulatedMarket,
    SimulationSettings,
    goals,
    grid,
    play,
)
from engine.market.files import PriceFile, open_files
from engine.market.moments import moment
from engine.market.past import BEFORE, recalled
from engine.market.reading import reading
from engine.market.times import FOREVER
from engine.model.instrument import Instrument
from engine.model.profile import Profile
from engine.model.quote import Bar, Tick
from engine.model.rules import NO_RULES, SymbolRules
from engine.setup.sections import AccountSettings, MarketSettings, PaperSettings, Settings
from engine.venues.exchanges import PRICES
from engine.venues.live import admission
from engine.venues.live.keys import find
from engine.venues.paper import PaperVenue
from engine.venues.profiles import instrument_for, profile
from engine.venues.protocol import Venue

if TYPE_CHECKING:
    from engine.venues.live.account import KeyFacts
    from engine.venues.live.venue import LiveVenue
    from engine.venues.prices import PublicPrices


class Source(Struct):
    """A market, ready to be played."""

    ticks: ScriptedMoves
    instruments: tuple[Instrument, ...]
    start: int
    """Nanoseconds since 1970 UTC of its first price."""
    paces: dict[str, int]
    """Usual nanoseconds between two prices, by symbol, where that is slow."""
    recorded: RecordedMarket | None = None
    simulated: SimulatedMarket | None = None
    remarks: tuple[str, ...] = ()
    """What is to be said of it, for people."""
    past: Callable[[str], Mapping[int, Sequence[Bar]]] = lambda symbol: {}
    """What can be told of a symbol before that: bars by their length in nanoseconds."""


NO_WAY_BACK = (
    "where this account was, and its journal can't go back: go on from there, name another"
    " --account, or fork this one (flatout fork --at)"
)


def recorded(
    profile: Profile,
    files: Iterable[Path],
    words: str = "",
    now: int = 0,
    start: str = "",
    played: int = 0,
) -> Source:
    """A market from recorded files, folders, patterns or archives, read as `words` say, from
    `start` on, else from when it was `played` to where it has prices after that; `now` is the time,
    after whose next day no price can be from. Raises MarketError.
    """
    opened = open_files(files, reading(words), now + DAY if now else FOREVER)
    grids = grid(opened)
    try:
        instruments = tuple(
            instrument_for(profile, symbol, found.tick) for symbol, found in sorted(grids.items())
        )
    except ValueError as error:
        raise MarketError(f"{error}, or say it with --as") from error
    begins = min(file.first for file in opened)
    since, remarks = (moment(start, begins) if start else 0), tuple[str, ...]()
    first, paces = _pace(RecordedMarket(opened, since))
    at = goals.clock(played) if played else ""
    if since and not first:
        raise MarketError(f"no price is after {start}, where the session should begin")
    if start and max(since, begins) < played:
        raise MarketError(f"{start} (--from) is before {at}, {NO_WAY_BACK}")
    if not start and played > begins:
        later, slower = _pace(RecordedMarket(opened, played))
        if later:
            since, first, paces = played, later, slower
            remarks = (f"going on at {at}, where this account was; --from begins elsewhere",)
        else:
            remarks = (f"this account was at {at}, after all these prices: they begin again",)
    first = max(first, since)
    market = RecordedMarket(opened, since)
    steps = {instrument.symbol: instrument.tick for instrument in instruments}
    ticks, told = ScriptedMoves(market, steps), _Past(opened, since)
    return Source(ticks, instruments, first, paces, market, remarks=remarks, past=told)


class _Past:
    """What a recording says of the time before the place where a session begins, read once."""

    def __init__(self, files: Sequence[PriceFile], since: int) -> None:
        self._files, self._since = files, since
        self._bars: dict[str, dict[int, list[Bar]]] | None = None if since else {}

    def __call__(self, symbol: str) -> Mapping[int, Sequence[Bar]]:
        if self._bars is None:
            before = RecordedMarket(self._files, self._since - BEFORE)
            self._bars = recalled(before, self._since)
        return self._bars.get(symbol, {})


HOUR = 3_600 * SECOND
DAY = 24 * HOUR
SLOW = 5 * SECOND
"""A source whose prices are further apart than this is judged by its own pace."""


def _pace(market: RecordedMarket) -> tuple[int, dict[str, int]]:
    """The first time, and per symbol the widest usual step: the ninth decile over the first 5,000
    ticks.
    """
    first: int | None = None
    last: dict[str, int] = {}
    steps: dict[str, list[int]] = {}
    for count, tick in enumerate(market):
        first = tick.at if first is None else first
        if tick.symbol in last:
            steps.setdefault(tick.symbol, []).append(tick.at - last[tick.symbol])
        last[tick.symbol] = tick.at
        if count >= 5_000:
            break
    paces = {}
    for symbol, found in steps.items():
        usual = sorted(found)[len(found) * 9 // 10]
        if usual > SLOW:
            paces[symbol] = usual
    return first or 0, paces


def _simulation(model: Mapping[str, object]) -> SimulationSettings:
    """The simulation's settings from a file's words. Raises ValueError naming the key and what is
    allowed.
    """
    named = {
        ("jumps_per_day" if key == "jumps" else key): _text(value) for key, value in model.items()
    }
    allowed = SimulationSettings.__struct_fields__
    for key in named:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ValueError(f"{key} is not known; {hint}allowed: {', '.join(allowed)}")
    try:
        return msgspec.convert(named, SimulationSettings, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(str(error).replace("`$.", "`")) from error


def _text(value: object) -> object:
    """Numbers as text, so that one lax conversion serves Decimal and float alike."""
    if isinstance(value, Mapping):
        return {name: _text(inner) for name, inner in value.items()}
    return (
        str(value)
        if isinstance(value, Decimal | float | int) and not isinstance(value, bool)
        else value
    )


def simulated(
    profile: Profile,
    symbols: Iterable[str],
    seed: int,
    start: int,
    model: Mapping[str, object],
    until: int | None = None,
) -> Source:
    """A market of our own making."""
    symbols = tuple(symbols)
    settings = _simulation(model)
    market = SimulatedMarket(seed, symbols, start=start, settings=settings, until=until)
    instruments = tuple(instrument_for(profile, symbol, market.ticks[symbol]) for symbol in symbols)
    steps = {instrument.symbol: instrument.tick for instrument in instruments}
    return Source(
        ScriptedMoves(market, steps), instruments, start, {}, simulated=market, past=market.past
    )


def charged(
    instruments: Iterable[Instrument], symbols: Mapping[str, SymbolRules]
) -> tuple[Instrument, ...]:
    """The instruments of a paper venue, with the fees that the settings of their symbols say
    instead of the profile's.
    """
    return tuple(
        _charged(instrument, symbols.get(instrument.symbol, NO_RULES)) for instrument in instruments
    )


def _charged(instrument: Instrument, own: SymbolRules) -> Instrument:
    tiers = tuple(
        replace(
            tier,
            maker=tier.maker if own.maker_fee is None else own.maker_fee,
            taker=tier.taker if own.taker_fee is None else own.taker_fee,
        )
        for tier in instrument.fee_tiers
    )
    return replace(instrument, fee_tiers=tiers)


def paper(
    profile: Profile,
    instruments: Iterable[Instrument],
    cash: Mapping[str, Decimal],
    currency: str,
    clock: Clock,
    seed: int,
    settings: PaperSettings,
    *,
    faults: Faults | None = None,
    store: Store | None = None,
    kind: type[PaperVenue] = PaperVenue,
    source: Source | None = None,
) -> PaperVenue:
    """A paper account: new, or as `store` remembers it; a drill has a `kind` of its own. `source`
    tells the books of a market of our own making.
    """
    lent = profile.margin_leverage if settings.margin else Decimal(1)
    exact = replace(profile, rounding=Decimal(0), margin_leverage=lent)  # these books are ours
    exchange = Exchange(exact, tuple(instruments), cash, currency)
    if source is not None and source.simulated is not None:
        for symbol, book in exchange.books.items():
            book.below = source.simulated.below(symbol).levels
    if settings.funding:
        exchange.fund(settings.funding, clock.now())
    if profile.margin_opening or profile.margin_rollover:
        every = profile.margin_rollover_hours * HOUR
        exchange.lend(Lending(profile.margin_opening, profile.margin_rollover, every))
    return kind(
        exchange,
        clock,
        seed=seed,
        delay=Delay(int(settings.delay_p50 * SECOND), int(settings.delay_p99 * SECOND)),
        timeout=int(settings.timeout * SECOND),
        faults=faults or Faults(),
        store=store,
    )


def live(
    account: AccountSettings,
    symbols: Iterable[str],
    timeout: float,
    home: Path,
    clock: Clock,
    *,
    key: bool = True,
) -> "LiveVenue":
    """A live account's venue; without `key` only its prices can be had. Raises KeysError or
    ValueError.
    """
    from engine.venues.live import nonces
    from engine.venues.live.account import Where
    from engine.venues.live.dialects import dialect

    credentials = find(account.name, home) if key else None
    kind = dialect(account.venue)
    where = Where(
        account.name,
        tuple(symbols),
        account.rest,
        account.ws,
        timeout,
        account.currency,
        nonces=home / nonces.FILE if key else None,
    )
    return kind(profile(account.profile, account.limits), where, credentials, clock)


def prices(settings: Settings, profile: Profile, clock: Clock) -> "PublicPrices":
    """Live prices of an exchange that no dialect speaks. Raises ValueError."""
    from engine.venues.prices import PublicPrices

    market, account = settings.market, settings.account
    usual = market.symbols == MarketSettings().symbols
    symbols = PRICES[market.source] if usual else market.symbols
    return PublicPrices(
        market.source, symbols, profile, clock, rest=account.rest or "", ws=account.ws or ""
    )


@asynccontextmanager
async def checked(settings: Settings, home: Path, clock: Clock) -> AsyncIterator[Venue]:
    """A venue for its conformance check: a paper account of its own on simulated prices, or a live
    one. Raises VenueError.
    """
    symbols = settings.market.symbols
    if settings.account.venue != "paper":
        venue = live(settings.account, symbols, settings.gateway.timeout, home, clock)
        try:
            yield venue
        finally:
            await venue.close()
        return
    kind = profile(settings.account.profile, settings.account.limits)
    source = simulated(kind, symbols, settings.market.seed, clock.now(), settings.market.model)
    traded = charged(source.instruments, settings.symbols)
    account = paper(
        kind,
        traded,
        settings.account.cash,
        settings.account.currency,
        clock,
        settings.market.seed,
        settings.paper,
        source=source,
    )
    feed = asyncio.get_running_loop().create_task(play(source.ticks, clock, account.feed))
    try:
        yield account
    finally:
        feed.cancel()
        await asyncio.gather(feed, return_exceptions=True)
        account.shut_down()


def admit(facts: "KeyFacts", account: AccountSettings) -> None:
    """Refuse a key that can't trade, or that may withdraw where the user did not insist. Raises
    RefusedError.
    """
    admission.admit(facts, account.name, withdrawals=account.withdrawals)


__all__ = [
    "Source",
    "Tick",
    "admit",
    "charged",
    "checked",
    "live",
    "paper",
    "prices",
    "profile",
    "recorded",
    "simulated",
]
