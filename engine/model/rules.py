"""Rules as data: every bound that the desk reads, documented where it is defined. Settings, desk
and last exit share them.

Fractions are of one (0.01 is 1 %); durations are seconds.
"""

from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

Fraction = Annotated[Decimal, Meta(extra={"minimum": 0})]
"""A Decimal from zero up; the settings check the bound, which msgspec can't on a Decimal."""
Seconds = Annotated[float, Meta(ge=0)]
Positive = Annotated[float, Meta(gt=0)]
"""Seconds, more than none."""
Count = Annotated[int, Meta(ge=0)]
Share = Annotated[Decimal, Meta(extra={"minimum": 0, "below": 1})]
"""A Decimal from zero up and below one."""
Part = Annotated[Decimal, Meta(extra={"above": 0, "below": 1})]
"""A Decimal above zero and below one."""
Amount = Annotated[Decimal, Meta(extra={"above": 0})]
"""A Decimal above zero."""
TargetKind = Literal["limit", "trigger"]

D = Decimal


class RiskRules(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[risk]`: what an entry may not exceed. Exits never ask these."""

    max_positions: Count = 10
    """Open positions plus entries in flight."""
    max_positions_per_symbol: Count | None = None
    """Open positions plus entries in flight in one symbol; only `max_positions` holds where unset.
    """
    max_order: Fraction = D("2")
    """Largest notional of one order, in multiples of the equity."""
    max_position: Fraction = D("2")
    """Largest notional of one symbol, in multiples of the equity."""
    max_exposure: Fraction = D("5")
    """Largest notional of everything, in multiples of the equity."""
    max_order_notional: Fraction | None = None
    """Largest notional of one order, in the account's currency."""
    unit: Amount | None = None
    """One unit of risk, in the account's currency: a size of `risk 0.5u` loses half of it at its
    stop.
    """
    max_trade_risk: Fraction | None = None
    """Largest loss of one trade at its stop, as a fraction of the equity."""
    max_open_risk: Fraction = D("0.25")
    """Largest loss if all stops are hit, as a fraction of the equity; what has no stop counts with
    its whole notional; 5 in `flatout run`.
    """
    max_slippage: Fraction = D("0.005")
    """Worst price of a market entry, as a fraction away from the best; also the limit of what is
    expected.
    """
    max_book_share: Fraction | None = None
    """Largest entry in multiples of the size displayed at the best price; not checked where unset.
    """
    max_limit_distance: Fraction = D("0.25")
    """Furthest limit or trigger from the market."""
    require_stop: bool = True
    """Whether an entry without a stop is refused; `flatout run` has false."""
    naked_blocks: bool = True
    """Whether entries are refused while a position has had no stop for 2 seconds (dust aside);
    `flatout run` has false.
    """
    daily_loss: Fraction | None = D("0.05")
    """Loss since the start of the day, as a fraction of the equity then, that locks out entries
    until the next day.
    """
    day_zone: str = "UTC"
    """The time zone whose days count, by its IANA name such as America/New_York, across its changes
    to and from summer time.
    """
    day_hour: Annotated[int, Meta(ge=0, le=23)] = 0
    """The hour of that zone's clock at which a day begins."""
    max_drawdown: Fraction | None = D("0.20")
    """Fall from the highest equity that locks out entries until it is cleared by hand."""
    losing_streak: Count = 6
    """Losing positions in a row that lock out entries for the cool-down; 0 turns it off."""
    cool_down: Seconds = 1800.0
    """How long a losing streak locks out entries."""
    liquidation_near: Fraction = D("0.05")
    """How near the price may come to where the venue would liquidate, as a fraction of it, before
    an alert says so.
    """
    price_age: Seconds = 60.0
    """Older prices are marked stale and raise an alert."""
    sizing_age: Seconds = 30.0
    """Older prices refuse entries."""


class ProtectionRules(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[protection]`: how a position is kept from an unbounded loss."""

    grace: Seconds = 3.0
    """How long the price may be through a stop that works at the venue before the guard takes over.
    """
    retry: Seconds = 1.0
    """Pause after a refused stop; doubles up to `retry_max`."""
    retry_max: Annotated[float, Meta(ge=0, le=5)] = 5.0
    """Longest pause between attempts."""
    refusals: Count = 5
    """Refused stops after which `policy` applies."""
    policy: Literal["guard", "close"] = "guard"
    """What happens then: go on guarding and trying, or close at market."""
    trail_step: Fraction = D("0.0005")
    """Smallest move of a trailing stop that is sent to the venue, as a fraction of the price; the
    guard follows every price.
    """
    exit_slippage: Fraction = D("0.01")
    """Worst price of the first close order, away from the best. After each one that missed it the
    next allows three times as much, at most half.
    """
    any_price: bool = False
    """Whether a close goes out without a bound once three have missed their price."""
    target_order: TargetKind = "limit"
    """How a target waits: as a limit order that rests at the venue, where that may rest beside the
    stop, or as a trigger watched here.
    """
    stuck: Seconds = 20.0
    """A closing that lasts longer raises an alert."""


class SymbolRules(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[symbols."BTC/USD"]`: the bounds of one symbol's entries, and what an entry gets that does
    not say otherwise.
    """

    min_size: Amount | None = None
    """Smallest entry, in the base currency (spot) or contracts; only the venue's minimum holds
    where unset.
    """
    max_size: Amount | None = None
    """Largest entry, in the base currency (spot) or contracts."""
    max_slippage: Fraction | None = None
    """Replaces risk.max_slippage for this symbol."""
    max_positions: Count | None = None
    """Replaces risk.max_positions_per_symbol for this symbol."""
    stop: Part | None = None
    """Where an entry that names no stop gets one: its distance from the entry, as a fraction of it.
    """
    target: Part | None = None
    """Where an entry that names no target gets one: its distance from the entry, as a fraction of
    it.
    """
    trail: Part | None = None
    """The trail of an entry that names none: its distance from the best price, as a fraction of it.
    """
    trail_after: Part | None = None
    """The profit, as a fraction of the entry price, from which `trail` follows; at once where
    unset.
    """
    entry_lifetime: Annotated[float, Meta(gt=0, le=31_536_000)] | None = None
    """Seconds after which a limit or stop entry that names no expiry is cancelled, filled or not.
    """
    target_order: TargetKind | None = None
    """Replaces protection.target_order for this symbol."""
    template: str | None = None
    """The template of an entry that names none: the name of a table such as `[templates.scalp]`.
    """
    maker_fee: Share | None = None
    """What the paper venue takes of a fill that rested, as a fraction of its value; the profile's
    where unset. No live venue reads it.
    """
    taker_fee: Share | None = None
    """What the paper venue takes of a fill that took from the book, as a fraction of its value; the
    profile's where unset. No live venue reads it.
    """


class RequestRules(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[requests]`: how long things may take before we ask."""

    entry_deadline: Annotated[float, Meta(ge=0.5, le=60)] = 5.0
    """The venue must not match an entry that reaches it later than this."""
    exit_deadline: Annotated[float, Meta(ge=0.5, le=60)] = 4.0
    """The same for exits. Kraken spot admits none that is nearer than two seconds."""
    settle: Seconds = 1.0
    """Added to a deadline before "not found" is believed; for venues without deadlines, five times
    this.
    """
    ask: Seconds = 0.25
    """Pause before the first question about an unknown outcome; doubles up to `ask_max`."""
    ask_max: Seconds = 10.0
    """Longest pause between questions."""
    ask_exits: Seconds = 5.0
    """The same for exits, counted from question to question: until the venue has said what became
    of one, somebody may be without a stop.
    """
    resend: Seconds = 15.0
    """An entry that provably never arrived is sent again within this time; later it ends as
    rejected.
    """
    recover: Seconds = 5.0
    """After a start, exits wait this long for the venue's first picture: an earlier run may have
    sent them while its journal failed.
    """
    reconcile: Annotated[float, Meta(ge=5)] = 60.0
    """Pause between two comparisons of ours with the venue's."""
    recent: Seconds = 10.0
    """An order that changed this recently is not called missing because a picture lacks it."""
    late: Seconds | None = None
    """How late executions may be told: until then "cancelled, nothing filled" is not believed of an
    entry whose arrival was unknown. 60 at a live venue and 0 on paper where unset.
    """


REHEARSED = RiskRules(require_stop=False, naked_blocks=False, max_open_risk=D("5"))
"""Where a scenario begins: scripts rehearse what must not happen. What has no stop counts with its
whole notional, so that the open risk may be as large as the exposure; a script that says
`risk.max_open_risk` is held to it.
"""


class LadderRules(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[ladder]`: orders that are sent from the price ladder."""

    drift: Count = 5
    """Ticks by which the best prices may have moved since the ladder that was seen; an order after
    a larger move is refused.
    """
    max_age: Positive = 0.5
    """Seconds after which the ladder that was seen is too old to send an order from."""
    cap: Amount | None = None
    """Largest notional of one order that one key sends, in the account's currency; larger ones need
    enter. A live account needs it to arm the ladder.
    """
    idle: Positive = 600.0
    """Seconds without a key of the ladder after which it locks."""
    flip: bool = False
    """Whether a market order of at least the size that is held turns the position round, instead
    of closing it.
    """


class Rules(Struct, frozen=True, gc=False, kw_only=True):
    """All of them."""

    risk: RiskRules = RiskRules()
    protection: ProtectionRules = ProtectionRules()
    requests: RequestRules = RequestRules()
    ladder: LadderRules = LadderRules()
    volume_30d: Fraction | None = None
    """`account.volume_30d`."""
    symbols: dict[str, SymbolRules] = {}
    """By symbol; what is not named has none of its own."""

    def of(self, symbol: str) -> SymbolRules:
        """The symbol's own rules; all unset where the settings name none."""
        return self.symbols.get(symbol, NO_RULES)

    def max_slippage(self, symbol: str) -> Decimal:
        """The slippage bound of the symbol's market entries, as a fraction."""
        own = self.of(symbol).max_slippage
        return self.risk.max_slippage if own is None else own

    def max_positions(self, symbol: str) -> int | None:
        """Most positions in the symbol; None for no bound of its own."""
        own = self.of(symbol).max_positions
        return self.risk.max_positions_per_symbol if own is None else own

    def target_order(self, symbol: str) -> TargetKind:
        """How the symbol's targets wait."""
        return self.of(symbol).target_order or self.protection.target_order


NO_RULES = SymbolRules()


class GatewayRules(Struct, frozen=True, gc=False, forbid_unknown_fields=True, kw_only=True):
    """`[gateway]`: how patiently requests are sent. Durations are seconds."""

    timeout: Positive = 10.0
    """An answer that takes longer counts as unknown."""
    timeout_exits: Positive = 5.0
    """The same for exits, stops and cancels: until it is asked what became of them, somebody may be
    without a stop.
    """
    backoff: Positive = 0.25
    """Pause before a request that provably never left is tried again; doubles up to `backoff_max`.
    """
    backoff_max: Positive = 15.0
    """Longest pause."""
    backoff_exits: Positive = 2.0
    """The same for what protects: exits, stops, cancels, and all that a flatten sends."""
    jitter: Annotated[float, Meta(ge=0, le=1)] = 0.3
    """Share of a pause that is drawn at random."""
    breaker: Annotated[int, Meta(ge=1)] = 5
    """Failures in a row that open the breaker: entries are refused, exits go on and probe."""
    delay: Annotated[float, Meta(ge=0)] = 0.5
    """How much longer one request may be on its way than the next: the venue's limits are kept as
    if so much less had drained.
    """
    in_flight: Annotated[int, Meta(ge=1)] = 64
    """Requests on the line at once; exits may exceed it."""
