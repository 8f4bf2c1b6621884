"""Rows of Kraken Futures' REST as orders and executions. A field that is absent is unknown, and
never zero.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Order, OrderType, Role, Status
from engine.model.side import Side
from engine.venues.live.clocks import nanoseconds
from engine.venues.live.kraken_names import currency
from engine.venues.live.named import client_in
from engine.venues.live.numbers import positive
from engine.venues.live.venue import LiveVenue

KINDS = {
    "lmt": OrderType.LIMIT,
    "limit": OrderType.LIMIT,
    "post": OrderType.LIMIT,
    "ioc": OrderType.LIMIT,
    "fok": OrderType.LIMIT,
    "mkt": OrderType.MARKET,
    "market": OrderType.MARKET,
    "stp": OrderType.STOP,
    "stop": OrderType.STOP,
    "stop_limit": OrderType.STOP_LIMIT,
    "take_profit": OrderType.TAKE_PROFIT,
    "trailing_stop": OrderType.STOP,
}
ENDED = {
    "FULLY_EXECUTED": Status.FILLED,
    "CANCELLED": Status.CANCELLED,
    "REJECTED": Status.REJECTED,
    "TRIGGER_ACTIVATION_FAILURE": Status.CANCELLED,
}
BY_THE_EXCHANGE = frozenset(
    {"liquidation", "assignor", "assignee", "unwindBankrupt", "unwindCounterparty"}
)
"""Types of executions that no order of the account's asked for."""
UNREADABLE = (KeyError, ArithmeticError, TypeError, ValueError)
"""What a row raises that lacks a field, or has one that makes no sense."""
LISTS, HISTORY = "lists", "history"
"""Views that may have ids of their own for an execution: `fills` and the stream are documented to
share theirs.
"""
MILLISECOND = 1_000_000


def _kept(known: Order, told: Order) -> Order:
    """An order of ours as it is told now, with what no view tells."""
    # a stop of ours has no limit, whatever it is told with
    bounded = known.trigger is None or known.price is not None
    return replace(
        known,
        venue_order_id=told.venue_order_id,
        size=told.size,
        price=told.price if told.price is not None and bounded else known.price,
        trigger=told.trigger if told.trigger is not None else known.trigger,
        filled=told.filled,
        status=told.status,
        reason=told.reason,
    )


