"""Rows of the executions channel, read as reports.

An execution that follows the first word about an order names nothing but the order: what it means
comes from what is known of it.
"""

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.model import report as r
from engine.model.codes import AlertCode
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.model.order import Status
from engine.model.request import Lane
from engine.model.side import Side
from engine.venues.live.clocks import nanoseconds
from engine.venues.live.kraken_spot.base import SpotBase
from engine.venues.live.kraken_spot.described import order_from_fields
from engine.venues.live.named import client_in
from engine.venues.protocol import VenueError

FEE_TRIES, FEE_PAUSE = 3, 0.5
"""How often an execution's fee is asked for, and the seconds between: after that the fill is told
with what the schedule says.
"""


class Executions:
    """Reads for one account."""

    def __init__(self, venue: SpotBase) -> None:
        self._venue = venue

    async def _price(self, fill: Fill) -> None:
        """An execution that was told without its fee: it is asked for, and told with what is known
        by then.
        """
        venue = self._venue
        for _ in range(FEE_TRIES):
            try:
                venue.tell(r.Charged("rest", 1.0, venue.clock.now()))
                fee = await venue.fee_of(fill, Lane.PROTECT)
            except VenueError:
                fee = None
            if fee is not None:
                venue.tell(r.Filled(replace(fill, fee=fee), fill.at))
                return
            await asyncio.sleep(FEE_PAUSE)
        rates = venue.instrument(fill.symbol).fees_at(ZERO)
        fee = (
            fill.size
            * fill.price
            * (rates.maker if fill.liquidity is Liquidity.MAKER else rates.taker)
        )
        venue.notice(
            AlertCode.FEE_UNKNOWN,
            fill.execution_id,
            f"the exchange told none; {fee:f} {fill.fee_currency} by its schedule",
        )
        venue.tell(r.Filled(replace(fill, fee=fee), fill.at))

    def reports(self, row: Mapping[str, Any]) -> list[r.VenueReport]:
        """What a row says. Raises KeyError, ValueError or TypeError where it makes no sense."""
        venue, identity = self._venue, str(row["order_id"])
        kind = str(row["exec_type"])
        client = client_in(row) or venue.known.client_of(identity) or identity
        venue.known.hear(identity, client)
        at, readable = venue.ours(nanoseconds(str(row["timestamp"]))), True
        if kind in ("pending_new", "new", "restated") and "symbol" in row:
            try:
                self._listed(row, client, identity, at, pending=kind == "pending_new")
            except (LookupError, ValueError, TypeError, ArithmeticError) as error:
                if client.startswith(venue.prefix):
                    raise
                # what it is, nobody knows; that it is there, the account is asked about
                tell_skipped(venue, identity, error)
                readable = False
        # the type that the snapshot gives to executions is not documented
        if kind == "trade" or ("exec_id" in row and "last_qty" in row):
            return self._trade(row, client, at)
        if kind == "new":
            if readable:  # no picture lists what can't be read: it would look older than it is
                venue.known.works(client, at)
            return [r.Accepted(client, identity, at)]
        if kind in ("canceled", "expired"):
            venue.known.ended(client, at)
            filled = Decimal(str(row["cum_qty"])) if "cum_qty" in row else None
            if kind == "expired":
                return [r.Expired(client, filled, at)]
            return [r.Cancelled(client, filled, str(row.get("reason", "")), at)]
        if kind == "filled":
            venue.known.ended(client, at)
        if kind == "amended":
            return self._amended(row, client, at)
        if kind == "status" and row.get("triggers", {}).get("status") == "triggered":
            return [r.Triggered(client, at)]
        return []

    def _listed(
        self, row: Mapping[str, Any], client: str, identity: str, at: int, *, pending: bool
    ) -> None:
        """An order as the stream describes it once."""
        triggers = row.get("triggers", {})
        kind, level = str(row["order_type"]), str(triggers.get("price", "0"))
        limit = str(row.get("limit_price", "0"))
        triggered = bool(triggers)
        order = order_from_fields(
            client,
            identity,
            str(row["symbol"]),
            Side(str(row["side"])),
            kind,
            Decimal(str(row["order_qty"])),
            first=level if triggered else limit,
            second=limit if triggered else "0",
            stop=level,
            filled=Decimal(str(row.get("cum_qty", 0))),
            value=Decimal(str(row.get("cum_cost", 0))),
            status=Status.PENDING
            if pending
            else Status.PARTIALLY_FILLED
            if Decimal(str(row.get("cum_qty", 0)))
            else Status.OPEN,
            reduce_only=bool(row.get("reduce_only")),
            created_at=at,
            foreign=not client.startswith(self._venue.prefix),
            reason="",
            known=self._venue.known.order(client),
            # which, is not told
            leverage=self._venue.profile.margin_leverage if row.get("margin") else None,
        )
        self._venue.known.keep(order)

    def _trade(self, row: Mapping[str, Any], client: str, at: int) -> list[r.VenueReport]:
        known, cumulative = self._venue.known, row.get("cum_qty")
        fresh = known.execution(str(row["exec_id"])) is None
        if (
            fresh
            and cumulative is not None
            and self._venue.listed.covers(client, at, Decimal(str(cumulative)))
        ):
            return []  # REST has told all that the order took as one
        self._venue.listed.heard(str(row["exec_id"]))
        symbol = str(row["symbol"])
        quote = symbol.partition("/")[2]
        fee, others = _fee(row.get("fees"), quote)
        if others:
            self._venue.notice(
                AlertCode.FEE_UNKNOWN,
                str(row["exec_id"]),
                f"beside what is booked, it cost {others}",
            )
        fill = Fill(
            str(row["exec_id"]),
            client,
            symbol,
            Side(str(row["side"])),
            Decimal(str(row["last_price"])),
            Decimal(str(row["last_qty"])),
            ZERO if fee is None else fee[0],
            quote if fee is None else fee[1],
            Liquidity.MAKER if row.get("liquidity_ind") == "m" else Liquidity.TAKER,
            at,
        )
        if row.get("liquidated") and not client.startswith(self._venue.prefix):
            self._venue.known.fill(fill)
            return [r.Liquidated(symbol, fill, at)]
        if row.get("order_status") == "filled":
            self._venue.known.ended(client, at)
        if fee is None and fresh:
            self._venue.spawn(self._price(fill))
            return []
        return [r.Filled(fill, at)]

    def _amended(self, row: Mapping[str, Any], client: str, at: int) -> list[r.VenueReport]:
        known = self._venue.known.order(client)
        if known is None:
            return []
        price = Decimal(str(row["limit_price"])) if "limit_price" in row else known.price
        triggers = row.get("triggers", {})
        trigger = Decimal(str(triggers["price"])) if "price" in triggers else known.trigger
        self._venue.known.amended(
            replace(
                known,
                size=Decimal(str(row["order_qty"])),
                price=price,
                trigger=trigger,
                touched_at=at,
            ),
            at,
        )
        return [r.Amended(client, Decimal(str(row["order_qty"])), price, trigger, at)]


def _fee(told: object, quote: str) -> tuple[tuple[Decimal, str] | None, str]:
    """The fee to book, with its currency, and in words what was paid beside it. None where none was
    told: absent is not zero.

    A fee may come in several currencies, which are never added: what is booked is the quote
    currency's, else the first that is not zero.
    """
    amounts: dict[str, Decimal] = {}
    for row in told if isinstance(told, list) else ():
        asset = str(row["asset"])
        amounts[asset] = amounts.get(asset, ZERO) + Decimal(str(row["qty"]))
    if not amounts:
        return None, ""
    paid = {asset: amount for asset, amount in amounts.items() if amount}
    booked = quote if quote in paid or not paid else next(iter(paid))
    others = ", ".join(f"{amount:f} {asset}" for asset, amount in paid.items() if asset != booked)
    return (paid.get(booked, ZERO), booked), others


def tell_skipped(venue: SpotBase, subject: str, error: Exception) -> None:
    """A row can't be read: somebody is told, once."""
    venue.notice(
        AlertCode.ROW_SKIPPED,
        subject,
        f"a row of executions: {type(error).__name__}: {str(error)[:60]}",
    )
