"""Where ended orders and executions are kept that memory has let go of."""

from typing import Protocol

from engine.model.fill import Fill
from engine.model.order import Order


class ArchiveError(Exception):
    """The archive can't be read now."""


class Archive(Protocol):
    """Where ended orders and executions are kept that memory has let go of. Each question raises
    ArchiveError.
    """

    def order(self, name: str) -> Order | None:
        """An order by its client order id."""
        ...

    def executions_of(self, order: Order) -> tuple[Fill, ...]:
        """The executions of one order, oldest first."""
        ...

    def executions_since(self, at: int) -> tuple[Fill, ...]:
        """All executions from a time on (nanoseconds), oldest first."""
        ...
