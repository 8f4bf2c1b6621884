"""Kraken's private stream, WebSocket v2: numbered executions.

Messages that are missing are waited for a moment; then the stream begins anew, with the last trades
and all open orders.
"""

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from engine.model import report as r
from engine.model.request import Lane, Query, QueryAccount
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.executions import Executions, tell_skipped
from engine.venues.live.kraken_spot.prices import hear_system
from engine.venues.live.named import client_in
from engine.venues.live.socket import Json, Socket, StreamError
from engine.venues.protocol import VenueError

PATIENCE = 1.0
"""Seconds for which a missing message is waited for."""
SINCE = 60_000_000_000
"""Nanoseconds: how far back the account is asked about for a row that names no order."""
AHEAD = 200
"""So many messages may be held back meanwhile."""


class PrivateStream:
    """Executions, numbered."""

    def __init__(self, venue: SpotBase) -> None:
        self._venue = venue
        self.executions = Executions(venue)
        self._next = 0
        self._held: dict[int, Json] = {}
        self._said: deque[Json] = deque(maxlen=AHEAD)
        self._patience: asyncio.TimerHandle | None = None
        self._asking: set[str] = set()
        self.socket = Socket(
            venue.stream_url(private=True),
            broke=lambda text: venue.broke("orders", text),
            opened=self._opened,
            heard=self._heard,
            lost=self._lost,
            silence=venue.profile.silence,
            ping=lambda: {"method": "ping"},
            begun=lambda: venue.healthy_since is not None,
        )

    async def _opened(self, socket: Socket) -> None:
        self._forget()
        token = await self._venue.token()
        params = {"channel": "executions", "token": token, "snap_orders": True, "snap_trades": True}
        await socket.send({"method": "subscribe", "params": params, "req_id": 1})

    def _lost(self, text: str) -> None:
        self._forget()
        self._venue.down(text)

    def _forget(self) -> None:
        self._next = 0
        self._held.clear()
        self._said.clear()
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _heard(self, frame: Any) -> None:
        if not isinstance(frame, dict):
            raise StreamError("a frame that is no object")
        if frame.get("method") == "subscribe" and frame.get("success") is False:
            raise StreamError(f"the exchange refused the subscription: {frame.get('error')}")
        if frame.get("channel") == "status":
            hear_system(self._venue, frame)
        if frame.get("channel") != "executions":
            return
        if frame["type"] == "snapshot":
            self._forget()
            self._next = int(frame["sequence"]) + 1
            self._rows(frame["data"])
            opened = {
                client_in(row) or str(row.get("order_id"))
                for row in frame["data"]
                if row.get("exec_type") != "trade"
            }
            self._venue.known.only(opened, self._venue.clock.now())
            self._venue.up()
            return
        self._numbered(frame)

    def _numbered(self, frame: Json) -> None:
        number = int(frame["sequence"])
        if not self._next:
            raise StreamError("an update before the snapshot")
        if number < self._next:
            if frame not in self._said:
                raise StreamError("the numbers of the stream went back")
            return  # said before
        if number > self._next:
            self._held[number] = frame
            if len(self._held) > AHEAD:
                raise StreamError("messages are missing")
            if self._patience is None:
                self._patience = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)
            return
        self._take(frame)
        while self._next in self._held:
            self._take(self._held.pop(self._next))
        if not self._held and self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _take(self, frame: Json) -> None:
        """The next message in its turn; the last ones are remembered, to know a repeat from a
        stream that counts anew.
        """
        self._said.append(frame)
        self._next += 1
        self._rows(frame["data"])

    def _give_up(self) -> None:
        self._patience = None
        self._venue.down("messages of the stream are missing")
        self._dropping = asyncio.get_running_loop().create_task(self.socket.drop())

    def _rows(self, rows: list[Mapping[str, Any]]) -> None:
        """Each row by itself: a frame may hold several kinds, and one that can't be read takes no
        other with it.
        """
        for row in rows:
            try:
                reports = self.executions.reports(row)
            except (LookupError, ValueError, TypeError, ArithmeticError, AttributeError) as error:
                self._skip(row, error)
                continue
            for report in reports:
                self._venue.tell(report)

    def _skip(self, row: object, error: Exception) -> None:
        """A row that can't be read is told once; what it is about, if it is or may be ours, is
        asked for over REST.
        """
        venue, told = self._venue, row if isinstance(row, Mapping) else {}
        identity = str(told.get("order_id") or "")
        client = client_in(told) or venue.known.client_of(identity) or ""
        subject = client or identity or str(told.get("symbol") or "a row without a name")
        tell_skipped(self._venue, subject, error)
        if (client.startswith(venue.prefix) or not identity) and client not in self._asking:
            self._asking.add(client)
            account = QueryAccount(venue.clock.now() - SINCE, Lane.PROTECT, on_margin=True)
            venue.spawn(
                self._ask(
                    client,
                    Query(client, str(told.get("symbol") or ""), Lane.PROTECT)
                    if client
                    else account,
                )
            )

    async def _ask(self, client: str, question: Query | QueryAccount) -> None:
        """Ask for an order of ours, or for the account where a row names none, until there is an
        answer.
        """
        cost = 1.0 if isinstance(question, Query) else 5.0
        try:
            while True:
                try:
                    self._venue.tell(r.Charged("rest", cost, self._venue.clock.now()))
                    for report in await self._venue.send(question):
                        self._venue.tell(report)
                except VenueError:
                    await asyncio.sleep(PATIENCE)
                else:
                    return
        finally:
            self._asking.discard(client)
