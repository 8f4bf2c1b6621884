"""What Kraken spot says of pairs, orders and executions over REST: the keys and types of its real
replies.

Money is told as text and times as seconds.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from engine.model.fill import Fill, Liquidity
from engine.model.instrument import Instrument
from engine.model.money import ONE, ZERO
from engine.model.order import TRIGGERED, Order, Status
from engine.model.quote import Quote
from engine.wire.spot.entries import Entry
from engine.wire.spot.merged import Told, told
from engine.wire.spot.pairs import Pair, altname, asset
from engine.wire.terms import Terms

STATUS = {
    Status.PENDING: "pending",
    Status.OPEN: "open",
    Status.PARTIALLY_FILLED: "open",
    Status.FILLED: "closed",
    Status.CANCELLED: "canceled",
    Status.EXPIRED: "expired",
    Status.REJECTED: "canceled",
}
CENT = 100
Json = dict[str, Any]


def seconds(at: int) -> float:
    """Seconds since 1970, with four digits, as REST tells times."""
    return round(at / 1e9, 4)


def rfc3339(at: int) -> str:
    """Microseconds, UTC."""
    whole, rest = divmod(at, 1_000_000_000)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"


def rfc1123(at: int) -> str:
    """Seconds, UTC, with the weekday and a short year, as the exchange says its time."""
    return f"{datetime.fromtimestamp(at // 1_000_000_000, UTC):%a, %d %b %y %H:%M:%S} +0000"


def trade_id(fill: Fill) -> int:
    """The number of an execution: the same in REST and on the stream."""
    return int(fill.execution_id[1:6], 16)


def pair_info(pair: Pair, mode: str = "online") -> Json:
    """A row of AssetPairs."""
    instrument = pair.instrument
    leverages = list(range(2, int(instrument.max_leverage) + 1))
    return {
        "altname": pair.altname,
        "wsname": pair.wsname,
        "aclass_base": "currency",
        "base": asset(instrument.base),
        "aclass_quote": "currency",
        "quote": asset(instrument.quote),
        "lot": "unit",
        "cost_decimals": 5,
        "pair_decimals": pair.price_decimals,
        "lot_decimals": pair.lot_decimals,
        "lot_multiplier": 1,
        "leverage_buy": leverages,
        "leverage_sell": leverages,
        "fees": [[int(tier.volume), float(tier.taker * CENT)] for tier in instrument.fee_tiers],
        "fees_maker": [
            [int(tier.volume), float(tier.maker * CENT)] for tier in instrument.fee_tiers
        ],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": f"{instrument.min_size.normalize():f}",
        "costmin": f"{instrument.min_cost.normalize():f}",
        "tick_size": f"{instrument.tick.normalize():f}",
        "status": mode,
        "long_position_limit": 250,
        "short_position_limit": 200,
    }


def asset_info(currency: str) -> Json:
    """A row of Assets."""
    fiat = asset(currency).startswith("Z")
    return {
        "aclass": "currency",
        "altname": altname(currency),
        "decimals": 4 if fiat else 10,
        "display_decimals": 2 if fiat else 5,
        "status": "enabled",
    }


def sentence(order: Order, terms: Terms, pair: Pair) -> str:
    """The order in English: clients parse it."""
    told = {
        "market": "market",
        "settle-position": "market",
        "limit": f"limit {terms.price}",
        "iceberg": f"limit {terms.price}",
        "stop-loss": f"stop loss {terms.price}",
        "take-profit": f"take profit {terms.price}",
        "stop-loss-limit": f"stop loss {terms.price} -> limit {terms.price2}",
        "take-profit-limit": f"take profit {terms.price} -> limit {terms.price2}",
        "trailing-stop": f"trailing stop {terms.price}",
        "trailing-stop-limit": f"trailing stop {terms.price} -> limit {terms.price2}",
    }[terms.kind or "market"]
    leverage = "" if terms.leverage == "none" else f" with {terms.leverage} leverage"
    return (
        f"{order.side.value} {order.size:.{pair.lot_decimals}f} {pair.altname} @ {told}{leverage}"
    )


def close_sentence(terms: Terms) -> str:
    """The conditional close in English; empty for none."""
    if terms.close is None:
        return ""
    kind, price, second = terms.close
    words = kind.removesuffix("-limit").replace("-", " ")
    return f"close position @ {words} {price}" + (f" -> limit {second}" if second != "0" else "")


# over 40 lines: one row of the exchange, field by field
def order_info(
    order: Order,
    terms: Terms,
    pair: Pair,
    fills: tuple[Fill, ...],
    stop: Decimal | None,
    *,
    trades: bool,
    together: bool = False,
) -> Json:
    """An order of OpenOrders, ClosedOrders and QueryOrders; with `together`, what it took has one
    id.
    """
    digits = pair.price_decimals
    average = order.average_price or ZERO
    info: Json = {
        "refid": terms.primary or None,
        "userref": None if terms.client else terms.userref or 0,
        "status": STATUS[order.status],
        "opentm": seconds(order.created_at),
        "starttm": terms.starts_at // 1_000_000_000,
        "expiretm": 0 if order.expires_at is None else order.expires_at // 1_000_000_000,
        "descr": {
            "pair": pair.altname,
            "aclass": "forex",
            "type": order.side.value,
            "ordertype": terms.kind or "market",
            "price": terms.price,
            "price2": terms.price2,
            "leverage": terms.leverage,
            "order": sentence(order, terms, pair),
            "close": close_sentence(terms),
        },
        "vol": f"{order.size:.{pair.lot_decimals}f}",
        "vol_exec": f"{order.filled:.{pair.lot_decimals}f}",
        "cost": f"{order.value:.5f}",
        "fee": f"{sum((fill.fee for fill in fills), ZERO):.5f}",
        "price": f"{average:.{digits}f}",
        "stopprice": f"{stop or ZERO:.{digits}f}",
        "limitprice": f"{order.price if order.triggered and order.price else ZERO:.{digits}f}",
        "misc": "touched" if order.triggered else "",
        "oflags": ",".join(terms.flags) or "fciq",
    }
    names = [row.name for row in told(fills, together=together)] if trades else []
    return info | _of_some(order, terms, names)


def _of_some(order: Order, terms: Terms, trades: list[str]) -> Json:
    """The fields that only some orders have."""
    info: Json = {}
    if terms.client:
        info["cl_ord_id"] = terms.client
    if order.type in TRIGGERED:
        info["trigger"] = terms.trigger
    if order.reduce_only:
        info["reduce_only"] = True
    if trades:
        info["trades"] = trades
    if not order.is_open:
        info["closetm"] = seconds(order.closed_at or 0)
        info["reason"] = order.reason or None
    return info


def trade_info(
    row: Told, order: Order | None, terms: Terms, pair: Pair, entries: tuple[Entry, ...]
) -> Json:
    """A row of TradesHistory: an execution, or all that an order took."""
    fill, cost = row.fills[0], row.cost
    leverage = order.leverage if order is not None else None
    return {
        "ordertxid": fill.client_order_id,
        "postxid": f"TKH2SE-M7IF5-{fill.execution_id[-6:]}",
        "pair": pair.key,
        "aclass": "forex",
        "time": seconds(row.at),
        "type": fill.side.value,
        "ordertype": terms.kind or "market",
        "price": f"{cost / row.size:.{pair.price_decimals}f}",
        "cost": f"{cost:.5f}",
        "fee": f"{row.fee:.8f}",
        "vol": f"{row.size:.{pair.lot_decimals}f}",
        "margin": f"{cost / leverage if leverage else ZERO:.5f}",
        "leverage": f"{leverage or ZERO:f}",
        "misc": "" if order is not None and terms.user else "liquidation",
        "trade_id": trade_id(fill),
        "maker": fill.liquidity is Liquidity.MAKER,
        "ledgers": [entry.name for entry in entries],
    }


def consolidated(position: Json) -> Json:
    """All of a pair's positions as one."""
    same = ("pair", "type", "cost", "fee", "vol", "vol_closed", "margin", "value", "net")
    leverage = (
        Decimal(position["cost"]) / Decimal(position["margin"])
        if Decimal(position["margin"])
        else ONE
    )
    return {
        "positions": "1",
        "leverage": f"{leverage:.8f}",
        **{name: position[name] for name in same},
    }


