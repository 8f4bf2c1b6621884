"""The account: balances and margin, positions, open orders, fills, preferences.

One pool of money carries everything, as in a multi-collateral wallet; orders that rest keep no
margin. A contract that pays in its base currency is told once more as a margin account of its own.
"""

from collections import deque
from decimal import Decimal
from typing import Any

from msgspec import Struct

from engine.model.fill import Fill
from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.report import Filled, Liquidated
from engine.model.side import Side
from engine.wire.futures import shapes
from engine.wire.futures.habits import Habits
from engine.wire.futures.market import Market
from engine.wire.futures.orders import Fields, RequestError, integer, number
from engine.wire.futures.products import SCHEDULE, altname
from engine.wire.futures.times import iso, nanoseconds
from engine.wire.futures.trading import Trading
from engine.wire.terms import Terms, terms_of
from engine.wire.world import World

Json = dict[str, Any]
PAGE = 100


class Position(Struct, frozen=True):
    """What is held of a product: signed contracts, and what they were entered for (settle
    currency).
    """

    size: Decimal
    value: Decimal
    at: int
    """Of its last execution."""

    @property
    def side(self) -> Side:
        """BUY for a long one."""
        return Side.BUY if self.size > ZERO else Side.SELL


class Margin(Struct, frozen=True):
    """The account in its reporting currency."""

    cash: dict[str, Decimal]
    balance: Decimal
    """All balances."""
    equity: Decimal
    """With what positions have won or lost."""
    initial: Decimal
    maintenance: Decimal

    @property
    def pnl(self) -> Decimal:
        """What positions have won or lost so far."""
        return self.equity - self.balance

    @property
    def available(self) -> Decimal:
        """For new positions."""
        return max(self.equity - self.initial, ZERO)


