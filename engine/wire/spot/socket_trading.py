"""Trading over Kraken spot's WebSocket v2: each method's fields become those of the REST, its reply
a row or several.
"""

from collections.abc import Callable
from typing import Any

from engine.exchange import RateLimit
from engine.wire.spot.errors import OrderError
from engine.wire.spot.orders import SOCKET_LEAST, parse
from engine.wire.spot.socket_orders import fields_of, text_of
from engine.wire.spot.trading import BATCH, Trading

Json = dict[str, Any]
AMENDED = ("order_id", "cl_ord_id", "order_qty", "limit_price", "trigger_price", "deadline")


class SocketTrading:
    """What a client may do with orders, as it says it on a socket."""

    def __init__(self, trading: Trading) -> None:
        self.trading = trading
        self.world = trading.world
        self.methods: dict[str, Callable[[Json], list[Json]]] = {
            "add_order": self._add,
            "amend_order": self._amend,
            "edit_order": self._edit,
            "cancel_order": self._cancel,
            "cancel_all": self._cancel_all,
            "cancel_all_orders_after": self._cancel_after,
            "batch_add": self._batch_add,
            "batch_cancel": self._batch_cancel,
        }

    def _add(self, params: Json) -> list[Json]:
        wanted = parse(
            fields_of(params),
            self.trading.pairs,
            self.trading.market,
            self.world.now(),
            SOCKET_LEAST,
        )
        if wanted.validate:
            self.trading.check(wanted)
            return [{"success": True, "result": {"order_id": ""}}]
        told: Json = {"order_id": self.trading.place(wanted)}
        if wanted.terms.client:
            told["cl_ord_id"] = wanted.terms.client
        if wanted.terms.userref is not None:
            told["order_userref"] = wanted.terms.userref
        return [{"success": True, "result": told}]

    def _amend(self, params: Json) -> list[Json]:
        fields = {name: text_of(params[name]) for name in AMENDED if name in params}
        if "order_id" in fields:
            fields["txid"] = fields.pop("order_id")
        told = self.trading.amend_order(fields, SOCKET_LEAST)
        named = {name: params[name] for name in ("order_id", "cl_ord_id") if name in params}
        return [{"success": True, "result": told | named}]

    def _edit(self, params: Json) -> list[Json]:
        fields = {"txid": str(params.get("order_id", "")), "pair": str(params.get("symbol", ""))}
        for name, field in (
            ("order_qty", "volume"),
            ("limit_price", "price"),
            ("order_userref", "userref"),
            ("deadline", "deadline"),
        ):
            if name in params:
                fields[field] = text_of(params[name])
        told = self.trading.edit_order(fields)
        return [
            {
                "success": True,
                "result": {"order_id": told["txid"], "original_order_id": told["originaltxid"]},
            }
        ]

    def _cancel(self, params: Json) -> list[Json]:
        rows: list[Json] = []
        asked = [("txid", "order_id", name) for name in names(params.get("order_id"))]
        asked += [("cl_ord_id", "cl_ord_id", name) for name in names(params.get("cl_ord_id"))]
        for field, told, name in asked:
            try:
                self.trading.cancel_order({field: name})
                rows.append({"success": True, "result": {told: name}})
            except OrderError as error:
                rows.append(
                    {
                        "success": False,
                        "error": str(error),
                        **({told: name} if len(asked) > 1 else {}),
                    }
                )
        if not rows:
            raise OrderError("EGeneral:Invalid arguments:order_id")
        return rows

    def _cancel_all(self, _: Json) -> list[Json]:
        return [{"success": True, "result": {"count": len(self.world.cancel_all())}}]

    def _cancel_after(self, params: Json) -> list[Json]:
        return [
            {
                "success": True,
                "result": self.trading.cancel_after({"timeout": str(params.get("timeout", 0))}),
            }
        ]

    def _batch_add(self, params: Json) -> list[Json]:
        orders = params.get("orders", [])
        if (
            not isinstance(orders, list)
            or not BATCH[0] <= len(orders) <= BATCH[1]
            or not all(isinstance(order, dict) for order in orders)
        ):
            raise OrderError("EGeneral:Invalid arguments:orders")
        common: Json = {
            name: params[name] for name in ("symbol", "deadline", "validate") if name in params
        }
        wanted = [
            parse(
                fields_of({**order, **common}),
                self.trading.pairs,
                self.trading.market,
                self.world.now(),
                SOCKET_LEAST,
            )
            for order in orders
        ]
        rows: list[Json] = []
        for one in wanted:
            row: Json = {"cl_ord_id": one.terms.client} if one.terms.client else {}
            try:
                if one.validate:
                    self.trading.check(one)
                row |= {
                    "order_id": "" if one.validate else self.trading.place(one),
                    "success": True,
                }
            except OrderError as error:
                row |= {"success": False, "error": str(error)}
            rows.append(row)
        return [{"success": True, "result": {"orders": rows}}]

    def _batch_cancel(self, params: Json) -> list[Json]:
        count = 0
        for name in (*names(params.get("orders")), *names(params.get("cl_ord_id"))):
            found = name if name in self.world.exchange.orders else self.world.of_client(name)
            if found is not None and not isinstance(self.world.cancel(found), RateLimit):
                count += 1
        return [{"success": True, "orders_cancelled": count}]


def names(value: object) -> list[str]:
    """One name or several, as texts."""
    if value is None:
        return []
    return [str(name) for name in value] if isinstance(value, list) else [str(value)]
