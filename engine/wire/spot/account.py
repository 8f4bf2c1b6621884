"""Kraken spot's private REST, but for trading: balances, orders, executions, ledgers, the key."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from engine.model.money import ZERO
from engine.model.order import Order, Status
from engine.wire.keys import Key
from engine.wire.spot import odd, shapes
from engine.wire.spot.entries import Entries
from engine.wire.spot.errors import OrderError, invalid
from engine.wire.spot.fields import moment, whole
from engine.wire.spot.merged import Told, consolidates, merged_name, told
from engine.wire.spot.orders import Market
from engine.wire.spot.pairs import asset
from engine.wire.spot.public import Public, asset_name
from engine.wire.terms import Terms, terms_of
from engine.wire.world import World

Json = dict[str, Any]
PAGE = 50
NEVER = 1 << 63


class Account:
    """The account as its owner sees it, as old as the exchange's faults make it."""

    def __init__(self, world: World, key: Key, public: Public, market: Market) -> None:
        self.world = world
        self.key = key
        self.public = public
        self.pairs = public.pairs
        self.market = market
        self.entries = Entries(world)

    def methods(self) -> dict[str, Callable[[Mapping[str, str]], Json | list[Json]]]:
        """The endpoints."""
        return {
            "Balance": self.balance,
            "BalanceEx": self.balance_ex,
            "TradeBalance": self.trade_balance,
            "OpenOrders": self.open_orders,
            "ClosedOrders": self.closed_orders,
            "QueryOrders": self.query_orders,
            "TradesHistory": self.trades_history,
            "QueryTrades": self.query_trades,
            "OpenPositions": self.open_positions,
            "TradeVolume": self.trade_volume,
            "Ledgers": self.ledgers,
            "QueryLedgers": self.query_ledgers,
            "GetApiKeyInfo": self.key_info,
            "GetWebSocketsToken": self.token,
        }

    def balance(self, fields: Mapping[str, str]) -> Json:
        """Amounts by currency."""
        cash = self.world.seen().cash
        return {
            asset_name(name, fields): f"{amount:.{4 if asset(name).startswith('Z') else 10}f}"
            for name, amount in cash.items()
        }

    def balance_ex(self, fields: Mapping[str, str]) -> Json:
        """Amounts, and what open orders hold back."""
        seen = self.world.seen()
        return {
            asset_name(name, fields): {
                "balance": f"{amount:.10f}",
                "hold_trade": f"{seen.kept.get(name, ZERO):.10f}",
            }
            for name, amount in seen.cash.items()
        }

    def trade_balance(self, _: Mapping[str, str]) -> Json:
        """Equity and margin."""
        exchange = self.world.exchange
        equity = exchange.ledger.equity(exchange.instruments, exchange.mid)
        used, _needed = exchange.ledger.margin(exchange.instruments, exchange.mid)
        told = {
            "eb": equity,
            "tb": equity,
            "m": used,
            "uv": ZERO,
            "n": ZERO,
            "c": ZERO,
            "v": ZERO,
            "e": equity,
            "mf": equity - used,
        }
        if used:
            told["ml"] = equity / used * 100
        return {name: f"{amount:.4f}" for name, amount in told.items()}

    def open_orders(self, fields: Mapping[str, str]) -> Json:
        """Orders that work."""
        wanted = [
            order
            for order in (*self.world.scheduled, *self.world.seen().orders)
            if _asked(order, fields)
        ]
        strange = (
            odd.open_orders(shapes.seconds(self.world.began))
            if self.world.conduct.odd_rows and not fields.get("cl_ord_id")
            else {}
        )
        return {
            "open": strange | {order.client_order_id: self._info(order, fields) for order in wanted}
        }

    def closed_orders(self, fields: Mapping[str, str]) -> Json:
        """Orders that have ended, the latest first, fifty a page."""
        seen = self.world.seen()
        start, end = moment(self.world, fields, "start"), moment(self.world, fields, "end")
        ended = [
            order
            for order in reversed(list(self.world.exchange.ended.values()))
            if order.status is not Status.REJECTED
            and (order.closed_at or 0) <= seen.at
            and (start is None or (order.closed_at or 0) > start)
            and (end is None or (order.closed_at or 0) <= end)
            and _asked(order, fields)
        ]
        page, together = ended[whole(fields, "ofs", 0) :][:PAGE], self._merges(fields)
        return {
            "closed": {
                order.client_order_id: self._info(order, fields, together=together)
                for order in page
            },
            "count": len(ended),
        }

    def query_orders(self, fields: Mapping[str, str]) -> Json:
        """Orders by their ids."""
        found: Json = {}
        together = self._merges(fields)
        names = [name for name in fields.get("txid", "").split(",") if name]
        if fields.get("cl_ord_id"):
            latest = self.world.ended_of_client(fields["cl_ord_id"])
            names += [latest] if latest is not None else []
        if len(names) > PAGE:
            raise invalid("txid")
        for name in names:
            order = self.world.order(name)
            if order is None or order.status is Status.REJECTED:
                raise invalid("txid") if not _is_txid(name) else OrderError("EOrder:Unknown order")
            found[name] = self._info(order, fields, together=together)
        return found

    def _info(self, order: Order, fields: Mapping[str, str], *, together: bool = False) -> Json:
        fills = self.world.executions(order)
        return shapes.order_info(
            order,
            terms_of(order),
            self.pairs.by_symbol[order.symbol],
            fills,
            self.level(order),
            trades=fields.get("trades", "").lower() == "true",
            together=together,
        )

    def level(self, order: Order) -> Decimal | None:
        """Where a stop fires now."""
        trail = (
            self.world.exchange.books[order.symbol].trail_of(order.client_order_id)
            if order.trail is not None
            else None
        )
        return order.trigger if trail is None else trail[1]

    def trades_history(self, fields: Mapping[str, str]) -> Json:
        """Executions, the latest first, fifty a page."""
        seen = self.world.seen()
        start, end = moment(self.world, fields, "start"), moment(self.world, fields, "end")
        found = [
            fill
            for fill in self.world.exchange.fills
            if fill.at <= seen.at
            and (start is None or fill.at > start)
            and (end is None or fill.at <= end)
        ]
        rows = told(found, together=self._merges(fields))
        page = rows[::-1][whole(fields, "ofs", 0) :][:PAGE]
        return {"trades": {row.name: self._trade(row) for row in page}, "count": len(rows)}

    def _merges(self, fields: Mapping[str, str]) -> bool:
        return consolidates(fields) or self.world.conduct.always_merged

    def query_trades(self, fields: Mapping[str, str]) -> Json:
        """Executions by their ids."""
        wanted = set(fields.get("txid", "").split(","))
        single = [
            Told(fill.execution_id, (fill,))
            for fill in self.world.exchange.fills
            if fill.execution_id in wanted
        ]
        merged = told(
            (
                fill
                for fill in self.world.exchange.fills
                if merged_name(fill.client_order_id) in wanted
            ),
            together=True,
        )
        return {
            row.name: self._trade(row)
            for row in (*single, *(row for row in merged if row.name in wanted))
        }

    def _trade(self, row: Told) -> Json:
        fill = row.fills[0]
        order = self.world.order(fill.client_order_id)
        terms = terms_of(order) if order is not None else Terms(kind="market", user=False)
        entries = tuple(entry for one in row.fills for entry in self.entries.of(one))
        return shapes.trade_info(row, order, terms, self.pairs.by_symbol[fill.symbol], entries)

    def open_positions(self, fields: Mapping[str, str]) -> Json | list[Json]:
        """What is on margin, a position by pair."""
        seen = self.world.seen().on_margin
        told: Json = {}
        for pair in self.pairs.all:
            if pair.symbol in seen:
                holding, price = seen[pair.symbol], self.market.last(pair.symbol) or ZERO
                profit = holding.size * price - holding.value.copy_sign(holding.size)
                told[f"TP{pair.key[:4]}-POSIT-IONAAA"] = {
                    "ordertxid": "",
                    "posstatus": "open",
                    "pair": pair.key,
                    "time": shapes.seconds(self.world.now()),
                    "type": "buy" if holding.size > ZERO else "sell",
                    "ordertype": "market",
                    "cost": f"{holding.value:.5f}",
                    "fee": "0.00000",
                    "vol": f"{abs(holding.size):.8f}",
                    "vol_closed": "0.00000000",
                    "margin": (
                        f"{holding.value / (holding.leverage or pair.instrument.max_leverage):.5f}"
                    ),
                    "value": f"{abs(holding.size) * price:.4f}",
                    "net": f"{profit:+.4f}",
                    "terms": "0.0200% per 4 hours",
                    "rollovertm": str(self.world.now() // 1_000_000_000 + 14_400),
                    "misc": "",
                    "oflags": "",
                }
        return (
            [shapes.consolidated(row) for row in told.values()]
            if fields.get("consolidation") == "market"
            else told
        )

    def trade_volume(self, fields: Mapping[str, str]) -> Json:
        """The thirty days' volume and the fees that follow from it."""
        exchange = self.world.exchange
        volume = exchange.ledger.volume(self.world.now())
        fees, makers = {}, {}
        for pair in self.public.asked_pairs(fields) if fields.get("pair") else []:
            tier = pair.instrument.fees_at(volume)
            fees[pair.key] = {
                "fee": f"{tier.taker * 100:.4f}",
                "minfee": "0.1000",
                "maxfee": "0.4000",
                "nextfee": None,
                "nextvolume": None,
                "tiervolume": f"{tier.volume:.4f}",
            }
            makers[pair.key] = {**fees[pair.key], "fee": f"{tier.maker * 100:.4f}"}
        return {"currency": "ZUSD", "volume": f"{volume:.4f}", "fees": fees, "fees_maker": makers}

    def ledgers(self, fields: Mapping[str, str]) -> Json:
        """Changes of balances, the latest first, fifty a page."""
        names = [name for name in fields.get("asset", "all").split(",") if name != "all"]
        codes = {code for name in names for code in (name, asset(name))}
        start, end = (
            moment(self.world, fields, "start") or 0,
            moment(self.world, fields, "end") or NEVER,
        )
        wanted = [
            (n, row)
            for n, row in self._ledger().items()
            if (not codes or row["asset"] in codes) and start < row["time"] * 1e9 <= end
        ]
        return {"ledger": dict(wanted[whole(fields, "ofs", 0) :][:PAGE]), "count": len(wanted)}

    def query_ledgers(self, fields: Mapping[str, str]) -> Json:
        """Changes of balances by their ids."""
        found = self._ledger()
        return {name: found[name] for name in fields.get("id", "").split(",") if name in found}

    def _ledger(self) -> dict[str, Json]:
        """Changes of balances, from the executions."""
        found: dict[str, Json] = {}
        for fill in reversed(self.world.exchange.fills):
            for entry in self.entries.of(fill):
                found[entry.name] = {
                    "aclass": "currency",
                    "amount": f"{entry.amount:.10f}",
                    "asset": asset(entry.currency),
                    "balance": f"{self.world.exchange.ledger.cash.get(entry.currency, ZERO):.10f}",
                    "fee": f"{entry.fee:.10f}",
                    "refid": fill.execution_id,
                    "time": shapes.seconds(fill.at),
                    "type": entry.kind,
                    "subtype": "",
                }
        return found

    def key_info(self, _: Mapping[str, str]) -> Json:
        """What the key may do."""
        return {
            "api_key_name": "flatout",
            "api_key": self.key.key,
            "nonce": str(self.key.nonce),
            "nonce_window": "0",
            "permissions": list(self.key.permissions),
            "iban": "AA00 N84G TEST TEST",
            "valid_until": "0",
            "query_from": "0",
            "query_to": "0",
            "created_time": str(self.world.began // 1_000_000_000),
            "modified_time": str(self.world.began // 1_000_000_000),
            "ip_allowlist": [],
            "last_used": str(self.world.now() // 1_000_000_000),
        }

    def token(self, _: Mapping[str, str]) -> Json:
        """A token for the private stream."""
        return {"token": self.key.new_token(self.world.now()), "expires": 900}


def _is_txid(name: str) -> bool:
    return len(name) >= 10 and name.count("-") == 2


def _asked(order: Order, fields: Mapping[str, str]) -> bool:
    """Whether an order is among those that are asked for."""
    terms = terms_of(order)
    if fields.get("cl_ord_id") and terms.client != fields["cl_ord_id"]:
        return False
    return not fields.get("userref") or str(terms.userref) == fields["userref"]