class Account:
    """One account, as it is told."""

    def __init__(self, world: World, market: Market, trading: Trading, habits: Habits) -> None:
        self.world = world
        self.market = market
        self.products = market.products
        self.trading = trading
        self.habits = habits
        self._held: deque[tuple[int, dict[str, Position]]] = deque([(0, self._holdings({}))])
        world.on_report.append(self._reported)

    def _reported(self, report: object, _: object) -> None:
        if isinstance(report, Filled | Liquidated):
            now = self.world.now()
            latest = {
                **{symbol: position.at for symbol, position in self.held().items()},
                report.fill.symbol: report.fill.at,
            }
            self._held.append((now, self._holdings(latest)))
            while len(self._held) > 1 and self._held[1][0] <= now - max(
                self.world.faults.rest_lag, self.habits.late
            ):
                self._held.popleft()

    def _holdings(self, latest: dict[str, int]) -> dict[str, Position]:
        exchange = self.world.exchange
        if not latest:
            latest = {fill.symbol: fill.at for fill in exchange.fills}
        found = exchange.ledger.holdings.items()
        return {
            symbol: Position(h.size, h.value, latest.get(symbol, self.world.began))
            for symbol, h in found
            if h.size
        }

    def held(self, at: int | None = None) -> dict[str, Position]:
        """Positions by symbol: now, or as they were at a time."""
        if at is None:
            return self._held[-1][1]
        return next((held for since, held in reversed(self._held) if since <= at), self._held[0][1])

    def profit(self, instrument: Instrument, position: Position) -> Decimal:
        """What a position has won so far, in its settle currency."""
        mark = self.world.exchange.mid(instrument.symbol)
        if mark is None:
            return ZERO
        size = abs(position.size)
        return instrument.profit(position.side, size, position.value, instrument.value(size, mark))

    def entry(self, instrument: Instrument, position: Position) -> Decimal:
        """The average price."""
        return instrument.average_price(abs(position.size), position.value)

    def rate(self, currency: str) -> Decimal:
        """Its worth in the reporting currency; zero where no price is known."""
        return self.world.exchange.rate(currency, self.world.exchange.ledger.currency) or ZERO

    def margin(self, *, seen: bool = False) -> Margin:
        """The account as it is, or as it is seen."""
        exchange, past = self.world.exchange, self.world.seen()
        cash, positions = (
            (past.cash, self.held(past.at)) if seen else (dict(exchange.ledger.cash), self.held())
        )
        balance = sum((amount * self.rate(name) for name, amount in cash.items()), ZERO)
        profits = (
            self.profit(exchange.instruments[s], p) * self.rate(exchange.instruments[s].settle)
            for s, p in positions.items()
        )
        initial, maintenance = exchange.ledger.margin(exchange.instruments, exchange.mid)
        return Margin(cash, balance, balance + sum(profits, ZERO), initial, maintenance)

    # Answers

    def accounts(self, _: Fields) -> Json:
        """Every wallet."""
        margin = self.margin(seen=True)
        flex: Json = {
            "type": "multiCollateralMarginAccount",
            "currencies": {
                altname(name): self._currency(name, amount, margin)
                for name, amount in margin.cash.items()
            },
            "balanceValue": margin.balance,
            "portfolioValue": margin.equity,
            "collateralValue": margin.balance,
            "initialMargin": margin.initial,
            "initialMarginWithOrders": margin.initial,
            "maintenanceMargin": margin.maintenance,
            "pnl": margin.pnl,
            "unrealizedFunding": ZERO,
            "totalUnrealized": margin.pnl,
            "totalUnrealizedAsMargin": margin.pnl,
            "marginEquity": margin.equity,
            "availableMargin": margin.available,
        }
        told: Json = {"cash": {"type": "cashAccount", "balances": {}}, "flex": flex}
        for product in self.products.all:
            if product.inverse:
                told[f"fi_{product.pair.replace(':', '').lower()}"] = self._single(
                    product.instrument, margin
                )
        return {"accounts": told}

    def _currency(self, name: str, amount: Decimal, margin: Margin) -> Json:
        value = amount * self.rate(name)
        free = min(amount, margin.available / self.rate(name)) if value else amount
        return {"quantity": amount, "value": value, "collateralValue": value, "available": free}

    def _single(self, instrument: Instrument, margin: Margin) -> Json:
        exchange = self.world.exchange
        held = {
            s: p
            for s, p in self.held().items()
            if exchange.instruments[s].settle == instrument.base
        }
        amount = margin.cash.get(instrument.base, ZERO)
        rows = [(exchange.instruments[s], s, p) for s, p in held.items()]
        pnl = sum((self.profit(i, p) for i, _, p in rows), ZERO)
        values = [(i, i.value(abs(p.size), exchange.mid(s) or ONE)) for i, s, p in rows]
        initial = sum((value / i.max_leverage for i, value in values), ZERO)
        kept = sum((value * i.maintenance_margin for i, value in values), ZERO)
        currency = altname(instrument.base).lower()
        return {
            "type": "marginAccount",
            "currency": currency,
            "balances": {
                currency: amount,
                **{self.products.by_symbol[s].name: p.size for s, p in held.items()},
            },
            "auxiliary": {
                "usd": ZERO,
                "pv": amount + pnl,
                "pnl": pnl,
                "af": max(amount + pnl - initial, ZERO),
                "funding": ZERO,
            },
            "marginRequirements": {"im": initial, "mm": kept, "lt": kept, "tt": kept},
            "triggerEstimates": {"im": ZERO, "mm": ZERO, "lt": ZERO, "tt": ZERO},
        }

    def open_positions(self, _: Fields) -> Json:
        """What is held."""
        rows = []
        for symbol, position in self.held(self._listed_at()).items():
            product = self.products.by_symbol[symbol]
            row: Json = {
                "side": "long" if position.size > ZERO else "short",
                "symbol": product.name,
                "price": self.entry(product.instrument, position),
                "fillTime": iso(position.at),
                "size": abs(position.size),
            }
            if product.expires_at is None:
                row["unrealizedFunding"] = ZERO
            if not product.inverse:
                row["pnlCurrency"] = product.instrument.quote
            if symbol in self.trading.leverage:
                row["maxFixedLeverage"] = self.trading.leverage[symbol]
            rows.append(row)
        return {"openPositions": rows}

    def _listed_at(self) -> int:
        """As of when executions are listed."""
        return min(self.world.seen().at, self.world.now() - self.habits.late)

    def open_orders(self, _: Fields) -> Json:
        """Orders that work, or wait for a trigger."""
        level, by_symbol, sized = (
            self.trading.level,
            self.products.by_symbol,
            self.habits.untouched_size,
        )
        return {
            "openOrders": [
                shapes.listed(o, terms_of(o), by_symbol[o.symbol], level(o), sized=sized)
                for o in self.world.seen().orders
            ]
        }

    def fills(self, fields: Fields) -> Json:
        """The last hundred executions, the latest first: all told, or those before
        `lastFillTime`.
        """
        before, text = self._listed_at() + 1, fields.get("lastFillTime", "")
        if text:
            at = (
                nanoseconds(text)
                if "-" in text
                else (integer(fields, "lastFillTime") or 0) * 1_000_000
            )
            if at is None:
                raise RequestError("invalidArgument: lastFillTime")
            before = min(before, at)
        exchange = self.world.exchange
        found = [fill for fill in exchange.fills if fill.at < before][-PAGE:]
        if (
            len(found) < PAGE
            and len(exchange.fills) == exchange.fills.maxlen
            and exchange.archive is not None
        ):
            found = [fill for fill in exchange.archive.executions_since(0) if fill.at < before][
                -PAGE:
            ]
        return {
            "fills": [
                shapes.fill_row(fill, self.terms(fill), self.products.by_symbol[fill.symbol])
                for fill in reversed(found)
            ]
        }

    def terms(self, fill: Fill) -> Terms:
        """What the client said of the order of an execution."""
        order = self.world.order(fill.client_order_id) if fill.client_order_id else None
        return Terms(user=False) if order is None else terms_of(order)

    def leverages(self, fields: Fields) -> Json:
        """Products whose margin is isolated, and their most leverage."""
        symbols = (
            [self.market.asked(fields).symbol]
            if fields.get("symbol")
            else list(self.trading.leverage)
        )
        rows = [
            (self.products.by_symbol[symbol].name, self.trading.leverage[symbol])
            for symbol in symbols
            if symbol in self.trading.leverage
        ]
        return {
            "leveragePreferences": [{"symbol": name, "maxLeverage": most} for name, most in rows]
        }

    def set_leverage(self, fields: Fields) -> Json:
        """Isolate the margin of a product's orders to come, or (without `maxLeverage`) no
        longer.
        """
        product, most = self.market.asked(fields), number(fields, "maxLeverage")
        if most is None:
            self.trading.leverage.pop(product.symbol, None)
        elif not ONE <= most <= product.instrument.max_leverage:
            raise RequestError("invalidArgument: maxLeverage")
        else:
            self.trading.leverage[product.symbol] = most
        return {}

    def pnl_currencies(self, _: Fields) -> Json:
        """Profit is paid in each product's own currency."""
        return {
            "preferences": [
                {"symbol": p.name, "pnlCurrency": p.instrument.settle}
                for p in self.products.all
                if not p.inverse
            ]
        }

    def notifications(self, _: Fields) -> Json:
        """There is nothing to say."""
        return {"notifications": []}

    def volumes(self, _: Fields) -> Json:
        """What was traded in thirty days."""
        return {
            "volumesByFeeSchedule": {SCHEDULE: self.world.exchange.ledger.volume(self.world.now())}
        }

    def initial_margin(self, fields: Fields) -> Json:
        """What an order would need."""
        product, size = self.market.asked(fields), number(fields, "size")
        if size is None or fields.get("side") not in ("buy", "sell"):
            raise RequestError("requiredArgumentMissing")
        book = self.world.exchange.books[product.symbol]
        price = number(fields, "limitPrice") or book.mark(Side(fields["side"]).opposite)
        if price is None:
            raise RequestError("marketUnavailable")
        leverage = self.trading.leverage.get(product.symbol, product.instrument.max_leverage)
        return {"initialMargin": product.instrument.value(size, price) / leverage, "price": price}
