"""The history of the account: orders, triggers, executions, and the log of its money.

Orders are told from what they are and from their executions: of an edit only the outcome is known.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from engine.exchange.funding import Payment
from engine.exchange.ledger import Ledger
from engine.model.account import add_cash
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import ZERO
from engine.model.order import TRIGGERED, Order, Status
from engine.wire.futures import shapes
from engine.wire.futures.account import Account
from engine.wire.futures.market import uid
from engine.wire.futures.orders import Fields, integer, status_of
from engine.wire.futures.products import Product, altname
from engine.wire.futures.times import iso, milliseconds
from engine.wire.terms import terms_of

Json = dict[str, Any]
Event = tuple[int, str, Json]
"""When, what, and the rest of it."""
MOST = 1_000
ABOUT = {"algoId": "", "origin": "Unknown Origin"}


class History:
    """What was, the latest first."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self.world = account.world
        self.products = account.products

    def orders(self, fields: Fields) -> Json:
        """Orders that entered the book, changed there, and left it."""
        return self._told(
            fields,
            (event for order, product in self._all() for event in self._of_order(order, product)),
        )

    def triggers(self, fields: Fields) -> Json:
        """Orders that waited for a trigger."""
        return self._told(
            fields,
            (event for order, product in self._all() for event in self._of_trigger(order, product)),
        )

    def executions(self, fields: Fields) -> Json:
        """Our executions."""
        habits, seen = self.account.habits, self.world.seen().at
        at = min(seen, self.world.now() - habits.late) if habits.late_history else seen
        return self._told(
            fields, (self._of_fill(fill) for fill in self.world.exchange.fills if fill.at <= at)
        )

    def _all(self) -> Iterator[tuple[Order, Product]]:
        exchange = self.world.exchange
        for order in (*exchange.ended.values(), *exchange.orders.values()):
            yield order, self.products.by_symbol[order.symbol]

    def _told(self, fields: Fields, events: Iterator[Event]) -> Json:
        since, before, count = (integer(fields, name) for name in ("since", "before", "count"))
        found: list[Json] = [
            {
                "uid": uid(f"{kind} {at} {body}"),
                "timestamp": milliseconds(at),
                "event": {kind: body},
            }
            for at, kind, body in events
            if milliseconds(at) >= (since or 0) and (before is None or milliseconds(at) < before)
        ]
        found.sort(key=lambda row: row["timestamp"], reverse=fields.get("sort") != "asc")
        rows = found[: min(count or MOST, MOST)]
        return {
            "accountUid": shapes.ACCOUNT,
            "len": len(rows),
            "serverTime": iso(self.world.now()),
            "elements": rows,
        }

    def _updates(
        self, order: Order, product: Product, fills: Iterable[Fill], filled: Decimal
    ) -> Iterator[Event]:
        """Executions of an order that rested, each with the order before and after it."""
        terms = terms_of(order)
        for fill in fills:
            old, filled = filled, filled + fill.size
            told = {
                "oldOrder": shapes.historic(order, terms, product, old),
                "newOrder": shapes.historic(order, terms, product, filled),
                "reason": "full_fill" if filled == order.size else "partial_fill",
                "reducedQuantity": "0",
            }
            yield fill.at, "OrderUpdated", told | ABOUT

    def _of_order(self, order: Order, product: Product) -> Iterator[Event]:
        terms, fills = terms_of(order), self.world.executions(order)
        if order.status is Status.REJECTED:
            error = status_of(order.reason)[1]
            yield (
                order.closed_at or 0,
                "OrderRejected",
                {
                    "order": shapes.historic(order, terms, product, ZERO),
                    "orderError": error,
                    **ABOUT,
                },
            )
            return
        if shapes.waits(order):
            return
        began = fills[0].at if fills and order.type in TRIGGERED else order.created_at
        filled = sum(
            (fill.size for fill in fills if fill.at <= began and fill.liquidity is Liquidity.TAKER),
            ZERO,
        )
        first = shapes.historic(order, terms, product, filled)
        yield (
            began,
            "OrderPlaced",
            {"order": first, "reason": "new_user_order", "reducedQuantity": "", **ABOUT},
        )
        rested = [one for one in fills if one.at > began or one.liquidity is not Liquidity.TAKER]
        yield from self._updates(order, product, rested, filled)
        if order.status in (Status.CANCELLED, Status.EXPIRED):
            reason = shapes.ended_by(order, terms)
            yield (
                order.closed_at or 0,
                "OrderCancelled",
                {
                    "order": shapes.historic(order, terms, product, order.filled),
                    "reason": reason,
                    **ABOUT,
                },
            )

    def _of_trigger(self, order: Order, product: Product) -> Iterator[Event]:
        if order.type not in TRIGGERED or order.status is Status.REJECTED:
            return
        terms = terms_of(order)
        told = {
            "order": shapes.historic_trigger(
                order, terms, product, self.account.trading.level(order)
            )
        }
        yield order.created_at, "OrderTriggerPlaced", {**told, "reason": "new_user_order", **ABOUT}
        if order.triggered:
            fills = self.world.executions(order)
            yield (
                fills[0].at if fills else order.closed_at or order.touched_at,
                "OrderTriggerActivated",
                told,
            )
        elif not order.is_open:
            yield (
                order.closed_at or 0,
                "OrderTriggerCancelled",
                {**told, "reason": shapes.ended_by(order, terms), **ABOUT},
            )

    def _of_fill(self, fill: Fill) -> Event:
        product, at = self.products.by_symbol[fill.symbol], milliseconds(fill.at)
        order = self.world.order(fill.client_order_id) if fill.client_order_id else None
        ours = (
            self._side(fill, product)
            if order is None
            else shapes.historic(order, terms_of(order), product, order.filled)
        )
        theirs = {
            **self._side(fill, product),
            "uid": uid(f"other {fill.execution_id}"),
            "direction": fill.side.opposite.value.title(),
        }
        maker = fill.liquidity is Liquidity.MAKER
        data = {"fee": f"{fill.fee:f}", "positionSize": f"{fill.size:f}"}
        execution = {
            "uid": uid(f"history {fill.execution_id}")
            if self.account.habits.history_ids
            else fill.execution_id,
            "makerOrder": ours if maker else theirs,
            "takerOrder": theirs if maker else ours,
            "timestamp": at,
            "quantity": f"{fill.size:f}",
            "price": f"{fill.price:f}",
            "markPrice": f"{self.world.exchange.mid(fill.symbol) or fill.price:f}",
            "limitFilled": order is not None and not order.remaining,
            "usdValue": f"{product.instrument.notional(fill.size, fill.price):.2f}",
            "makerOrderData" if maker else "takerOrderData": data,
        }
        return fill.at, "execution", {"execution": execution, "takerReducedQuantity": ""}

    def _side(self, fill: Fill, product: Product) -> Json:
        """The order of somebody else, or of a liquidation."""
        at = milliseconds(fill.at)
        return {
            "uid": shapes.order_of(fill),
            "accountUid": shapes.ACCOUNT,
            "tradeable": product.name,
            "direction": fill.side.value.title(),
            "quantity": "0",
            "filled": f"{fill.size:f}",
            "timestamp": at,
            "limitPrice": f"{fill.price:f}",
            "orderType": "Limit",
            "clientId": "",
            "reduceOnly": False,
            "lastUpdateTimestamp": at,
        }

    def account_log(self, fields: Fields) -> Json:
        """Each execution twice: what it did to the money, and what to the position."""
        since, before, count = (integer(fields, name) for name in ("since", "before", "count"))
        rows = [row for row in self._log() if fields.get("info") in (None, "", row[1]["info"])]
        rows = [
            row
            for row in rows
            if milliseconds(row[0]) >= (since or 0)
            and (before is None or milliseconds(row[0]) < before)
        ]
        logs = [row for _, row in rows]
        if fields.get("sort") != "asc":
            logs.reverse()
        return {"accountUid": shapes.ACCOUNT, "logs": logs[: count or 500]}

    def _log(self) -> list[tuple[int, Json]]:
        """Executions and hours of funding played again on an empty account; then all is moved so
        that it ends with the money that there is.
        """
        exchange = self.world.exchange
        fills = exchange.fills if exchange.archive is None else exchange.archive.executions_since(0)
        ledger, hours = Ledger({}, exchange.ledger.currency), deque(exchange.funding.paid)
        rows: list[tuple[int, Json]] = []
        for fill in fills:
            while hours and hours[0].at <= fill.at:
                rows.append(self._funded(hours.popleft(), ledger))
            instrument = exchange.instruments[fill.symbol]
            money, held = ledger.cash.get(instrument.settle, ZERO), ledger.held(instrument)
            ledger.book(instrument, fill, exchange.rate)
            after = ledger.cash.get(instrument.settle, ZERO), ledger.held(instrument)
            rows += self._legs(fill, instrument, (money, after[0]), (held, after[1]))
        rows += [self._funded(payment, ledger) for payment in hours]
        for number, (_, row) in enumerate(rows, 1):
            row["id"] = number
            currency = row.pop("currency")
            if currency:
                missing = exchange.ledger.cash.get(currency, ZERO) - ledger.cash.get(currency, ZERO)
                row |= {
                    "old_balance": row["old_balance"] + missing,
                    "new_balance": row["new_balance"] + missing,
                }
        return rows

    def _funded(self, payment: Payment, ledger: Ledger) -> tuple[int, Json]:
        """An hour of funding."""
        old = ledger.cash.get(payment.currency, ZERO)
        ledger.cash = add_cash(ledger.cash, payment.currency, payment.amount)
        row = _row(
            payment.at,
            self.products.by_symbol[payment.symbol].name.lower(),
            f"funding {payment.symbol} {payment.at}",
            (old, old + payment.amount),
        )
        row |= {
            "asset": altname(payment.currency).lower(),
            "info": "funding rate change",
            "mark_price": payment.price,
        }
        return payment.at, row | {
            "funding_rate": payment.rate,
            "realized_funding": payment.amount,
            "currency": payment.currency,
        }

    def _legs(
        self,
        fill: Fill,
        instrument: Instrument,
        money: tuple[Decimal, Decimal],
        held: tuple[Decimal, Decimal],
    ) -> Iterator[tuple[int, Json]]:
        contract = self.products.by_symbol[fill.symbol].name.lower()
        paid = fill.fee if fill.fee_currency == instrument.settle else ZERO
        common = {
            "execution": fill.execution_id,
            "info": "futures trade" if fill.client_order_id else "futures liquidation",
            "mark_price": fill.price,
            "trade_price": fill.price,
            "funding_rate": ZERO,
        }
        cash: Json = {
            "asset": altname(instrument.settle).lower(),
            "fee": fill.fee,
            "realized_pnl": money[1] - money[0] + paid,
        }
        size: Json = {"asset": contract}
        for index, (leg, balances, currency) in enumerate(
            ((cash, money, instrument.settle), (size, held, ""))
        ):
            row = _row(fill.at, contract, f"booking {index} {fill.execution_id}", balances)
            yield (
                fill.at,
                row
                | common
                | leg
                | {"currency": currency}
                | ({"funding_rate": None} if index else {}),
            )


def _row(at: int, contract: str, name: str, balances: tuple[Decimal, Decimal]) -> Json:
    """What all rows of the log have."""
    return {
        "asset": "",
        "booking_uid": uid(name),
        "collateral": None,
        "contract": contract,
        "conversion_spread_percentage": None,
        "date": iso(at),
        "execution": None,
        "fee": None,
        "funding_rate": None,
        "info": "",
        "liquidation_fee": None,
        "margin_account": "flex",
        "mark_price": None,
        "new_average_entry_price": None,
        "new_balance": balances[1],
        "old_average_entry_price": None,
        "old_balance": balances[0],
        "realized_funding": None,
        "realized_pnl": None,
        "trade_price": None,
    }
