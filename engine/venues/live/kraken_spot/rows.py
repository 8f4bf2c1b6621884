"""What Kraken spot's REST tells, read: orders, executions, balances, what is on margin."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.clock import SECOND
from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Order, Status
from engine.model.side import Side
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.described import order_from_fields
from engine.venues.live.named import client_in
from engine.venues.live.numbers import positive

FILLED_STATES = {
    "pending": Status.OPEN,
    "open": Status.OPEN,
    "closed": Status.FILLED,
    "canceled": Status.CANCELLED,
    "expired": Status.EXPIRED,
}


class SpotRows:
    """Reads the rows of one account."""

    def __init__(self, venue: SpotBase) -> None:
        self._venue = venue
        self._balances: dict[str, Decimal] = {}
        """By the exchange's code: what was told last."""

    def order(self, identity: str, row: Mapping[str, Any]) -> Order:
        """An order as REST tells it."""
        descr = row["descr"]
        client = client_in(row) or self._venue.known.client_of(identity) or identity
        filled = Decimal(str(row["vol_exec"]))
        status = FILLED_STATES[str(row["status"])]
        if status is Status.OPEN and filled:
            status = Status.PARTIALLY_FILLED
        if status is Status.CANCELLED and filled == Decimal(str(row["vol"])):
            status = Status.FILLED
        order = order_from_fields(
            client,
            identity,
            self._venue.names.symbol(str(descr["pair"])),
            Side(str(descr["type"])),
            str(descr["ordertype"]),
            Decimal(str(row["vol"])),
            first=str(descr["price"]),
            second=str(descr["price2"]),
            stop=str(row.get("stopprice", "0")),
            filled=filled,
            value=Decimal(str(row["cost"])),
            status=status,
            reduce_only=bool(row.get("reduce_only")),
            created_at=self._venue.ours(int(Decimal(str(row["opentm"])) * SECOND)),
            foreign=not client.startswith(self._venue.prefix),
            reason=str(row.get("reason") or ""),
            known=self._venue.known.order(client),
            leverage=positive(
                str(descr.get("leverage", "none")).removeprefix("none").partition(":")[0]
            ),
        )
        # of what is known, a view that lags tells nothing better
        if self._venue.known.order(client) is None:
            self._venue.known.keep(order)
        return order

    def fill(self, name: str, row: Mapping[str, Any], client: str) -> Fill:
        """An execution as REST tells it."""
        symbol = self._venue.names.symbol(str(row["pair"]))
        return Fill(
            name,
            client,
            symbol,
            Side(str(row["type"])),
            Decimal(str(row["price"])),
            Decimal(str(row["vol"])),
            Decimal(str(row["fee"])),
            symbol.partition("/")[2],
            Liquidity.MAKER if row.get("maker") else Liquidity.TAKER,
            self._venue.ours(int(Decimal(str(row["time"])) * SECOND)),
        )

    def cash(self, balances: Mapping[str, Any]) -> dict[str, Decimal]:
        """Balances by currency. A row that can't be read is told, and stands for what it was last.
        Raises KeyError where that is not known either and the currency is traded here: absent is
        not zero.
        """
        found, traded = (
            dict[str, Decimal](),
            {name for symbol in self._venue.where.symbols for name in symbol.split("/")},
        )
        for code, row in balances.items():
            name = self._venue.names.asset(code)
            try:
                amount = self._balances[code] = Decimal(str(row["balance"]))
            except (LookupError, TypeError, ValueError, ArithmeticError) as error:
                self._venue.notice(
                    AlertCode.ROW_SKIPPED,
                    code,
                    f"a balance: {type(error).__name__}: {str(error)[:60]}",
                )
                if code not in self._balances and name in traded:
                    raise KeyError(f"the balance of {name}") from error
                amount = self._balances.get(code, ZERO)
            found[name] = found.get(name, ZERO) + amount
        return found

    def is_readable(self, name: str, row: Any) -> bool:
        """Whether an execution can be read; one that can't, and is not of an order of ours, is
        told. Raises like `_fill` for one of ours.
        """
        try:
            self.fill(name, row, "")
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            if (self._venue.known.client_of(order_of(row)) or "").startswith(self._venue.prefix):
                raise
            self._venue.notice(
                AlertCode.ROW_SKIPPED,
                name,
                f"an execution that is not ours: {type(error).__name__}: {str(error)[:60]}",
            )
            return False
        return True

    def readable(self, identity: str, row: Any) -> Order | None:
        """An open order; None for somebody else's that lacks a field, which is told. Raises like
        `_order` for one of ours.
        """
        try:
            return self.order(identity, row)
        except (LookupError, TypeError, ValueError, ArithmeticError) as error:
            named = client_in(row) if isinstance(row, Mapping) else ""
            client = named or self._venue.known.client_of(identity) or identity
            if client.startswith(self._venue.prefix):
                raise
            self._venue.notice(
                AlertCode.ROW_SKIPPED,
                identity,
                f"an open order that is not ours: {type(error).__name__}: {str(error)[:60]}",
            )
            return None

    def tell_liquidations(
        self, fills: Sequence[Fill], trades: Mapping[str, Mapping[str, Any]]
    ) -> None:
        """Tell what the exchange closed by itself before the picture that lists it: the stream may
        have been down.
        """
        for fill in fills:
            row = trades.get(fill.execution_id, {})
            if "liquidat" in str(row.get("misc", "")) and not fill.client_order_id.startswith(
                self._venue.prefix
            ):
                self._venue.tell(r.Liquidated(fill.symbol, fill, fill.at))

    def net(self, positions: Mapping[str, Mapping[str, Any]]) -> dict[str, Decimal]:
        """What is on margin, by symbol: each opening execution is a position of its own, of which a
        part may be closed.
        """
        net: dict[str, Decimal] = {}
        for row in positions.values():
            symbol = self._venue.names.symbol(str(row["pair"]))
            size = (Decimal(str(row["vol"])) - Decimal(str(row["vol_closed"]))) * Side(
                str(row["type"])
            ).sign
            net[symbol] = net.get(symbol, ZERO) + size
        return net


def order_of(row: Any) -> str:
    """The exchange's id of the order that an execution belongs to; empty where that is not told."""
    return str(row.get("ordertxid") or "") if isinstance(row, Mapping) else ""
