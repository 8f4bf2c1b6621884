"""Kraken Futures' WebSocket: open orders and fills as reports, the ticker as quotes. Private feeds are opened with a signed challenge."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Status
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.venues.live.kraken_names import currency
from engine.venues.live.socket import Json, Socket, StreamError
from engine.venues.live.venue import positive

if TYPE_CHECKING:
    from engine.venues.live.kraken_futures import KrakenFutures

FEEDS = ("open_orders", "fills")
MILLISECOND = 1_000_000
BY_THE_EXCHANGE = frozenset({"liquidation", "assignor", "assignee", "unwindBankrupt", "unwindCounterparty"})
FULL = frozenset({"full_fill"})
TRIGGERED = frozenset({"stop_order_triggered", "limit_order_from_stop"})


class PrivateStream:
    """Open orders and fills."""

    def __init__(self, venue: "KrakenFutures") -> None:
        self._venue = venue
        self._snapshots: set[str] = set()
        self.socket = Socket(
            venue.stream_url(),
            opened=self._opened,
            heard=self._heard,
            lost=self._lost,
            silence=venue.profile.silence,
            begun=lambda: venue.healthy_since is not None,
        )

    async def _opened(self, socket: Socket) -> None:
        self._snapshots.clear()
        key, _ = self._venue.sign("")
        await socket.send({"event": "challenge", "api_key": key})

    def _lost(self, text: str) -> None:
        self._snapshots.clear()
        self._venue.down(text)

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        event, feed = frame.get("event"), frame.get("feed")
        if event == "challenge":
            self._subscribe(str(frame["message"]))
        elif event in ("error", "alert", "subscribed_failed"):
            raise StreamError(f"the exchange says: {frame.get('message')}")
        elif event is not None:
            return  # that it subscribed names the feed, too
        elif feed == "open_orders_snapshot":
            opened = {self._order(row) for row in frame["orders"]}
            self._venue.known.only(opened, self._venue.clock.now())
            self._began("open_orders")
        elif feed == "fills_snapshot":
            for row in frame["fills"]:
                self._venue.tell(self._fill(row))
            self._began("fills")
        elif feed == "open_orders":
            for report in self.reports(frame):
                self._venue.tell(report)
        elif feed == "fills":
            for row in frame["fills"]:
                self._venue.tell(self._fill(row))

    def _began(self, feed: str) -> None:
        """Everything is told from now on once both lists were."""
        self._snapshots.add(feed)
        if self._snapshots.issuperset(FEEDS) and self._venue.healthy_since is None:
            self._venue.up()

    def _subscribe(self, challenge: str) -> None:
        key, signed = self._venue.sign(challenge)
        about = {"api_key": key, "original_challenge": challenge, "signed_challenge": signed}
        for feed in FEEDS:
            self.socket.later({"event": "subscribe", "feed": feed, **about})
        self.socket.later({"event": "subscribe", "feed": "heartbeat"})

    # What is said

    def _order(self, row: Mapping[str, Any]) -> str:
        """An open order; our id of it."""
        venue = self._venue
        filled, left = Decimal(str(row.get("filled", 0))), Decimal(str(row.get("qty", 0)))
        at = venue.ours(int(row["time"]) * MILLISECOND)
        identity = str(row["order_id"])
        client = str(row.get("cli_ord_id") or venue.known.client_of(identity) or identity)
        venue.known.hear(identity, client)
        if filled + left > ZERO:
            venue.order(
                identity,
                client,
                str(row["instrument"]).upper(),
                Side.SELL if int(row["direction"]) else Side.BUY,
                str(row["type"]),
                filled + left,
                positive(row.get("limit_price")),
                positive(row.get("stop_price")),
                filled,
                Status.PARTIALLY_FILLED if filled else Status.OPEN,
                bool(row.get("reduce_only")),
                at,
                heard=True,
            )
            venue.known.works(client, at)
        return client

    def reports(self, frame: Mapping[str, Any]) -> list[r.VenueReport]:
        """What a change of an open order means. Raises KeyError, ValueError or TypeError where it makes no sense."""
        venue, now, reason = self._venue, self._venue.clock.now(), str(frame.get("reason", ""))
        row = frame.get("order")
        if row is None:
            identity = str(frame["order_id"])
            client = str(frame.get("cli_ord_id") or venue.known.client_of(identity) or identity)
            at = now
        else:
            client, identity = self._order(row), str(row["order_id"])
            at = venue.ours(int(row.get("last_update_time", row["time"])) * MILLISECOND)
        if reason in TRIGGERED:  # told as the end of the stop, which is the beginning of its market or limit order
            return [r.Triggered(client, at)]
        if frame.get("is_cancel"):
            venue.known.ended(client, at)
            if reason in FULL:
                return []  # its fills say so
            known = venue.known.order(client)
            filled = known.filled if known is not None and row is not None else None
            return [r.Cancelled(client, filled, reason, at)]
        known = venue.known.order(client)
        if reason == "edited_by_user" and known is not None:
            venue.known.amended(known, at)
            return [r.Amended(client, known.size, known.price, known.trigger, at)]
        return [r.Accepted(client, identity, at)] if reason == "new_placed_order_by_user" else []

    def _fill(self, row: Mapping[str, Any]) -> r.VenueReport:
        venue, identity = self._venue, str(row["order_id"])
        client = str(row.get("cli_ord_id") or venue.known.client_of(identity) or identity)
        venue.known.hear(identity, client)
        at, symbol = venue.ours(int(row["time"]) * MILLISECOND), str(row["instrument"]).upper()
        fill = Fill(
            str(row["fill_id"]),
            client,
            symbol,
            Side.BUY if row["buy"] else Side.SELL,
            Decimal(str(row["price"])),
            Decimal(str(row["qty"])),
            Decimal(str(row.get("fee_paid", 0))),
            currency(str(row.get("fee_currency", "USD")).upper()),
            Liquidity.MAKER if str(row["fill_type"]) == "maker" else Liquidity.TAKER,
            at,
        )
        if str(row["fill_type"]) in BY_THE_EXCHANGE and not client.startswith(venue.prefix):
            venue.known.fill(fill)
            return r.Liquidated(symbol, fill, at)
        if not Decimal(str(row.get("remaining_order_qty", 1))):
            venue.known.ended(client, at)
        return r.Filled(fill, at)


class PublicStream:
    """Prices."""

    def __init__(self, venue: "KrakenFutures") -> None:
        self._venue = venue
        self._rates: dict[str, tuple[Decimal, int]] = {}
        self.socket = Socket(
            venue.stream_url(),
            opened=self._opened,
            heard=self._heard,
            lost=lambda _: None,  # prices that stop are stale, and the desk sees that by itself
            silence=venue.profile.silence,
        )

    async def _opened(self, socket: Socket) -> None:
        symbols = list(self._venue.where.symbols)
        await socket.send({"event": "subscribe", "feed": "ticker", "product_ids": symbols})
        await socket.send({"event": "subscribe", "feed": "heartbeat"})
        if self._venue.on_trade is not None:
            await socket.send({"event": "subscribe", "feed": "trade", "product_ids": symbols})

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        if "event" in frame:
            return
        if frame.get("feed") == "ticker":
            self._ticker(frame)
        elif frame.get("feed") == "trade" and self._venue.on_trade is not None:
            side = Side(str(frame["side"]))
            at = self._venue.ours(int(frame["time"]) * MILLISECOND)
            symbol = str(frame["product_id"]).upper()
            self._venue.on_trade(Trade(symbol, at, Decimal(str(frame["price"])), Decimal(str(frame["qty"])), side))

    def _ticker(self, row: Json) -> None:
        bid, ask = Decimal(str(row.get("bid") or 0)), Decimal(str(row.get("ask") or 0))
        if bid > ZERO and ask > ZERO:
            sizes = Decimal(str(row["bid_size"])), Decimal(str(row["ask_size"]))
            self._funding(row)
            self._venue.quote(Quote(str(row["product_id"]).upper(), self._venue.clock.now(), bid, sizes[0], ask, sizes[1]))

    def _funding(self, row: Json) -> None:
        """The rate relative to the index, per hour, whenever it is another."""
        next_at = row.get("next_funding_rate_time")
        if next_at is None:
            return
        symbol = str(row["product_id"]).upper()
        told = (Decimal(str(row.get("relative_funding_rate") or 0)), int(next_at))  # one of zero is not told
        if self._rates.get(symbol) != told:
            self._rates[symbol] = told
            self._venue.tell(r.FundingRate(symbol, told[0], self._venue.ours(told[1] * MILLISECOND), self._venue.clock.now()))
