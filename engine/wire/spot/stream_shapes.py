"""What Kraken spot's WebSocket v2 says of orders, executions and balances: numbers as numbers,
times as RFC 3339.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from engine.clock import SECOND
from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.order import TRIGGERED, Order, OrderType, Status
from engine.model.quote import Quote, Trade
from engine.model.side import Side
from engine.wire.spot.candles import Candle
from engine.wire.spot.entries import Entry
from engine.wire.spot.pairs import Pair
from engine.wire.spot.shapes import Day, rfc3339, trade_id
from engine.wire.terms import Terms

CREDITS = "KFEE"
"""Kraken's fee credits, as a currency."""
FIVE = Decimal("0.00001")
Json = dict[str, Any]
STATUS = {
    Status.PENDING: "pending_new",
    Status.OPEN: "new",
    Status.PARTIALLY_FILLED: "partially_filled",
    Status.FILLED: "filled",
    Status.CANCELLED: "canceled",
    Status.EXPIRED: "expired",
    Status.REJECTED: "canceled",
}


def identity(order: Order, terms: Terms) -> Json:
    """How an update names its order."""
    named: Json = {"order_id": order.client_order_id}
    if terms.client:
        named["cl_ord_id"] = terms.client
    else:
        named["order_userref"] = terms.userref or 0
    return named


def _triggers(order: Order, terms: Terms, level: Decimal | None) -> Json:
    """What an order waits for."""
    percent = order.trail is not None and order.trail.fraction is not None
    distance = "pct" if percent else "quote"
    return {
        "reference": terms.trigger,
        "price": level or ZERO,
        "price_type": distance if order.type is OrderType.TRAILING_STOP else "static",
        "status": "triggered" if order.triggered else "untriggered",
    }


def snapshot_order(order: Order, terms: Terms, level: Decimal | None) -> Json:
    """An open order, whole: of the snapshot, and of `pending_new`."""
    told: Json = {
        "order_id": order.client_order_id,
        "symbol": order.symbol,
        "order_qty": order.size,
        "cum_cost": order.value,
        "cum_qty": order.filled,
        "avg_price": order.average_price or ZERO,
        "time_in_force": terms.in_force,
        "exec_type": "new" if order.status is not Status.PENDING else "pending_new",
        "side": order.side.value,
        "order_type": terms.kind or "market",
        **identity(order, terms),
        "limit_price_type": "static",
        "stop_price": level or ZERO,
        "order_status": STATUS[order.status],
        "fee_usd_equiv": ZERO,
        "fee_ccy_pref": "fcib" if "fcib" in terms.flags else "fciq",
        "timestamp": rfc3339(order.created_at),
    }
    if order.price is not None:
        told["limit_price"] = order.price
    if order.post_only:
        told["post_only"] = True
    if order.reduce_only:
        told["reduce_only"] = True
    if order.leverage is not None:
        told["margin"] = True
    if order.type in TRIGGERED:
        told["triggers"] = _triggers(order, terms, level)
        told["trigger"] = terms.trigger
    return told


def pending(order: Order, terms: Terms, level: Decimal | None) -> Json:
    """The first word about a new order."""
    told = snapshot_order(order, terms, level)
    told.pop("cum_qty")
    told.pop("avg_price")
    return told | {"exec_type": "pending_new", "order_status": "pending_new", "cum_cost": ZERO}


def taken(order: Order, terms: Terms) -> Json:
    """The order works: nothing but its name."""
    told: Json = {
        "timestamp": rfc3339(order.created_at),
        "order_status": "new",
        "exec_type": "new",
        **identity(order, terms),
    }
    if order.post_only:
        told["post_only"] = True
    return told


def execution(
    fill: Fill,
    order: Order | None,
    terms: Terms,
    status: str,
    rate: Decimal | None,
    *,
    credits_first: bool = False,
) -> Json:
    """A trade; a fee may be told in several currencies, credits before money."""
    told: Json = {
        "order_id": fill.client_order_id,
        "exec_id": fill.execution_id,
        "exec_type": "trade",
        "trade_id": trade_id(fill),
        "symbol": fill.symbol,
        "side": fill.side.value,
        "last_qty": fill.size,
        "last_price": fill.price,
        "liquidity_ind": "m" if fill.liquidity is Liquidity.MAKER else "t",
        "cost": fill.size * fill.price,
        "order_status": status,
        "order_type": terms.kind or "market",
        "timestamp": rfc3339(fill.at),
        "fee_usd_equiv": fill.fee * (rate if rate is not None else ONE),
        "fees": [
            *([{"asset": CREDITS, "qty": ZERO}] if credits_first else []),
            {"asset": fill.fee_currency, "qty": fill.fee},
        ],
    }
    if order is not None:
        sums = {"cum_qty": order.filled, "cum_cost": order.value}
        told |= identity(order, terms) | sums | {"avg_price": order.average_price or ZERO}
        if order.leverage is not None:
            told["margin"] = True
    if not terms.user:
        told["liquidated"] = True
    return told


def completed(order: Order, terms: Terms, at: int) -> Json:
    """The order has filled."""
    return {
        "timestamp": rfc3339(at),
        "order_status": "filled",
        "exec_type": "filled",
        "cum_qty": order.filled,
        "cum_cost": order.value,
        "avg_price": order.average_price or ZERO,
        "fee_usd_equiv": ZERO,
        **identity(order, terms),
    }


