"""Executions as Kraken spot's REST lists them, where it may have merged what one order took
(`consolidate_taker`, default true, read 2026-11).

Flatout asks for each execution by itself. Should the exchange merge them all the same, a row stands
for executions that the stream has told under other ids, or will tell. What an order took at one
moment is recognised by order, moment and quantity, and is never counted twice.
"""

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from engine.clock import SECOND
from engine.model.fill import Fill, Liquidity
from engine.model.money import ZERO
from engine.venues.live.known import Known

MOMENT = SECOND
"""What an order takes when it arrives, it takes within so many nanoseconds."""
UNHEARD = 1_000
"""Such rows that are remembered."""


def _together(one: Fill, other_at: int) -> bool:
    return one.liquidity is Liquidity.TAKER and abs(one.at - other_at) <= MOMENT


class Listed:
    """Reads rows of TradesHistory and QueryTrades beside what is known."""

    def __init__(self, known: Known, read: Callable[[str, Mapping[str, Any], str], Fill]) -> None:
        self._known = known
        self._read = read
        self._unheard: OrderedDict[str, None] = OrderedDict()
        """Takers' rows that no stream has told under this id: each may be several executions."""

    def fills(
        self,
        rows: Mapping[str, Mapping[str, Any]],
        client: Callable[[Mapping[str, Any]], str],
        beside: Collection[str] = (),
    ) -> dict[str, tuple[Fill, ...]]:
        """By the id of its row, what each row stands for; `beside` are ids that are listed
        elsewhere, and so stand for themselves.

        Raises KeyError, ValueError or ArithmeticError for a row that lacks a field.
        """
        single = {*rows, *beside}
        found: dict[str, tuple[Fill, ...]] = {}
        for name, row in rows.items():
            fill = self._read(name, row, client(row))
            heard = self._known.execution(name) is not None and name not in self._unheard
            found[name] = (
                (fill,)
                if heard or fill.liquidity is not Liquidity.TAKER
                else self._apart(fill, single)
            )
        return found

    def _apart(self, fill: Fill, single: Collection[str]) -> tuple[Fill, ...]:
        """What a row stands for: executions that the stream told and no row lists, and what is left
        of it beyond them.
        """
        told = [one for one in self._heard_of(fill) if one.execution_id not in single]
        left = fill.size - sum((one.size for one in told), ZERO)
        if left == ZERO:
            return tuple(told)
        if told and left > ZERO:
            cost = fill.size * fill.price - sum((one.size * one.price for one in told), ZERO)
            fill = replace(
                fill,
                size=left,
                price=cost / left,
                fee=max(fill.fee - sum((one.fee for one in told), ZERO), ZERO),
            )
        self._known.fill(fill)
        self._unheard[fill.execution_id] = None
        while len(self._unheard) > UNHEARD:
            self._unheard.popitem(last=False)
        # it is smaller than what it would stand for: it is one by itself
        return (*told, fill) if left > ZERO else (fill,)

    def _heard_of(self, fill: Fill) -> list[Fill]:
        """What the stream told of an order at the moment of a row."""
        together = (
            one for one in self._known.fills_of(fill.client_order_id) if _together(one, fill.at)
        )
        return [one for one in together if one.execution_id not in self._unheard]

    def heard(self, name: str) -> None:
        """The stream told an execution under this id: it is one."""
        self._unheard.pop(name, None)

    def covers(self, client: str, at: int, cumulative: Decimal) -> bool:
        """Whether REST has told what an order had taken up to `cumulative`, in a row that may be
        several executions.
        """
        together = [one for one in self._known.fills_of(client) if _together(one, at)]
        if not any(one.execution_id in self._unheard for one in together):
            return False
        return sum((one.size for one in together), ZERO) >= cumulative
