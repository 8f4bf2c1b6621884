"""Kraken spot's orders: placed, amended, edited, cancelled; the REST and the stream ask for the
same.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec.structs import replace

from engine.exchange import RateLimit
from engine.exchange.answers import FIXED_COST
from engine.model import report as r
from engine.model.money import ZERO
from engine.model.order import Order, OrderType
from engine.model.request import Amend, Lane
from engine.model.side import Side
from engine.wire.spot import shapes
from engine.wire.spot.amends import Amends
from engine.wire.spot.errors import OrderError, invalid
from engine.wire.spot.fields import flat, listed, number
from engine.wire.spot.order_prices import level
from engine.wire.spot.orders import (
    DEADLINE_LEAST,
    USERREF,
    Market,
    Wanted,
    deadline,
    parse,
    refused,
)
from engine.wire.spot.pairs import Pair, Pairs
from engine.wire.terms import terms_of
from engine.wire.world import World

Json = dict[str, Any]
BATCH = (2, 15)


class Trading:
    """What a client may do with orders."""

    def __init__(self, world: World, pairs: Pairs, market: Market) -> None:
        self.world = world
        self.pairs = pairs
        self.market = market
        self.amends = Amends(world)
        world.on_close = self._closing  # type: ignore[method-assign]
        world.scheduled.begins(self._begin, lambda order: terms_of(order).starts_at)
        world.exchange.prevents = lambda order: terms_of(order).prevention

    def methods(self) -> dict[str, Callable[[Mapping[str, str]], Json]]:
        """The endpoints."""
        return {
            "AddOrder": self.add_order,
            "AddOrderBatch": self.add_batch,
            "AmendOrder": self.amend_order,
            "OrderAmends": self.amends.order_amends,
            "EditOrder": self.edit_order,
            "CancelOrder": self.cancel_order,
            "CancelOrderBatch": self.cancel_batch,
            "CancelAll": self.cancel_all,
            "CancelAllOrdersAfter": self.cancel_after,
        }

    def add_order(self, fields: Mapping[str, str]) -> Json:
        """Place an order."""
        wanted = parse(fields, self.pairs, self.market, self.world.now())
        described: Json = {"order": shapes.sentence(wanted.order, wanted.terms, wanted.pair)}
        if wanted.terms.close is not None:
            described["close"] = shapes.close_sentence(wanted.terms)
        if wanted.validate:
            self.check(wanted)
            return {"descr": described}
        told: Json = {"txid": [self.place(wanted)], "descr": described}
        if wanted.terms.client:
            told["cl_ord_id"] = wanted.terms.client
        return told

    def check(self, wanted: Wanted) -> None:
        """What would become of an order. Raises OrderError."""
        text = (
            self._shut(wanted.order)
            or self.world.admits(wanted.order)
            or self._short_of_coins(wanted.order, wanted.order.size)
        )
        if text:
            raise refused(wanted, text)

    def _short_of_coins(self, order: Order, size: Decimal) -> str:
        """Without leverage nothing is sold that is not held."""
        if order.leverage is not None or order.side is Side.BUY or order.reduce_only:
            return ""
        exchange = self.world.exchange
        free = exchange.ledger.free(exchange.instruments[order.symbol].base, order.client_order_id)
        return "EOrder:Insufficient funds" if free < size - order.filled else ""

    def place(self, wanted: Wanted) -> str:
        """Take an order in; its id. Raises OrderError."""
        if text := self._shut(wanted.order):
            raise OrderError(text)
        if wanted.starts_at is not None:
            return self._schedule(wanted, wanted.starts_at)
        done = self.world.place(
            wanted.order, wanted.terms, self._short_of_coins(wanted.order, wanted.order.size)
        )
        if isinstance(done, RateLimit | r.Rejected):
            raise refused(wanted, done.text)
        return done.venue_order_id

    def _schedule(self, wanted: Wanted, at: int) -> str:
        """Keep an order until it begins; its id. Raises OrderError where it would be
        refused now.
        """
        self.check(wanted)
        world, name = self.world, self.world.exchange.new_order_id()
        if wanted.terms.client and world.of_client(wanted.terms.client) is not None:
            raise OrderError("EOrder:cl_ord_id is in use by an open order")
        label = msgspec.json.encode(replace(wanted.terms, starts_at=at)).decode()
        order = replace(
            wanted.order,
            client_order_id=name,
            venue_order_id=name,
            label=label,
            created_at=world.now(),
        )
        world.waits(order, at)
        return name

    def _begin(self, order: Order) -> None:
        """An order whose time has come; where it is refused now, it ends."""
        world, name = self.world, order.client_order_id
        world.begins(order)
        done = world.place(
            order,
            terms_of(order),
            self._shut(order) or self._short_of_coins(order, order.size),
            name,
        )
        if isinstance(done, RateLimit):
            world.exchange.refuse(order, done.text, world.now())

    def _shut(self, order: Order) -> str:
        """Why the mode of the pair or of the exchange admits no such order; empty where it does."""
        mode = self.world.mode(order.symbol)
        admitted = {
            "online": True,
            "post_only": order.post_only,
            "limit_only": order.type is OrderType.LIMIT,
            "reduce_only": order.reduce_only,
        }.get(mode, False)
        if admitted:
            return ""
        return (
            "EService:Unavailable" if mode == "maintenance" else f"EService:Market in {mode} mode"
        )

    def add_batch(self, fields: Mapping[str, str]) -> Json:
        """Place several orders of one pair: all are checked before the first is placed."""
        orders = listed(fields, "orders")
        if not BATCH[0] <= len(orders) <= BATCH[1]:
            raise invalid("orders")
        common = {key: fields[key] for key in ("pair", "deadline", "validate") if key in fields}
        if not all(isinstance(order, Mapping) for order in orders):
            raise invalid("orders")
        wanted = [
            parse({**flat(order), **common}, self.pairs, self.market, self.world.now())
            for order in orders
        ]
        told: list[Json] = []
        for one in wanted:
            row: Json = {"descr": {"order": shapes.sentence(one.order, one.terms, one.pair)}}
            if one.terms.close is not None:
                row["close"] = shapes.close_sentence(one.terms)
            if one.validate:
                told.append(row)
                continue
            try:
                row["txid"] = self.place(one)
                if one.terms.client:
                    row["cl_ord_id"] = one.terms.client
            except OrderError as error:
                row = {"error": str(error)}
            told.append(row)
        return {"orders": told}

    def _named(self, fields: Mapping[str, str]) -> str:
        """The open order that a request is about. Raises OrderError."""
        name = fields.get("txid", "") or fields.get("order_id", "")
        if fields.get("cl_ord_id"):
            name = self.world.of_client(fields["cl_ord_id"]) or ""
        if name not in self.world.exchange.orders:
            raise OrderError("EOrder:Unknown order")
        return name

    def amend_order(self, fields: Mapping[str, str], least: int = DEADLINE_LEAST) -> Json:
        """Change a working order in place."""
        name = self._named(fields)
        order = self.world.exchange.orders[name]
        pair = self.pairs.by_symbol[order.symbol]
        size = number(fields, "order_qty")
        price = self._level(fields, "limit_price", order, pair)
        trigger = self._level(fields, "trigger_price", order, pair)
        if size is None and price is None and trigger is None:
            raise OrderError("EGeneral:Invalid arguments:No fields to amend")
        deadline(fields, self.world.now(), least)
        if self.world.mode(order.symbol) in ("cancel_only", "maintenance"):
            raise OrderError(self._shut(order))
        if size is not None and (text := self._short_of_coins(order, size)):
            self.world.spend(order.symbol, FIXED_COST)
            raise OrderError(text)
        self.amends.begin(order)
        asked = Amend(name, order.symbol, Lane.ENTRY, name, size, price, trigger)
        done = self.world.amend(asked)
        if isinstance(done, RateLimit | r.AmendRejected):
            raise OrderError(done.text)
        self._retell(name, price, trigger, pair)
        amend = self.world.exchange.new_order_id().replace("O", "T", 1)
        self.amends.add(amend, done, order.filled)
        return {"amend_id": amend}

    def _level(
        self, fields: Mapping[str, str], name: str, order: Order, pair: Pair
    ) -> Decimal | None:
        text = fields.get(name, "")
        return (
            None
            if text in ("", "0")
            else level(text, name, order.side, pair, self.market.last(order.symbol))
        )

    def _retell(
        self, name: str, price: Decimal | None, trigger: Decimal | None, pair: Pair
    ) -> None:
        """The terms of an order say its new prices from now on."""
        order = self.world.exchange.orders.get(name)
        if order is None:
            return
        terms, digits = terms_of(order), pair.price_decimals
        first, second = (trigger, price) if order.trigger is not None else (price, None)
        if first is not None:
            terms = replace(terms, price=f"{first:.{digits}f}")
        if second is not None:
            terms = replace(terms, price2=f"{second:.{digits}f}")
        self.world.exchange.put(replace(order, label=msgspec.json.encode(terms).decode()))
        self.world.settle()

    def edit_order(self, fields: Mapping[str, str]) -> Json:
        """Cancel an order and place another one like it."""
        name = self._named(fields)
        order = self.world.exchange.orders[name]
        terms = terms_of(order)
        if order.filled or terms.close is not None:
            raise OrderError("EOrder:Order not editable")
        renewed = {
            "pair": fields.get("pair", ""),
            "type": order.side.value,
            "ordertype": terms.kind,
            "volume": fields.get("volume") or f"{order.size:f}",
            "price": fields.get("price") or terms.price.replace(",", ""),
            "price2": fields.get("price2") or terms.price2,
            "leverage": terms.leverage,
            "oflags": fields.get("oflags", ",".join(terms.flags)),
            **{key: fields[key] for key in ("deadline", "validate", "userref") if key in fields},
        }
        wanted = parse(renewed, self.pairs, self.market, self.world.now())
        text = self.world.admits(wanted.order)
        # the funds that the old one keeps are free once it is gone
        if text and text != "EOrder:Insufficient funds":
            raise OrderError(text)
        if not wanted.validate:
            self._ended(name)
            placed = self.place(wanted)
        return {
            "status": "ok",
            "txid": placed if not wanted.validate else "",
            "originaltxid": name,
            "volume": f"{wanted.order.size:.8f}",
            "price": wanted.terms.price,
            "price2": wanted.terms.price2,
            "orders_cancelled": 0 if wanted.validate else 1,
            "descr": {"order": shapes.sentence(wanted.order, wanted.terms, wanted.pair)},
        }

    def cancel_order(self, fields: Mapping[str, str]) -> Json:
        """Cancel an order, or all of a user reference."""
        text = fields.get("txid", "")
        if not fields.get("cl_ord_id") and USERREF.fullmatch(text):
            names = [
                name
                for name, order in self.world.exchange.orders.items()
                if terms_of(order).userref == int(text)
            ]
            if not names:
                raise OrderError("EOrder:Unknown order")
        else:
            waiting = self._waiting(fields)
            if waiting is not None and self.world.withdraw(waiting):
                return {"count": 1}
            names = [self._named(fields)]
        for name in names:
            self._ended(name)
        return {"count": len(names)}

    def _waiting(self, fields: Mapping[str, str]) -> str | None:
        """The id that a request names, if its order has not begun."""
        client = fields.get("cl_ord_id")
        name = self.world.of_client(client) if client else fields.get("txid", "")
        return name if name and self.world.scheduled.get(name) is not None else None

    def _ended(self, name: str) -> None:
        done = self.world.cancel(name)
        if isinstance(done, RateLimit | r.CancelRejected):
            raise OrderError(done.text)

    def cancel_batch(self, fields: Mapping[str, str]) -> Json:
        """Cancel several; those that are gone already are not counted."""
        names = [str(name) for name in (*listed(fields, "orders"), *listed(fields, "cl_ord_ids"))]
        count = 0
        for name in names:
            found = name if self.world.order(name) is not None else self.world.of_client(name)
            if found is None:
                continue
            if found in self.world.exchange.orders:
                self._ended(found)
                count += 1
            else:
                count += self.world.withdraw(found)
        return {"count": count}

    def cancel_all(self, _: Mapping[str, str]) -> Json:
        """Cancel everything."""
        return {"count": len(self.world.cancel_all())}

    def cancel_after(self, fields: Mapping[str, str]) -> Json:
        """The dead man's switch."""
        seconds = number(fields, "timeout") or ZERO
        if not 0 <= seconds <= 86_400:
            raise invalid("timeout")
        self.world.arm(float(seconds))
        now = shapes.rfc3339(self.world.now())[:19] + "Z"
        at = self.world.dead_man_at
        return {
            "currentTime": now,
            "triggerTime": "0" if at is None else shapes.rfc3339(at)[:19] + "Z",
        }

    def _closing(self, report: r.Filled, order: Order) -> None:
        """Each fill of an order with a conditional close brings an order of its own size."""
        terms, fill = terms_of(order), report.fill
        assert terms.close is not None
        kind, price, second = terms.close
        fields = {
            "pair": self.pairs.by_symbol[order.symbol].key,
            "type": order.side.opposite.value,
            "ordertype": kind,
            "volume": f"{fill.size:f}",
            "price": price,
            "price2": second,
            "leverage": terms.leverage,
        }
        try:
            wanted = parse(
                fields, self.pairs, Market(lambda _: fill.price, self.market.held), self.world.now()
            )
        except OrderError:
            return  # as at the exchange: a close that makes no sense is dropped
        self.world.place(
            wanted.order, replace(wanted.terms, primary=order.client_order_id, user=False)
        )
