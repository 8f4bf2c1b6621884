"""What the desk declines: a code, the offending value and the bound; the words come from
one table.
"""

from msgspec import Struct

from engine.model.codes import RefusalCode

REFUSALS: dict[str, str] = {
    RefusalCode.UNKNOWN_SYMBOL: "no instrument is called {value}; known: {bound}",
    RefusalCode.UNKNOWN_POSITION: "no open position is called {value}",
    RefusalCode.UNKNOWN_ORDER: "no open order is called {value}",
    RefusalCode.UNKNOWN_DIFFERENCE: "nothing that is called {value} differs; what does: {bound}",
    RefusalCode.UNKNOWN_ALERT: "no standing alert is called {value}",
    RefusalCode.UNKNOWN_PRICE_ALERT: "no price alert is called {value}; there are: {bound}",
    RefusalCode.ALERT_REACHED: (
        "the market is at {bound}, at or beyond {value}: name a price that it has still to reach"
    ),
    RefusalCode.TOO_MANY_ALERTS: "{value} price alerts wait; the limit is {bound}: cancel one",
    RefusalCode.NOT_A_NUMBER: "{value} is not a usable number; allowed: {bound}",
    RefusalCode.ENTRIES_BLOCKED: "entries are blocked: {value}",
    RefusalCode.HALTED: "halted by you: nothing opens; :unhalt ends it",
    RefusalCode.NOT_TAKEN: "this console reads only until it is taken: type :take",
    RefusalCode.READ_ONLY: "this console is read-only; {value} holds the account",
    RefusalCode.LIMITS_UNKNOWN: "the loss limits can't be computed: no price of {value} yet",
    RefusalCode.NO_PRICE: "no price of {value} is known yet",
    RefusalCode.STALE_PRICE: "the price of {value} is too old to size by; the limit is {bound}",
    RefusalCode.NO_RATE: "no price converts {value} into {bound}",
    RefusalCode.SIZE_BELOW_MINIMUM: "the size {value} is below the venue's minimum of {bound}",
    RefusalCode.COST_BELOW_MINIMUM: "the notional {value} is below the venue's minimum of {bound}",
    RefusalCode.MIN_SIZE: (
        "the size {value} is below your smallest of {bound}: enter more, or change the setting"
    ),
    RefusalCode.MAX_SIZE: (
        "the size {value} is above your largest of {bound}: enter less, or change the setting"
    ),
    RefusalCode.PRICE_MISSING: "an order of type {value} needs {bound}",
    RefusalCode.PLACE_UNKNOWN: "no price can be told for {value}: {bound}",
    RefusalCode.RULE_TOO_NEAR: (
        "the break-even rule begins at {value}, before the stop can stand at {bound}: name a gain"
        " that is further"
    ),
    RefusalCode.PICTURE_OLD: (
        "the ladder that you saw was {value} old; the limit is {bound}: look again"
    ),
    RefusalCode.MARKET_MOVED: (
        "the market moved {value} since the ladder that you saw; the limit is {bound}: look again"
    ),
    RefusalCode.WOULD_CROSS: (
        "the limit {value} crosses the market at {bound} by more than the spread: send a market"
        " order, or a nearer limit"
    ),
    RefusalCode.STOP_WRONG_SIDE: "the stop {value} is on the wrong side of {bound}",
    RefusalCode.STOP_WOULD_FIRE: "the stop {value} would fire at once; the market is at {bound}",
    RefusalCode.STOP_OFF_TICK: "the stop {value} is off the tick; the nearest is {bound}",
    RefusalCode.STOP_REQUIRED: "an entry needs a stop (risk.require_stop)",
    RefusalCode.STOP_LOOSER: "the stop {value} is wider than {bound}: that needs a reason",
    RefusalCode.STOP_BEYOND_LIQUIDATION: (
        "the stop {value} lies beyond the liquidation price {bound}"
    ),
    RefusalCode.TARGET_WRONG_SIDE: "the target {value} is on the wrong side of {bound}",
    RefusalCode.TARGETS_OUT_OF_ORDER: (
        "the target {value} is not beyond {bound}: name the nearest first"
    ),
    RefusalCode.TRIGGER_WRONG_SIDE: "the trigger {value} is already through the market at {bound}",
    RefusalCode.LIMIT_TOO_FAR: "the limit {value} is further from the market than {bound}",
    RefusalCode.SLIPPAGE: "the expected slippage of {value} is above the limit of {bound}",
    RefusalCode.BOOK_SHARE: "the order takes {value} of the visible book; the limit is {bound}",
    RefusalCode.MAX_POSITIONS: "{value} positions and entries in flight; the limit is {bound}",
    RefusalCode.MAX_POSITIONS_PER_SYMBOL: (
        "{value}, positions and entries in flight; the limit is {bound}: close one, or change the"
        " setting"
    ),
    RefusalCode.MAX_ORDER_NOTIONAL: "the order's notional {value} is above the limit of {bound}",
    RefusalCode.MAX_POSITION_NOTIONAL: (
        "the position's notional {value} is above the limit of {bound}"
    ),
    RefusalCode.MAX_EXPOSURE: "the account's exposure {value} is above the limit of {bound}",
    RefusalCode.MAX_TRADE_RISK: "the trade's risk {value} is above the limit of {bound}",
    RefusalCode.MAX_OPEN_RISK: "the open risk {value} is above the limit of {bound}",
    RefusalCode.INSUFFICIENT_FUNDS: "{value} is needed and {bound} is free",
    RefusalCode.INSUFFICIENT_MARGIN: "{value} of margin is needed and {bound} is free",
    RefusalCode.CANNOT_SHORT: "{value} can't be sold short on this account",
    RefusalCode.LEVERAGE_TOO_HIGH: "leverage {value} is above the instrument's {bound}",
    RefusalCode.OPPOSITE_POSITION: (
        "{value} is open on the other side of this symbol: close or reverse it"
    ),
    RefusalCode.IN_DOUBT: "UNKNOWN: what became of {value}; asking the venue",
    RefusalCode.ALREADY_CLOSING: "{value} is being closed already",
    RefusalCode.NOTHING_TO_DO: "{value}",
    RefusalCode.NOTHING_LEFT: "{value} is no longer open",
    RefusalCode.PENDING: "{value} has a request under way; wait for its outcome",
    RefusalCode.PART_TOO_SMALL: "{value} of the position is below the venue's minimum of {bound}",
    RefusalCode.EXIT_TAKEN: (
        "{value} is more than the {bound} that is not to leave at another limit: cancel that first"
    ),
    RefusalCode.NOT_RESUMABLE: "{value} can't be cleared by hand: {bound}",
    RefusalCode.WRONG_NAME: "{value} is not the account's name, which is {bound}",
    RefusalCode.EXPIRED: "asked until {value}, and taken {bound} later",
    RefusalCode.WITHDRAWN: "it was withdrawn before it was taken",
    RefusalCode.TOO_LATE: "{value} was answered already: {bound}",
    RefusalCode.NO_TOKENS: (
        "0 entries more can leave within {value}: the venue's rate limits, and what a flatten needs"
        " of them; the next one {bound}"
    ),
    RefusalCode.TOO_MANY_OPEN_ORDERS: "{value} orders are open; the limit is {bound}",
}
"""From a code to its words."""


class Refusal(Struct, frozen=True, gc=False):
    """Why something was not done."""

    code: str
    value: str = ""
    """What was offered."""
    bound: str = ""
    """What is allowed."""

    def __post_init__(self) -> None:
        if self.code not in REFUSALS:
            raise ValueError(f"refusal code {self.code!r} is not in the table")

    @property
    def text(self) -> str:
        """In words."""
        return REFUSALS[self.code].format(value=self.value, bound=self.bound)
