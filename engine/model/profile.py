"""What a venue can do, as data: capabilities, limit model, fees and the instruments that are not
listed by name.
"""

from decimal import Decimal

from msgspec import Struct

from engine.model.instrument import FeeCurrency, FeeTier
from engine.model.limits import LIMIT_MODELS, LimitModel


class InstrumentRow(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """The grid and the minimums of a listed symbol."""

    tick: Decimal
    lot: Decimal
    min_size: Decimal
    min_cost: Decimal
    contract_size: Decimal = Decimal(1)


class Profile(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """One venue, as its own file in `engine/venues/profiles/` says."""

    name: str
    title: str
    source: str
    """Where the figures come from, with the date."""
    derivatives: bool
    """Whether plain symbols are spot (false) or linear perpetuals (true)."""
    rest_together: bool
    """Whether a stop and a target may rest at once: false where the first one reserves the balance.
    """
    reduce_only: bool
    """Whether exits can be marked reduce-only."""
    amend: bool
    """Whether a working order can be changed in place."""
    client_order_ids: bool
    deadline: bool
    """Whether a request can carry the time after which it must not match."""
    expiry: bool = False
    """Whether the venue itself ends an order at a time that the order names."""
    triggers: tuple[str, ...]
    """What a stop may watch: last, mark or index; the first is the default."""
    max_open_orders: int
    """Per symbol."""
    max_leverage: Decimal
    maintenance_margin: Decimal
    fee_currency: FeeCurrency
    fee_tiers: tuple[FeeTier, ...]
    limits: str
    """A name in `LIMIT_MODELS`."""
    limit_options: dict[str, str] = {}
    instruments: dict[str, InstrumentRow] = {}
    ccxt: str = ""
    """What ccxt calls the exchange; empty where it is only imitated."""
    errors: dict[str, str] = {}
    """What an error text means, by how it begins: refused, rate-limited, not-sent, nonce or
    unknown, which is also what an unlisted one means.
    """
    rounding: Decimal = Decimal(0)
    """The exchange rounds its books: balances that differ by no more than this fraction are the
    same.
    """
    silence: int = 10
    """Seconds of silence after which a stream is taken for dead."""
    dry_run: bool = False
    """Whether the exchange says of an order whether it would take it."""
    margin_leverage: Decimal = Decimal(1)
    """Leverage that a spot order which sells what is not held must name, where it names none."""
    margin_opening: Decimal = Decimal(0)
    """What opening on margin of a spot pair costs beside the fee, as a fraction of its value."""
    margin_rollover: Decimal = Decimal(0)
    """What holding it costs each `margin_rollover_hours`, as a fraction of its value at entry."""
    margin_rollover_hours: int = 0
    """Zero: holding it costs nothing."""
    other_lot: Decimal
    """Lot of a symbol that is not listed; its tick is read off the recorded prices."""
    other_min_size: Decimal
    other_min_cost: dict[str, Decimal]
    """By quote currency; `*` is any other."""

    def limit_model(self, delay: float = 0.0) -> LimitModel:
        """A fresh model of what this venue counts, as seen from where requests take up to `delay`
        seconds longer than others to arrive.
        """
        return LIMIT_MODELS[self.limits](self.limit_options, delay)
