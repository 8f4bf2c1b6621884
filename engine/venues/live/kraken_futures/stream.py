"""Kraken Futures' private feeds: open orders and fills as reports. They are opened with a signed
challenge.

A row that can't be read is skipped and told, and what it was about is asked for over REST: the
others go on.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Status
from engine.model.side import Side
from engine.venues.live.kraken_futures.base import FuturesBase
from engine.venues.live.kraken_futures.rows import BY_THE_EXCHANGE, LISTS, MILLISECOND, UNREADABLE
from engine.venues.live.kraken_names import currency
from engine.venues.live.named import client_in
from engine.venues.live.numbers import positive
from engine.venues.live.socket import Json, Socket, StreamError

FEEDS = ("open_orders", "fills")
LINE = "orders and fills"
FULL = frozenset({"full_fill"})
TRIGGERED = frozenset({"stop_order_triggered", "limit_order_from_stop"})


class PrivateStream:
    """Open orders and fills."""

    def __init__(self, venue: FuturesBase) -> None:
        self._venue = venue
        self._snapshots: set[str] = set()
        self.socket = Socket(
            venue.stream_url(),
            opened=self._opened,
            heard=self._heard,
            lost=self._lost,
            silence=venue.profile.silence,
            begun=lambda: venue.healthy_since is not None,
            broke=lambda text: venue.broke(LINE, text),
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
            self._refused(str(frame.get("message", "")))
        elif event is not None:
            return  # that it subscribed names the feed, too
        elif feed == "open_orders_snapshot":
            self._only(frame.get("orders") or [])
            self._began("open_orders")
        elif feed == "fills_snapshot":
            self._fills(frame)
            self._began("fills")
        elif feed == "open_orders":
            self._changed(frame)
        elif feed == "fills":
            self._fills(frame)

    def _refused(self, text: str) -> None:
        """A subscription was refused: without these feeds nothing is known, so the line begins
        anew.
        """
        if text.startswith("Already subscribed"):
            return
        self._venue.notice(AlertCode.FEED_REFUSED, LINE, text)
        raise StreamError(f"the exchange says: {text}")

    def _began(self, feed: str) -> None:
        """Everything is told from now on once both lists were."""
        self._snapshots.add(feed)
        if self._snapshots.issuperset(FEEDS):
            self._venue.notice(AlertCode.FEED_REFUSED, LINE, "")
            if self._venue.healthy_since is None:
                self._venue.up()

    def _subscribe(self, challenge: str) -> None:
        key, signed = self._venue.sign(challenge)
        about = {"api_key": key, "original_challenge": challenge, "signed_challenge": signed}
        for feed in FEEDS:
            self.socket.later({"event": "subscribe", "feed": feed, **about})
        self.socket.later({"event": "subscribe", "feed": "heartbeat"})

    # What is said

    def _only(self, rows: list[Json]) -> None:
        """The open orders, all of them. One whose row can't be read is open all the same."""
        opened, known = set[str](), self._venue.known
        for row in rows:
            try:
                opened.add(self._order(row))
            except UNREADABLE:
                identity = str(row.get("order_id") or "")
                opened.add(client_in(row) or known.client_of(identity) or identity)
                self._unreadable("open order", row, identity)
        known.only(opened, self._venue.clock.now())

    def _changed(self, frame: Json) -> None:
        try:
            reports = self.reports(frame)
        except UNREADABLE:
            row = frame.get("order") or frame
            self._unreadable("open order", row, str(row.get("order_id") or ""))
            return
        for report in reports:
            self._venue.tell(report)

    def _fills(self, frame: Json) -> None:
        for row in frame.get("fills") or ():
            try:
                report = self._fill(row)
            except UNREADABLE:
                self._unreadable("execution", row, str(row.get("fill_id") or ""))
                continue
            self._venue.tell(report)

    def _unreadable(self, what: str, row: Json, name: str) -> None:
        self._venue.skipped(what, name or "without an id", str(row.get("instrument") or ""))
        self._venue.look_again(str(row.get("order_id") or ""))

    def _order(self, row: Mapping[str, Any]) -> str:
        """An open order; our id of it. Raises what `UNREADABLE` lists."""
        venue = self._venue
        identity = str(row["order_id"])
        client = client_in(row) or venue.known.client_of(identity) or identity
        venue.known.hear(identity, client)
        filled = Decimal(str(row["filled"]))
        known = venue.known.order(client)
        size = (
            filled + Decimal(str(row["qty"]))
            if row.get("qty") is not None or known is None
            else known.size
        )
        if size > ZERO:
            at = venue.ours(int(row["time"]) * MILLISECOND)
            venue.rows.order(
                identity,
                client,
                str(row["instrument"]).upper(),
                Side.SELL if int(row["direction"]) else Side.BUY,
                str(row["type"]),
                size,
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
        """Return what a change of an open order means. Raises what `UNREADABLE` lists where it
        makes no sense.
        """
        venue, now, reason = self._venue, self._venue.clock.now(), str(frame.get("reason", ""))
        row = frame.get("order")
        if row is None:
            identity = str(frame["order_id"])
            client = client_in(frame) or venue.known.client_of(identity) or identity
            at = now
        else:
            client, identity = self._order(row), str(row["order_id"])
            at = venue.ours(int(row.get("last_update_time", row["time"])) * MILLISECOND)
        # told as the end of the stop, which is the beginning of its market or limit order
        if reason in TRIGGERED:
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
            venue.edited(known)
            venue.known.amended(known, at)
            return [r.Amended(client, known.size, known.price, known.trigger, at)]
        return [r.Accepted(client, identity, at)] if reason == "new_placed_order_by_user" else []

    def _fill(self, row: Mapping[str, Any]) -> r.VenueReport:
        """An execution. Raises what `UNREADABLE` lists."""
        venue, identity = self._venue, str(row["order_id"])
        client = client_in(row) or venue.known.client_of(identity) or identity
        venue.known.hear(identity, client)
        symbol, kind = str(row["instrument"]).upper(), str(row.get("fill_type"))
        at = venue.ours(int(row["time"]) * MILLISECOND)
        price, size = Decimal(str(row["price"])), Decimal(str(row["qty"]))
        fee, fee_currency = venue.rows.estimated(symbol, price, size, maker=kind == "maker")
        if row.get("fee_paid") is not None:
            fee = Decimal(str(row["fee_paid"]))
            fee_currency = currency(str(row.get("fee_currency", fee_currency)).upper())
        side = Side.BUY if row["buy"] else Side.SELL
        liquidity = Liquidity.MAKER if kind == "maker" else Liquidity.TAKER
        terms = (client, symbol, side, price, size, fee, fee_currency, liquidity, at)
        fill = venue.known.once(Fill(str(row["fill_id"]), *terms), LISTS)
        if kind in BY_THE_EXCHANGE and not client.startswith(venue.prefix):
            venue.known.fill(fill)
            return r.Liquidated(symbol, fill, at)
        left = row.get("remaining_order_qty")
        if left is not None and not Decimal(str(left)):
            venue.known.ended(client, at)
        return r.Filled(fill, at)
