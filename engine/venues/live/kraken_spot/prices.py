"""Kraken's public stream: tickers as quotes, prints, books, steps and modes of pairs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.model.codes import AlertCode
from engine.model.money import ZERO
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.venues.live.clocks import nanoseconds
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.books import Books
from engine.venues.live.kraken_spot.modes import statuses
from engine.venues.live.socket import Json, Socket, StreamError


class PublicStream:
    """Prices."""

    def __init__(self, venue: SpotBase) -> None:
        self._venue = venue
        self.socket = Socket(
            venue.stream_url(private=False),
            opened=self._opened,
            heard=self._heard,
            lost=lambda _: None,  # prices that stop are stale, and the desk sees that by itself
            broke=lambda text: venue.broke("prices", text),
            silence=venue.profile.silence,
            ping=lambda: {"method": "ping"},
        )
        self.books = Books(venue.clock, self.socket.later)

    async def _opened(self, socket: Socket) -> None:
        ticker, *trades = self._subscriptions(self._venue.heard)
        instruments = {"channel": "instrument", "snapshot": True}
        await socket.send(ticker)
        await socket.send({"method": "subscribe", "params": instruments, "req_id": 4})
        for wanted in (*trades, *self.books.opened()):
            await socket.send(wanted)

    def _subscriptions(self, symbols: Iterable[str], method: str = "subscribe") -> list[Json]:
        """What asks for the prices and, where somebody hears them, the trades of symbols."""
        about = {"symbol": list(symbols)}
        ticker = {"channel": "ticker", **about, "event_trigger": "bbo"}
        found: list[Json] = [{"method": method, "params": ticker, "req_id": 2}]
        if self._venue.on_trade is not None:
            trades = {"channel": "trade", **about, "snapshot": False}
            found.append({"method": method, "params": trades, "req_id": 3})
        return found

    def hear(self, symbols: Sequence[str]) -> None:
        """Ask for the prices of more symbols; a new line asks for them by itself."""
        for wanted in self._subscriptions(symbols):
            self.socket.later(wanted)

    def leave(self, symbol: str) -> None:
        """Ask for the prices of a symbol no more."""
        for unwanted in self._subscriptions([symbol], "unsubscribe"):
            self.socket.later(unwanted)
        self.books.leave(symbol)

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        match frame.get("channel"):
            case "ticker":
                self._each(frame["data"], self._ticker)
            case "trade" if self._venue.on_trade is not None:
                self._each(frame["data"], self._printed)
            case "book":
                self.books.hear(frame)
            case "status":
                hear_system(self._venue, frame)
            case "instrument":
                pairs = frame["data"].get("pairs")
                self._venue.modes.listed(statuses(pairs, {}))
                self._each(pairs or [], self._steps)
            case None if frame.get("method") == "subscribe" and frame.get("success") is False:
                self._venue.notice(
                    AlertCode.FEED_REFUSED,
                    str(frame.get("symbol") or "prices"),
                    str(frame.get("error")),
                )
            case _:
                pass

    def _each(
        self, rows: list[Mapping[str, Any]], take: Callable[[Mapping[str, Any]], None]
    ) -> None:
        """Each row by itself; one that can't be read is told once by its symbol."""
        for row in rows:
            try:
                take(row)
            except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
                subject = (
                    str(row.get("symbol") or "prices") if isinstance(row, Mapping) else "prices"
                )
                if subject in self._venue.where.symbols or subject == "prices":
                    self._venue.notice(
                        AlertCode.ROW_SKIPPED,
                        subject,
                        f"a price: {type(error).__name__}: {str(error)[:60]}",
                    )

    def _steps(self, row: Mapping[str, Any]) -> None:
        self._venue.terms.announced(
            str(row["symbol"]), row.get("price_increment"), row.get("qty_increment")
        )

    def _printed(self, row: Mapping[str, Any]) -> None:
        assert self._venue.on_trade is not None
        if row["symbol"] not in self._venue.unheard:
            self._venue.on_trade(_print(row, self._venue.ours(nanoseconds(str(row["timestamp"])))))

    def _ticker(self, row: Mapping[str, Any]) -> None:
        bid, ask = Decimal(str(row["bid"])), Decimal(str(row["ask"]))
        if bid > ZERO and ask > ZERO:  # an empty side is told as zero
            at = self._venue.clock.now()
            self._venue.quote(
                Quote(
                    str(row["symbol"]),
                    at,
                    bid,
                    Decimal(str(row["bid_qty"])),
                    ask,
                    Decimal(str(row["ask_qty"])),
                )
            )


def hear_system(venue: SpotBase, frame: Json) -> None:
    """The status channel: the mode of the whole exchange."""
    for row in frame.get("data") or ():
        if isinstance(row, dict) and row.get("system"):
            venue.modes.system(str(row["system"]))


def _print(row: Mapping[str, Any], at: int) -> Trade:
    return Trade(
        str(row["symbol"]),
        at,
        Decimal(str(row["price"])),
        Decimal(str(row["qty"])),
        Side(str(row["side"])),
    )