def ended(order: Order, terms: Terms, at: int, kind: str, reason: str) -> Json:
    """The order was cancelled, or ran out of time."""
    return {
        "timestamp": rfc3339(at),
        "order_status": kind,
        "exec_type": kind,
        "cum_qty": order.filled,
        "cum_cost": order.value,
        "fee_usd_equiv": ZERO,
        "avg_price": order.average_price or ZERO,
        **identity(order, terms),
        "cancel_reason": reason,
        "reason": reason,
    }


def amended(order: Order, terms: Terms, at: int) -> Json:
    """The order works with other terms."""
    told: Json = {
        "timestamp": rfc3339(at),
        "exec_type": "amended",
        "order_status": STATUS[order.status],
        "cum_qty": order.filled,
        "reason": "User requested",
        "amended": True,
        "order_qty": order.size,
        "limit_price_type": "static",
        **identity(order, terms),
    }
    if order.price is not None:
        told["limit_price"] = order.price
    if order.trigger is not None:
        told["triggers"] = {
            "reference": terms.trigger,
            "price": order.trigger,
            "price_type": "static",
            "status": "untriggered",
        }
    return told


def triggered(order: Order, terms: Terms, at: int) -> Json:
    """The order's trigger was touched."""
    return {
        "timestamp": rfc3339(at),
        "exec_type": "status",
        "order_status": STATUS[order.status],
        **identity(order, terms),
        "triggers": {
            "reference": terms.trigger,
            "price": order.trigger or ZERO,
            "price_type": "static",
            "status": "triggered",
        },
    }


def balance(currency: str, amount: Decimal) -> Json:
    """A row of the balances snapshot."""
    name = currency
    wallets = [{"type": "spot", "id": "main", "balance": amount}]
    return {"asset": name, "asset_class": "currency", "balance": amount, "wallets": wallets}


def ledger(fill: Fill, entry: Entry, left: Decimal) -> Json:
    """A change of a balance."""
    return {
        "ledger_id": entry.name,
        "ref_id": fill.execution_id,
        "timestamp": rfc3339(fill.at),
        "type": entry.kind,
        "asset": entry.currency,
        "asset_class": "currency",
        "category": entry.kind,
        "wallet_type": "spot",
        "wallet_id": "main",
        "amount": entry.amount,
        "fee": entry.fee,
        "balance": left,
    }


def ticker(quote: Quote, last: Decimal | None, day: "Day") -> Json:
    """The ticker channel."""
    price = last if last is not None else quote.mid
    change = price - (day.open if day.open is not None else price)
    return {
        "symbol": quote.symbol,
        "bid": quote.bid,
        "bid_qty": quote.bid_size,
        "ask": quote.ask,
        "ask_qty": quote.ask_size,
        "last": price,
        "volume": day.volume,
        "vwap": (day.value / day.volume).quantize(FIVE) if day.volume else price,
        "low": day.low if day.low is not None else price,
        "high": day.high if day.high is not None else price,
        "change": change,
        "change_pct": (change / day.open * 100).quantize(Decimal("0.01")) if day.open else ZERO,
        "timestamp": rfc3339(quote.at),
    }


def candle(symbol: str, interval: int, row: Candle) -> Json:
    """The ohlc channel; the interval in minutes."""
    return {
        "symbol": symbol,
        "open": row.open,
        "high": row.high,
        "low": row.low,
        "close": row.close,
        "trades": row.count,
        "volume": row.volume,
        "vwap": row.vwap.quantize(FIVE),
        "interval_begin": f"{rfc3339(row.start * SECOND)[:19]}.000000000Z",
        "interval": interval,
        "timestamp": rfc3339((row.start + interval * 60) * SECOND),
    }


def trade(print_: Trade, count: int) -> Json:
    """The trade channel."""
    return {
        "symbol": print_.symbol,
        "side": (print_.taker or Side.BUY).value,
        "price": print_.price,
        "qty": print_.size,
        "ord_type": "market",
        "trade_id": count,
        "timestamp": rfc3339(print_.at),
    }


def instrument(pair: Pair, mode: str) -> Json:
    """A pair, as the instrument channel lists it."""
    instrument = pair.instrument
    return {
        "symbol": pair.symbol,
        "base": instrument.base,
        "quote": instrument.quote,
        "status": mode,
        "qty_precision": pair.lot_decimals,
        "qty_increment": instrument.lot,
        "price_precision": pair.price_decimals,
        "cost_precision": 5,
        "marginable": instrument.can_short,
        "has_index": True,
        "cost_min": instrument.min_cost,
        "tick_size": instrument.tick,
        "price_increment": instrument.tick,
        "qty_min": instrument.min_size,
    }


def assets(instruments: Iterable[Instrument]) -> list[Json]:
    """What is traded and what it is paid in, as the instrument channel lists it."""
    names = sorted({name for one in instruments for name in (one.base, one.quote)})
    return [
        {
            "id": name,
            "status": "enabled",
            "precision": 10,
            "precision_display": 5,
            "borrowable": True,
        }
        for name in names
    ]
