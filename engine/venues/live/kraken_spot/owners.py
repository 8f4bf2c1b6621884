"""Whose executions they are: Kraken spot's history names orders by the exchange's ids only, so each
that is not known is asked for.

A question about several orders is refused whole where the exchange does not know one of them, such
as one of another product. It is asked by halves then; what is refused by itself is asked for a few
times more, for views lag, and belongs to nobody here until it is known.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from engine.venues.live.known import Known
from engine.venues.live.named import client_in
from engine.venues.protocol import RefusedError

AT_ONCE = 50
"""Orders that one question may name (QueryOrders `txid`, read 2026-11)."""
TRIES = 3
"""How often an order is asked for that the exchange does not know."""
REMEMBERED = 1_000
UNKNOWN = ("EOrder:Unknown order", "EOrder:Invalid order", "EGeneral:Invalid arguments:txid")
"""How the exchange refuses a question about an order that it does not know."""

Ask = Callable[[str], Awaitable[Mapping[str, Mapping[str, Any]]]]
"""QueryOrders, with ids separated by commas. Raises like the venue's `send`."""


class Owners:
    """Learns the names that orders of others and of earlier processes have."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._refused: OrderedDict[str, int] = OrderedDict()

    async def learn(self, identities: Iterable[str], ask: Ask) -> None:
        """Ask for those that are not known. Raises like `ask`, but for orders that the exchange
        does not know.
        """
        unknown = sorted(
            {
                name
                for name in identities
                if name
                and self._known.client_of(name) is None
                and self._refused.get(name, 0) < TRIES
            }
        )
        fresh = [name for name in unknown if name not in self._refused]
        waiting = [fresh[index : index + AT_ONCE] for index in range(0, len(fresh), AT_ONCE)]
        waiting += [[name] for name in unknown if name in self._refused]
        while waiting:
            names = waiting.pop(0)
            try:
                told = await ask(",".join(names))
            except RefusedError as error:
                if not str(error).startswith(UNKNOWN):
                    raise
                half = (len(names) + 1) // 2
                waiting[:0] = [
                    part for part in (names[:half], names[half:]) if part and len(names) > 1
                ]
                if len(names) == 1:
                    self._count(names[0])
                continue
            for identity, row in told.items():
                self._known.name(identity, client_in(row) or identity)

    def is_nowhere(self, identity: str) -> bool:
        """Whether the exchange was asked for an order, and does not know it."""
        return identity in self._refused

    def _count(self, name: str) -> None:
        self._refused[name] = self._refused.pop(name, 0) + 1
        while len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)
