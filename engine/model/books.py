"""Our own books of one asset, as the gate and the last exit are asked about them: what we bought,
and what lay there before.
"""

from collections.abc import Collection
from decimal import Decimal

from msgspec import Struct

from engine.model.instrument import Instrument
from engine.model.money import ZERO


class Books(Struct, frozen=True, gc=False):
    """What of one asset is ours by our own books, and what is not."""

    long: Decimal = ZERO
    """Bought by our orders or adopted, and not sold yet."""
    short: Decimal = ZERO
    baseline: Decimal = ZERO
    """What lay in the account before us."""
    confirmed: Collection[str] = ()
    """Positions whose exits may leave without a picture though something lay there before us: the
    operator said so.
    """
    behind: bool = False
    """Whether the journal is known not to be the newest: before its first picture it proves
    nothing.
    """


def asset_of(instrument: Instrument, leverage: Decimal | None) -> str:
    """The asset that an order in `instrument` at `leverage` moves."""
    return instrument.base if instrument.moves_coins(leverage) else instrument.symbol