class FuturesRows:
    """Reads what one account is told."""

    def __init__(self, venue: LiveVenue) -> None:
        self._venue = venue

    def order(
        self,
        identity: str,
        client: str,
        symbol: str,
        side: Side,
        kind: str,
        size: Decimal,
        price: Decimal | None,
        trigger: Decimal | None,
        filled: Decimal,
        status: Status,
        reduce_only: bool,
        created_at: int,
        reason: str = "",
        *,
        heard: bool = False,
    ) -> Order:
        """Return an order from what any view tells; one of ours keeps what no view tells."""
        kept = self._venue.known
        client = client or kept.client_of(identity) or identity
        known = kept.order(client)
        told = Order(
            *(client, "", symbol, side, KINDS.get(kind, OrderType.LIMIT), Role.ENTRY, size),
            price=price,
            trigger=trigger,
            reduce_only=reduce_only,
            status=status,
            filled=filled,
            venue_order_id=identity,
            created_at=created_at,
            touched_at=created_at,
            foreign=not client.startswith(self._venue.prefix),
            reason=reason,
        )
        found = told if known is None else _kept(known, told)
        if known is None or heard:  # of what is known, a view that lags tells nothing better
            kept.keep(found)
        return found

    def state(self, entry: Mapping[str, Any]) -> Order:
        """Return an order as `orders/status` tells it. Raises what `UNREADABLE` lists where a field
        is missing.
        """
        row, word, reason = (
            entry["order"],
            str(entry.get("status", "")),
            str(entry.get("updateReason") or ""),
        )
        identity, client = str(row["orderId"]), client_in(row)
        known = self._venue.known.order(client or self._venue.known.client_of(identity) or identity)
        size = (
            Decimal(str(row["quantity"])) if row.get("quantity") is not None else self._size(known)
        )
        ended = ENDED.get(word)
        filled = self._filled(
            row.get("filled"),
            size if ended is Status.FILLED else None,
            untouched=word == "TRIGGER_PLACED",
        )
        status = ended or (Status.PARTIALLY_FILLED if filled else Status.OPEN)
        if status is Status.FILLED:
            size = max(size, filled)
        options = row.get("priceTriggerOptions") or row.get("triggerOptions") or {}
        return self.order(
            identity,
            client,
            str(row["symbol"]).upper(),
            Side(str(row["side"])),
            str(row.get("type", "lmt")).lower(),
            size,
            positive(row.get("limitPrice")),
            positive(options.get("triggerPrice")) or positive(row.get("stopPrice")),
            filled,
            status,
            bool(row.get("reduceOnly")),
            self._at(row.get("timestamp")),
            reason,
        )

    def listed(self, row: Mapping[str, Any]) -> Order:
        """Return a row of the open orders. A trigger that was not touched may lack `unfilledSize`:
        then its size is what we know it to be.

        Raises what `UNREADABLE` lists where that is not known either.
        """
        identity, client = str(row["order_id"]), client_in(row)
        known = self._venue.known.order(client or self._venue.known.client_of(identity) or identity)
        filled = self._filled(
            row.get("filledSize"), None, untouched=row.get("status") == "untouched"
        )
        size = (
            filled + Decimal(str(row["unfilledSize"]))
            if row.get("unfilledSize") is not None
            else self._size(known)
        )
        return self.order(
            identity,
            client,
            str(row["symbol"]).upper(),
            Side(str(row["side"])),
            str(row["orderType"]).lower(),
            size,
            positive(row.get("limitPrice")),
            positive(row.get("stopPrice")),
            filled,
            Status.PARTIALLY_FILLED if filled else Status.OPEN,
            bool(row.get("reduceOnly")),
            self._at(row.get("receivedTime") or row.get("lastUpdateTime")),
        )

    def _size(self, known: Order | None) -> Decimal:
        if known is None:
            raise KeyError("size")
        return known.size

    def _filled(self, told: object, otherwise: Decimal | None, *, untouched: bool) -> Decimal:
        """What has filled; an order that is called untouched has filled nothing."""
        if told is not None:
            return Decimal(str(told))
        if otherwise is None and not untouched:
            raise KeyError("filled")
        return otherwise or ZERO

    def _at(self, told: object) -> int:
        """A time on our clock; now, where none is told."""
        return self._venue.clock.now() if told is None else self._venue.ours(nanoseconds(str(told)))

    def fill(self, row: Mapping[str, Any]) -> Fill:
        """Return an execution as `fills` tells it. Its fee is the one that another view told, or
        else estimated until the history was asked.

        Raises what `UNREADABLE` lists where a field is missing.
        """
        venue = self._venue
        identity, symbol = str(row["order_id"]), str(row["symbol"]).upper()
        client = client_in(row) or venue.known.client_of(identity) or identity
        venue.known.hear(identity, client)
        price, size = Decimal(str(row["price"])), Decimal(str(row["size"]))
        maker = str(row.get("fillType")) == "maker"
        fee, fee_currency = self.estimated(symbol, price, size, maker=maker)
        if row.get("fee_paid") is not None:
            fee = Decimal(str(row["fee_paid"]))
            fee_currency = currency(str(row.get("fee_currency", fee_currency)).upper())
        at = venue.ours(nanoseconds(str(row["fillTime"])))
        liquidity = Liquidity.MAKER if maker else Liquidity.TAKER
        told = Fill(
            str(row["fill_id"]),
            client,
            symbol,
            Side(str(row["side"])),
            price,
            size,
            fee,
            fee_currency,
            liquidity,
            at,
        )
        found = venue.known.once(told, LISTS)
        paid = row.get("fee_paid") is not None
        return found if paid else venue.known.execution(found.execution_id) or found

    def estimated(
        self, symbol: str, price: Decimal, size: Decimal, *, maker: bool
    ) -> tuple[Decimal, str]:
        """The fee of the first tier, and its currency."""
        try:
            instrument = self._venue.instrument(symbol)
        except KeyError:
            return ZERO, "USD"
        tier = self._venue.profile.fee_tiers[0]
        return instrument.value(size, price) * (
            tier.maker if maker else tier.taker
        ), instrument.settle

    def executed(self, element: Mapping[str, Any]) -> Fill | None:
        """Return an execution as the history tells it, with its fee; None for what is none. Raises
        as `fill` does.
        """
        events = {str(name).lower(): body for name, body in element["event"].items()}
        if "execution" not in events:
            return None
        row = events["execution"]["execution"]
        for side, other in (("maker", "taker"), ("taker", "maker")):
            data, order = row.get(f"{side}OrderData"), row.get(f"{side}Order") or {}
            if data is not None and (
                row.get(f"{other}OrderData") is None
                or client_in(order).startswith(self._venue.prefix)
            ):
                return self._executed(row, order, data, maker=side == "maker")
        return None

    def _executed(
        self,
        row: Mapping[str, Any],
        order: Mapping[str, Any],
        data: Mapping[str, Any],
        *,
        maker: bool,
    ) -> Fill:
        venue, identity = self._venue, str(order["uid"])
        client = client_in(order) or venue.known.client_of(identity) or identity
        venue.known.hear(identity, client)
        symbol, price, size = (
            str(order["tradeable"]).upper(),
            Decimal(str(row["price"])),
            Decimal(str(row["quantity"])),
        )
        fee, fee_currency = self.estimated(symbol, price, size, maker=maker)
        told = Fill(
            str(row["uid"]),
            client,
            symbol,
            Side(str(order["direction"]).lower()),
            price,
            size,
            fee if data.get("fee") is None else Decimal(str(data["fee"])),
            fee_currency,
            Liquidity.MAKER if maker else Liquidity.TAKER,
            venue.ours(int(row["timestamp"]) * MILLISECOND),
        )
        return venue.known.once(told, HISTORY)