# WebSocket v2


def ticker_info(
    pair: Pair, quote: Quote | None, last: Decimal | None, last_size: Decimal, day: "Day"
) -> Json:
    """A row of the REST ticker; prices have five digits at least."""
    digits = max(pair.price_decimals, 5)

    def told(price: Decimal | None) -> str:
        return f"{price or ZERO:.{digits}f}"

    price = last if last is not None else (quote.mid if quote is not None else None)

    def side(best: Decimal | None, size: Decimal | None) -> list[str]:
        return [told(best), str(max(int(size or 0), 1)), f"{size or ZERO:.3f}"]

    vwap = day.value / day.volume if day.volume else price
    return {
        "a": side(quote.ask if quote else None, quote.ask_size if quote else None),
        "b": side(quote.bid if quote else None, quote.bid_size if quote else None),
        "c": [told(price), f"{last_size:.8f}"],
        "v": [f"{day.volume:.8f}", f"{day.volume:.8f}"],
        "p": [told(vwap), told(vwap)],
        "t": [day.count, day.count],
        "l": [told(day.low or price), told(day.low or price)],
        "h": [told(day.high or price), told(day.high or price)],
        "o": told(day.open or price),
    }


class Day:
    """What was traded of a symbol since the exchange began."""

    __slots__ = ("count", "high", "low", "open", "value", "volume")

    def __init__(self) -> None:
        self.open: Decimal | None = None
        self.high: Decimal | None = None
        self.low: Decimal | None = None
        self.volume = ZERO
        self.value = ZERO
        self.count = 0

    def add(self, price: Decimal, size: Decimal) -> None:
        """One print."""
        self.open = price if self.open is None else self.open
        self.high = price if self.high is None else max(self.high, price)
        self.low = price if self.low is None else min(self.low, price)
        self.volume += size
        self.value += size * price
        self.count += 1

    def see(self, price: Decimal) -> None:
        """A price without a print."""
        self.open = price if self.open is None else self.open
        self.high = price if self.high is None else max(self.high, price)
        self.low = price if self.low is None else min(self.low, price)


def currencies(instruments: tuple[Instrument, ...], cash: dict[str, Decimal]) -> list[str]:
    """Every currency that there is here."""
    found = {name: None for i in instruments for name in (i.base, i.quote)} | dict.fromkeys(cash)
    return sorted(found)
