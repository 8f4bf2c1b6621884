"""Live prices of an exchange that no dialect speaks, for paper: through ccxt's public streams, or
by asking where it has none. No key, and nothing that could send an order.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from decimal import Decimal
from typing import Any

from engine.clock import SECOND, Clock
from engine.model.instrument import FeeTier, Instrument, Kind
from engine.model.money import ONE, ZERO
from engine.model.profile import Profile
from engine.model.quote import Bar, Quote, Trade
from engine.model.side import Side
from engine.venues.live.past import WRONG, bar
from engine.venues.protocol import NotSentError, RefusedError

POLL = 2.0
"""Seconds between two questions where an exchange has no stream."""
PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Seconds after a lost line; the last one for ever. Prices that do not come grow stale, and the
desk says so.
"""
DERIVATIVE_LEVERAGE = Decimal(5)
MINUTE = 60 * SECOND
SIDES = {"buy": Side.BUY, "sell": Side.SELL}
OF_THE_MAKER = frozenset({"coinbase"})
"""Exchanges whose prints tell the maker's side, which ccxt passes on as it is (Coinbase's
`market_trades`, 2026-12).
"""


class PublicPrices:
    """Quotes and trades of some symbols, in ccxt's spelling: BTC/USDT, BTC/USDT:USDT."""

    def __init__(
        self,
        name: str,
        symbols: Iterable[str],
        profile: Profile,
        clock: Clock,
        *,
        rest: str = "",
        ws: str = "",
    ) -> None:
        """`rest` and `ws` replace the exchange's own hosts, where it is reached elsewhere."""
        import ccxt.pro as ccxt

        self.name = name
        self.on_wait: Callable[[str, float], None] | None = None
        self._symbols = tuple(symbols)
        self._profile = profile
        self._clock = clock
        self._tasks: dict[str, list[asyncio.Task[None]]] = {}
        """By symbol; under no name those of all symbols."""
        self._told: tuple[Callable[[Quote], None], Callable[[Trade], None]] | None = None
        self._ccxt = getattr(ccxt, name)({"enableRateLimit": True})
        self._ccxt.has = {**self._ccxt.has, "fetchCurrencies": False}
        self._ccxt.urls["api"] = _elsewhere(self._ccxt.urls["api"], rest, ws)
        self._only_needed_markets()

    def _only_needed_markets(self) -> None:
        """Ask for no kinds of markets that no symbol is of."""
        option = self._ccxt.options.get("fetchMarkets")
        if isinstance(option, dict) and "types" in option:
            spot = all(":" not in symbol for symbol in self._symbols)
            types = ["spot"] if spot else [one for one in option["types"] if one != "option"]
            self._ccxt.options["fetchMarkets"] = {**option, "types": types}

    async def instruments(self) -> tuple[Instrument, ...]:
        """What is traded, with the exchange's grids, minimums and fees. Raises RefusedError for a
        symbol that it does not know, NotSentError where it can't be reached.
        """
        import ccxt

        try:
            markets = await self._ccxt.load_markets()
        except ccxt.NetworkError as error:
            raise NotSentError(f"{self.name}: {str(error)[:200]}") from error
        except ccxt.BaseError as error:
            raise RefusedError(f"{self.name}: {str(error)[:200]}") from error
        for symbol in self._symbols:
            if symbol not in markets:
                raise RefusedError(
                    f"{self.name} has no {symbol}; its symbols are written such as BTC/USDT, and"
                    " BTC/USDT:USDT for a perpetual"
                )
        return tuple(self._instrument(markets[symbol]) for symbol in self._symbols)

    @property
    def heard(self) -> tuple[str, ...]:
        """The symbols whose prices are told."""
        return self._symbols

    def listed_symbols(self) -> tuple[str, ...]:
        """All that the exchange trades, as far as it was asked."""
        return tuple(self._ccxt.markets or ())

    def add(self, symbol: str) -> Instrument:
        """Tell the prices of a symbol, too. Raises KeyError for one that is not listed."""
        found = self._instrument(self._ccxt.markets[symbol])
        self._symbols = (*self._symbols, symbol)
        if self._told is not None:
            self._ask_all()
            self._begin(symbol)
        return found

    def drop(self, symbol: str) -> None:
        """Tell the prices of a symbol no more."""
        self._symbols = tuple(one for one in self._symbols if one != symbol)
        for task in self._tasks.pop(symbol, ()):
            task.cancel()

    def _instrument(self, market: dict[str, Any]) -> Instrument:
        limits, precision = market.get("limits") or {}, market["precision"]
        kind = Kind.SPOT if market["spot"] else Kind.INVERSE if market["inverse"] else Kind.LINEAR
        lot = _number(precision.get("amount")) or Decimal("0.00000001")
        maker, taker = _number(market.get("maker")), _number(market.get("taker"))
        fees = self._profile.fee_tiers
        if maker is not None and taker is not None:
            fees = (FeeTier(ZERO, maker, taker),)
        spot = kind is Kind.SPOT
        leverage = self._profile.max_leverage
        return Instrument(
            symbol=market["symbol"],
            base=market["base"],
            quote=market["quote"],
            kind=kind,
            tick=_number(precision.get("price")) or Decimal("0.01"),
            lot=lot,
            min_size=_number((limits.get("amount") or {}).get("min")) or lot,
            min_cost=_number((limits.get("cost") or {}).get("min")) or ZERO,
            fee_tiers=fees,
            fee_currency=self._profile.fee_currency,
            contract_size=_number(market.get("contractSize")) or ONE,
            max_leverage=leverage if spot else max(leverage, DERIVATIVE_LEVERAGE),
            maintenance_margin=self._profile.maintenance_margin
            if spot
            else max(self._profile.maintenance_margin, Decimal("0.01")),
        )

    async def listen(
        self, on_quote: Callable[[Quote], None], on_trade: Callable[[Trade], None]
    ) -> None:
        """Begin to tell quotes and trades, until it is closed."""
        self._told = (on_quote, on_trade)
        self._ask_all()
        for symbol in self._symbols:
            self._begin(symbol)

    def _ask_all(self) -> None:
        """Ask anew for what is told of all symbols at once."""
        for task in self._tasks.pop("", ()):
            task.cancel()
        if self._told is not None and self._ccxt.has.get("watchBidsAsks"):
            self._spawn("", [self._tops(self._told[0])])

    def _begin(self, symbol: str) -> None:
        """Begin to tell a symbol."""
        assert self._told is not None
        (on_quote, on_trade), has = self._told, self._ccxt.has
        steps = []
        if not has.get("watchBidsAsks"):
            how = self._book if has.get("watchOrderBook") else self._asked
            steps.append(how(symbol, on_quote))
        if has.get("watchTrades"):
            steps.append(self._prints(symbol, on_trade))
        self._spawn(symbol, steps)

    def _spawn(self, name: str, steps: list[Callable[[], Awaitable[None]]]) -> None:
        loop = asyncio.get_running_loop()
        self._tasks[name] = [loop.create_task(self._again(step)) for step in steps]

    async def past(self, symbol: str) -> dict[int, list[Bar]]:
        """Candles of a symbol; none where the exchange tells none. Raises NotSentError."""
        import ccxt

        found: dict[int, list[Bar]] = {}
        for length, name in ((MINUTE, "1m"), (60 * MINUTE, "1h")):
            try:
                rows = await self._ccxt.fetch_ohlcv(symbol, name)
                bars = [bar(int(row[0]) * 1_000_000, row[1:6]) for row in rows]
            except ccxt.NotSupported:
                continue
            except (ccxt.BaseError, *WRONG) as error:
                raise NotSentError(f"{self.name}: {str(error)[:200]}") from error
            found[length] = sorted(one for one in bars if one is not None)
        return found

    async def close(self) -> None:
        """Hang up."""
        tasks = [task for some in self._tasks.values() for task in some]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ccxt.close()

    async def _again(self, step: Callable[[], Awaitable[None]]) -> None:
        """Do a step for ever; after a lost line with pauses."""
        import ccxt

        lost = 0
        while True:
            try:
                await step()
                lost = 0
            except ccxt.BaseError:
                await asyncio.sleep(PAUSES[min(lost, len(PAUSES) - 1)])
                lost += 1

    def _tops(self, on_quote: Callable[[Quote], None]) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            told_of = await self._ccxt.watch_bids_asks(list(self._symbols))
            for symbol, told in told_of.items():
                self._quote(
                    symbol,
                    (told.get("bid"), told.get("bidVolume")),
                    (told.get("ask"), told.get("askVolume")),
                    on_quote,
                )

        return step

    def _book(
        self, symbol: str, on_quote: Callable[[Quote], None]
    ) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            self._top(symbol, await self._ccxt.watch_order_book(symbol), on_quote)

        return step

    def _asked(
        self, symbol: str, on_quote: Callable[[Quote], None]
    ) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            self._top(symbol, await self._ccxt.fetch_order_book(symbol, 5), on_quote)
            await asyncio.sleep(POLL)

        return step

    def _prints(
        self, symbol: str, on_trade: Callable[[Trade], None]
    ) -> Callable[[], Awaitable[None]]:
        async def step() -> None:
            for told in await self._ccxt.watch_trades(symbol):
                price, size = _number(told.get("price")), _number(told.get("amount"))
                if price and size:
                    side = SIDES.get(told.get("side") or "")
                    if side is not None and self.name in OF_THE_MAKER:
                        side = side.opposite
                    on_trade(Trade(symbol, self._clock.now(), price, size, side))

        return step

    def _top(self, symbol: str, book: dict[str, Any], on_quote: Callable[[Quote], None]) -> None:
        if book["bids"] and book["asks"]:
            self._quote(symbol, book["bids"][0], book["asks"][0], on_quote)

    def _quote(self, symbol: str, bids: Any, asks: Any, on_quote: Callable[[Quote], None]) -> None:
        bid, bid_size = _number(bids[0]), _number(bids[1])
        ask, ask_size = _number(asks[0]), _number(asks[1])
        if symbol not in self._symbols or bid is None or ask is None:
            return
        told = Quote(symbol, self._clock.now(), bid, bid_size or ZERO, ask, ask_size or ZERO)
        if told.is_sane:
            on_quote(told)


def _number(value: object) -> Decimal | None:
    """What ccxt says as a number, exactly as it is written."""
    return None if value is None else Decimal(str(value))


def _elsewhere(urls: Any, rest: str, ws: str) -> Any:
    """Addresses with other hosts; unchanged where none is named."""
    if isinstance(urls, dict):
        return {name: _elsewhere(one, rest, ws) for name, one in urls.items()}
    scheme, separator, tail = str(urls).partition("://")
    host = ws if scheme in ("ws", "wss") else rest
    if not separator or not host:
        return urls
    path = tail.partition("/")[2]
    return f"{host.rstrip('/')}/{path}" if path else host.rstrip("/")
