"""What the stream of Kraken Futures tells: money and sizes as numbers, times in milliseconds."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.model import report as r
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Order
from engine.model.quote import Trade
from engine.model.side import Side
from engine.wire.futures import shapes
from engine.wire.futures.account import Account, Margin
from engine.wire.futures.market import Market, print_uid
from engine.wire.futures.orders import AT_ONCE
from engine.wire.futures.products import POST_ONLY, SUSPENDED, Product, altname
from engine.wire.futures.times import milliseconds
from engine.wire.terms import Terms, terms_of

Json = dict[str, Any]
HOUR = 3_600_000
WAITING = {"stp": "stop", "take_profit": "take_profit", "trailing_stop": "trailing_stop"}
POST_FAILED = "post_order_failed_because_it_would_filled"
POST_FAILED_VERBOSE = "post_order_failed_because_it_would_be_filled"


# Orders


def open_order(order: Order, terms: Terms, product: Product, level: Decimal | None) -> Json:
    """An order of the open_orders feeds."""
    waiting = shapes.waits(order)
    told: Json = {
        "instrument": product.name,
        "time": milliseconds(order.created_at),
        "last_update_time": milliseconds(order.touched_at or order.created_at),
        "qty": order.remaining,
        "filled": order.filled,
        "limit_price": order.price or ZERO,
        "stop_price": (level or ZERO) if waiting else ZERO,
        "type": WAITING.get(terms.kind, "limit") if waiting else "limit",
        "order_id": order.client_order_id,
        "direction": 0 if order.side is Side.BUY else 1,
        "reduce_only": order.reduce_only,
    }
    if terms.client:
        told["cli_ord_id"] = terms.client
    if waiting:
        told["triggerSignal"] = "spot" if terms.trigger == "index" else terms.trigger
    return told


def gone(order: Order, terms: Terms, reason: str) -> Json:
    """That an order is no longer open."""
    named: Json = {"order_id": order.client_order_id}
    if terms.client:
        named["cli_ord_id"] = terms.client
    return named | {"is_cancel": True, "reason": reason}


def changes(
    report: r.VenueReport, order: Order, product: Product, level: Callable[[Order], Decimal | None]
) -> list[Json]:
    """What a report is in the open_orders feeds: orders that execute at once never appear there,
    unless nothing came of them.
    """
    terms = terms_of(order)

    def still(told: Order, reason: str, *, is_cancel: bool = False) -> list[Json]:
        return [
            {
                "order": open_order(told, terms, product, level(told)),
                "is_cancel": is_cancel,
                "reason": reason,
            }
        ]

    passing = terms.kind in AT_ONCE or (order.triggered and order.price is None)
    match report:
        case r.Accepted() if terms.kind not in AT_ONCE:
            return still(order, "new_placed_order_by_user")
        case r.Triggered():
            fired = [gone(order, terms, "stop_order_triggered")]
            return (
                fired if order.price is None else [*fired, *still(order, "limit_order_from_stop")]
            )
        case r.Filled() if not passing:
            reason = "partial_fill" if order.remaining else "full_fill"
            return still(order, reason, is_cancel=not order.remaining)
        case r.Cancelled() | r.Expired() if not (passing and order.filled):
            return [gone(order, terms, shapes.ended_by(order, terms))]
        case r.Amended(size=size, price=price, trigger=trigger, at=at):
            return still(
                replace(order, size=size, price=price, trigger=trigger, touched_at=at),
                "edited_by_user",
            )
        case _:
            return []


def fill_row(fill: Fill, order: Order | None, product: Product, number: int) -> Json:
    """An execution of the fills feed."""
    terms = Terms(user=False) if order is None else terms_of(order)
    kind = (
        "limit"
        if terms.kind in ("lmt", "post")
        else "market"
        if terms.kind in ("mkt", "")
        else shapes.LISTED.get(terms.kind, terms.kind)
    )
    told: Json = {
        "instrument": product.name,
        "time": milliseconds(fill.at),
        "price": fill.price,
        "seq": number,
        "buy": fill.side is Side.BUY,
        "qty": fill.size,
        "remaining_order_qty": ZERO if order is None else order.remaining,
        "order_id": shapes.order_of(fill),
        "fill_id": fill.execution_id,
        "fill_type": shapes.fill_type(fill),
        "fee_paid": fill.fee,
        "fee_currency": fill.fee_currency,
        "taker_order_type": "ioc" if fill.liquidity is Liquidity.MAKER else kind,
        "order_type": kind,
    }
    if terms.client:
        told["cli_ord_id"] = terms.client
    return told


# The account


def positions(account: Account) -> list[Json]:
    """What is held; where it would be liquidated is not estimated."""
    margin, exchange, rows = account.margin(), account.world.exchange, []
    for symbol, position in account.held().items():
        product = account.products.by_symbol[symbol]
        instrument = product.instrument
        entry = account.entry(instrument, position)
        mark = exchange.mid(symbol) or entry
        notional = instrument.notional(abs(position.size), mark) * account.rate(instrument.quote)
        pnl = account.profit(instrument, position)
        value = instrument.value(abs(position.size), mark)
        initial = value / account.trading.leverage.get(symbol, instrument.max_leverage)
        row: Json = {
            "instrument": product.name,
            "balance": position.size,
            "pnl": pnl,
            "entry_price": entry,
            "mark_price": mark,
            "index_price": mark,
            "liquidation_threshold": ZERO,
            "effective_leverage": notional / margin.equity if margin.equity > ZERO else ZERO,
            "return_on_equity": pnl / initial * 100,
            "unrealized_funding": ZERO,
            "initial_margin": initial,
            "initial_margin_with_orders": initial,
            "maintenance_margin": value * instrument.maintenance_margin,
            "pnl_currency": instrument.settle,
        }
        if symbol in account.trading.leverage:
            row["max_fixed_leverage"] = account.trading.leverage[symbol]
        rows.append(row)
    return rows


def balances(account: Account) -> Json:
    """The multi-collateral wallet."""
    margin = account.margin()
    figures: Json = {
        "balance_value": margin.balance,
        "portfolio_value": margin.equity,
        "collateral_value": margin.balance,
        "initial_margin": margin.initial,
        "initial_margin_without_orders": margin.initial,
        "maintenance_margin": margin.maintenance,
        "pnl": margin.pnl,
        "unrealized_funding": ZERO,
        "total_unrealized": margin.pnl,
        "total_unrealized_as_margin": margin.pnl,
        "margin_equity": margin.equity,
        "available_margin": margin.available,
    }
    leverage = margin.initial / margin.equity if margin.equity > ZERO else ZERO
    currencies = {
        altname(name): _currency(account, name, amount, margin)
        for name, amount in margin.cash.items()
    }
    return {
        "currencies": currencies,
        **figures,
        "isolated": {},
        "cross": {**figures, "effective_leverage": leverage},
    }


def _currency(account: Account, name: str, amount: Decimal, margin: Margin) -> Json:
    rate = account.rate(name)
    value = amount * rate
    free = min(amount, margin.available / rate) if value else amount
    return {
        "quantity": amount,
        "value": value,
        "collateral_value": value,
        "available": free,
        "haircut": ZERO,
        "conversion_spread": ZERO,
    }


# The market


def ticker(market: Market, product: Product) -> Json | None:
    """The ticker feed; nothing before the first quote."""
    symbol, now = product.symbol, milliseconds(market.world.now())
    quote, day, last = (
        market.world.exchange.books[symbol].quote,
        market.days[symbol],
        market.last(symbol),
    )
    if quote is None or last is None:
        return None
    told = ticker_lite(market, product) or {}
    told |= {
        "time": milliseconds(quote.at),
        "feed": "ticker",
        "bid_size": quote.bid_size,
        "ask_size": quote.ask_size,
        "leverage": f"{product.instrument.max_leverage:f}x",
        "index": quote.mid,
        "last": last,
        "suspended": market.mode(product) in SUSPENDED,
        "openInterest": ZERO,
        "markPrice": quote.mid,
        "post_only": market.mode(product) == POST_ONLY,
        "open": day.open,
        "high": day.high,
        "low": day.low,
    }
    if product.expires_at is None:
        relative, rate = market.funding_rate(symbol)
        told |= {"funding_rate": rate, "funding_rate_prediction": rate}
        told |= {
            "relative_funding_rate": relative,
            "relative_funding_rate_prediction": relative,
            "next_funding_rate_time": (now // HOUR + 1) * HOUR,
        }
    return told


def ticker_lite(market: Market, product: Product) -> Json | None:
    """The ticker_lite feed; nothing before the first quote."""
    symbol, expiry = product.symbol, product.expires_at
    quote, day = market.world.exchange.books[symbol].quote, market.days[symbol]
    if quote is None:
        return None
    ends = 0 if expiry is None else int(expiry.timestamp() * 1000)
    return {
        "feed": "ticker_lite",
        "product_id": product.name,
        "bid": quote.bid,
        "ask": quote.ask,
        "change": market.change(symbol),
        "premium": ZERO,
        "volume": day.volume,
        "tag": product.tag,
        "pair": product.pair,
        "dtm": max((ends - milliseconds(market.world.now())) // (24 * HOUR), 0) if ends else 0,
        "maturityTime": ends,
        "volumeQuote": day.value,
    }


def trade(product: Product, said: Trade, number: int) -> Json:
    """A print."""
    return {
        "feed": "trade",
        "product_id": product.name,
        "uid": print_uid(said, number),
        "side": (said.taker or Side.BUY).value,
        "type": "fill",
        "seq": number,
        "time": milliseconds(said.at),
        "qty": said.size,
        "price": said.price,
    }
