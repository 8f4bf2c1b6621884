"""Orders placed, changed and cancelled, one by one or in batches, and the dead man's switch."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.exchange import RateLimit
from engine.model import report as r
from engine.model.fill import Fill
from engine.model.money import ZERO
from engine.model.order import Order, Status
from engine.model.request import Amend, Lane
from engine.wire.futures import shapes
from engine.wire.futures.batches import batched, text_of
from engine.wire.futures.habits import Habits
from engine.wire.futures.orders import (
    AT_ONCE,
    Fields,
    OrderError,
    RequestError,
    Wanted,
    deadline,
    number,
    parse,
    price,
    status_of,
)
from engine.wire.futures.products import POST_ONLY, SUSPENDED, Product, Products
from engine.wire.futures.times import iso
from engine.wire.terms import Terms, terms_of
from engine.wire.world import World

Json = dict[str, Any]
LONGEST_SWITCH = 86_400
"""Seconds."""
REMEMBERED = 5_000_000_000
"""For so many nanoseconds `orders/status` tells of an order that has ended (Kraken API centre, read
2026-11).
"""


class Trading:
    """What a client may do."""

    def __init__(self, world: World, products: Products, habits: Habits) -> None:
        self.world = world
        self.products = products
        self.habits = habits
        self.leverage: dict[str, Decimal] = {}
        """The most that each product's orders ask for, by symbol: margin is isolated there. Not
        kept across restarts.
        """
        self.cancelling = False
        """Whether a client cancels now; it is the dead man's switch otherwise."""
        self.on_refused: list[Callable[[Order, str], None]] = []
        """Told of each order that the matching engine did not take, with the reason of its event.
        """

    def level(self, order: Order) -> Decimal | None:
        """Where a stop fires now."""
        trail = (
            self.world.exchange.books[order.symbol].trail_of(order.client_order_id)
            if order.trail is not None
            else None
        )
        return order.trigger if trail is None else trail[1]

    def named(self, fields: Fields, name: str) -> Order | None:
        """The order that a request is about, as far as it is known. Raises RequestError."""
        text, client = fields.get(name, ""), fields.get("cliOrdId", "")
        if not text and not client:
            raise RequestError("requiredArgumentMissing")
        if not text:
            text = self.world.ended_of_client(client) or ""
        return self.world.order(text) if text else None

    # Placing

    def send(self, fields: Fields) -> Json:
        """Place an order."""
        return {"sendStatus": self.sent(fields)}

    def sent(self, fields: Fields) -> Json:
        """The outcome of an order. Raises RequestError."""
        received: Json = {"receivedTime": iso(self.world.now())}
        if fields.get("cliOrdId"):
            received["cliOrdId"] = fields["cliOrdId"]
        try:
            wanted = parse(fields, self.products, self.world, self.leverage)
            self._in_mode(wanted)
            self._meets_nobody(wanted)
        except OrderError as failed:
            return received | {"status": failed.status, "orderEvents": []}
        done = self.world.place(wanted.order, wanted.terms)
        if isinstance(done, RateLimit):
            raise RequestError("apiLimitExceeded")
        order = self.world.order(done.client_order_id)
        assert order is not None  # it was taken, or is kept as refused
        received["order_id"] = order.client_order_id
        if isinstance(done, r.Rejected) or (not order.filled and order.status is Status.CANCELLED):
            return received | self._refused(
                order, wanted, done.text if isinstance(done, r.Rejected) else order.reason
            )
        return received | {"status": "placed", "orderEvents": self._events(order, wanted)}

    def _in_mode(self, wanted: Wanted) -> None:
        """Raises OrderError where the market takes no such order now. Triggers wait, whatever the
        mode.
        """
        mode = self.world.mode(wanted.product.symbol)
        if mode in SUSPENDED:
            raise OrderError("marketSuspended", "MARKET_SUSPENDED")
        if mode == POST_ONLY and wanted.terms.kind != "post" and not shapes.waits(wanted.order):
            raise OrderError("marketIsPostOnly", "MARKET_IS_POST_ONLY")

    def _meets_nobody(self, wanted: Wanted) -> None:
        """Raises OrderError where an order would meet one of the account's own (the default
        strategy, REJECT_TAKER).
        """
        order, best = (
            wanted.order,
            self.world.exchange.books[wanted.product.symbol].mark(wanted.order.side.opposite),
        )
        if (
            not self.habits.self_fill
            or shapes.waits(order)
            or wanted.terms.kind == "post"
            or order.price is None
            or best is None
        ):
            return
        for own in self.world.exchange.orders.values():
            if (
                own.symbol != order.symbol
                or own.side is order.side
                or own.price is None
                or shapes.waits(own)
            ):
                continue
            if (own.price - order.price) * order.side.sign <= ZERO and (
                own.price - best
            ) * order.side.sign <= ZERO:
                raise OrderError("selfFill", "SELF_FILL")

    def _refused(self, order: Order, wanted: Wanted, text: str) -> Json:
        status, reason = status_of(text)
        for listener in self.on_refused:
            listener(order, reason)
        return {
            "status": status,
            "orderEvents": [shapes.rejected(order, wanted.terms, wanted.product, reason)],
        }

    def _events(self, order: Order, wanted: Wanted) -> list[Json]:
        """What became of a new order at once: executions, and the rest of it that rests or
        waits.
        """
        events = self._executions(
            order, self.world.executions(order), wanted.terms, wanted.product, ZERO
        )
        if shapes.waits(order) or (order.is_open and wanted.terms.kind not in AT_ONCE):
            return [*events, shapes.placed(order, wanted.terms, wanted.product, self.level(order))]
        return events

    def _executions(
        self, order: Order, fills: tuple[Fill, ...], terms: Terms, product: Product, filled: Decimal
    ) -> list[Json]:
        """Events of executions, each with the order before it."""
        events = []
        for fill in fills:
            events.append(shapes.executed(fill, replace(order, filled=filled), terms, product))
            filled += fill.size
        return events

    # Changing

    def edit(self, fields: Fields) -> Json:
        """Change a working order in place."""
        return {"editStatus": self.edited(fields, "orderId")}

    def edited(self, fields: Fields, name: str) -> Json:
        """The outcome of an edit. Raises RequestError."""
        order = self.named(fields, name)
        told: Json = {
            "receivedTime": iso(self.world.now()),
            "orderId": fields.get(name) or (order.client_order_id if order else ""),
        }
        if fields.get("cliOrdId"):
            told["cliOrdId"] = fields["cliOrdId"]
        try:
            if order is None or not order.is_open:
                raise OrderError("orderForEditNotFound", "ORDER_FOR_EDIT_NOT_FOUND")
            events = self._edit(fields, order)
        except OrderError as failed:
            return told | {"status": failed.status, "orderEvents": []}
        return told | {"status": "edited", "orderEvents": events}

    def _edit(self, fields: Fields, order: Order) -> list[Json]:
        terms, product, world = terms_of(order), self.products.by_symbol[order.symbol], self.world
        deadline(fields, world.now())
        size, limit, trigger = (
            number(fields, "size"),
            price(fields, "limitPrice"),
            price(fields, "stopPrice"),
        )
        if fields.get("trailingStopMaxDeviation") or fields.get("trailingStopDeviationUnit"):
            raise RequestError("invalidArgument: trailingStopMaxDeviation")
        if size is None and limit is None and trigger is None:
            raise RequestError("requiredArgumentMissing")
        if size is not None and size <= ZERO:
            raise OrderError("invalidSize", "INVALID_QUANTITY")
        size = self._total(fields, size, order)
        if order.trail is not None and (trigger is not None or limit is not None):
            what = "TriggerPrice" if trigger is not None else "LimitPrice"
            raise OrderError(f"cannotEdit{what}OfTrailingStop")
        if trigger is not None and not (shapes.is_stop(terms) and shapes.waits(order)):
            raise OrderError("orderForEditNotAStop", "ORDER_CANNOT_HAVE_TRIGGER_PRICE")
        name = order.client_order_id
        known = len(world.executions(order))
        done = world.amend(Amend(name, order.symbol, Lane.ENTRY, name, size, limit, trigger))
        if isinstance(done, RateLimit):
            raise RequestError("apiLimitExceeded")
        if isinstance(done, r.AmendRejected):
            raise OrderError(*status_of(done.text))
        new = world.order(name)
        assert new is not None
        changed = replace(
            order, size=done.size, price=done.price, trigger=done.trigger, touched_at=new.touched_at
        )
        fills = world.executions(new)[known:]
        return [
            shapes.edited(order, changed, terms, product),
            *self._executions(changed, fills, terms, product, order.filled),
        ]

    def _total(self, fields: Fields, size: Decimal | None, order: Order) -> Decimal | None:
        """The whole size that an edit means: it says what shall rest, unless `qtyMode` says
        ABSOLUTE. Raises RequestError.
        """
        mode = fields.get("qtyMode", "RELATIVE")
        if self.habits.edits == "documented" and mode not in ("RELATIVE", "ABSOLUTE"):
            raise RequestError("invalidArgument: qtyMode")
        whole = (
            mode == "ABSOLUTE"
            if self.habits.edits == "documented"
            else self.habits.edits == "total"
        )
        return size if size is None or whole else size + order.filled

    # Cancelling

    @contextmanager
    def _cancelling(self) -> Iterator[None]:
        self.cancelling = True
        try:
            yield
        finally:
            self.cancelling = False

    def cancel(self, fields: Fields) -> Json:
        """Cancel an order."""
        return {"cancelStatus": self.cancelled(fields)}

    def cancelled(self, fields: Fields) -> Json:
        """The outcome of a cancel. Raises RequestError."""
        order = self.named(fields, "order_id")
        told: Json = {"receivedTime": iso(self.world.now()), "orderEvents": []}
        told |= {name: fields[name] for name in ("order_id", "cliOrdId") if fields.get(name)}
        if order is None or order.status in (Status.CANCELLED, Status.EXPIRED, Status.REJECTED):
            return told | {"status": "notFound"}
        told["order_id"] = order.client_order_id
        if not order.is_open:
            return told | {"status": "filled"}
        level = self.level(order)
        with self._cancelling():
            done = self.world.cancel(order.client_order_id)
        if isinstance(done, RateLimit):
            raise RequestError("apiLimitExceeded")
        event = shapes.cancelled(
            order, terms_of(order), self.products.by_symbol[order.symbol], level
        )
        return told | {"status": "cancelled", "orderEvents": [event]}

    def cancel_all(self, fields: Fields) -> Json:
        """Cancel everything, or everything in a product."""
        product = None
        if fields.get("symbol"):
            product = self.products.find(fields["symbol"])
            if product is None:
                raise RequestError("contractNotFound")
        known = {
            name: (order, self.level(order)) for name, order in self.world.exchange.orders.items()
        }
        with self._cancelling():
            names = self.world.cancel_all(None if product is None else product.symbol)
        rows, events = [], []
        for order, level in (known[name] for name in names):
            terms = terms_of(order)
            rows.append(
                {"order_id": order.client_order_id}
                | ({"cliOrdId": terms.client} if terms.client else {})
            )
            events.append(
                shapes.cancelled(order, terms, self.products.by_symbol[order.symbol], level)
            )
        status: Json = {
            "receivedTime": iso(self.world.now()),
            "cancelOnly": "all" if product is None else product.name,
            "status": "cancelled" if names else "noOrdersToCancel",
            "cancelledOrders": rows,
            "orderEvents": events,
        }
        return {"cancelStatus": status}

    def cancel_after(self, fields: Fields) -> Json:
        """The dead man's switch, seconds; zero disarms."""
        seconds = number(fields, "timeout")
        if seconds is None:
            raise RequestError("requiredArgumentMissing")
        if not 0 <= seconds <= LONGEST_SWITCH:
            raise RequestError("invalidArgument: timeout")
        self.world.arm(float(seconds))
        at = self.world.dead_man_at
        return {
            "status": {
                "currentTime": iso(self.world.now()),
                "triggerTime": "0" if at is None else iso(at),
            }
        }

    # Several at once

    def batch(self, fields: Fields) -> Json:
        """Send, edit and cancel, in the order in which they are listed; each has an outcome of its
        own.
        """
        rows = []
        for entry in batched(fields):
            row = {name: text_of(value) for name, value in entry.items() if value is not None}
            if fields.get("processBefore"):
                row.setdefault("processBefore", fields["processBefore"])
            try:
                told = self._entry(row)
            except RequestError as refused:
                told = {"status": str(refused), "orderEvents": []}
            if "order_tag" in row:
                told["order_tag"] = row["order_tag"]
            if "receivedTime" in told:
                told["dateTimeReceived"] = told.pop("receivedTime")
            rows.append(told)
        return {"batchStatus": rows}

    def _entry(self, row: dict[str, str]) -> Json:
        match row.pop("order", ""):
            case "send":
                return self.sent(row)
            case "edit":
                told = self.edited(row, "order_id")
                return {**told, "order_id": told.pop("orderId")}
            case "cancel":
                return self.cancelled(row)
            case _:
                raise RequestError("invalidArgument: order")

    def statuses(self, fields: Fields) -> Json:
        """Orders that are open, or ended a moment ago: all of them, or those that are named."""
        seen, exchange = self.world.seen(), self.world.exchange
        recent = [
            order
            for order in exchange.ended.values()
            if seen.at - REMEMBERED < (order.closed_at or 0) <= seen.at
        ]
        known = {order.client_order_id: order for order in (*recent, *seen.orders)}
        names = {name for name in fields.get("orderIds", "").split(",") if name}
        clients = {name for name in fields.get("cliOrdIds", "").split(",") if name}
        rows = []
        for order in known.values():
            terms = terms_of(order)
            if not (names or clients) or order.client_order_id in names or terms.client in clients:
                row = shapes.state(
                    order, terms, self.products.by_symbol[order.symbol], self.level(order)
                )
                rows.append(shapes.unsure(row) if self._is_late(order) else row)
        return {"orders": rows}

    def _is_late(self, order: Order) -> bool:
        """Whether the last execution of an order is in no list yet."""
        since = self.world.now() - self.habits.late
        return bool(
            self.habits.late
            and order.filled
            and any(fill.at > since for fill in self.world.executions(order))
        )
