"""What the desk declines: a code, the offending value and the bound; the words come from one table."""

from msgspec import Struct

REFUSALS: dict[str, str] = {
    "UNKNOWN_SYMBOL": "no instrument is called {value}; known: {bound}",
    "UNKNOWN_POSITION": "no open position is called {value}",
    "UNKNOWN_ORDER": "no open order is called {value}",
    "UNKNOWN_DIFFERENCE": "nothing that is called {value} differs; what does: {bound}",
    "UNKNOWN_ALERT": "no standing alert is called {value}",
    "NOT_A_NUMBER": "{value} is not a usable number; allowed: {bound}",
    "ENTRIES_BLOCKED": "entries are blocked: {value}",
    "HALTED": "halted by you: nothing opens; :unhalt ends it",
    "NOT_TAKEN": "this console reads only until it is taken: type :take",
    "READ_ONLY": "this console is read-only; {value} holds the account",
    "LIMITS_UNKNOWN": "the loss limits can't be computed: no price of {value} yet",
    "NO_PRICE": "no price of {value} is known yet",
    "STALE_PRICE": "the price of {value} is too old to size by; the limit is {bound}",
    "NO_RATE": "no price converts {value} into {bound}",
    "SIZE_BELOW_MINIMUM": "the size {value} is below the venue's minimum of {bound}",
    "COST_BELOW_MINIMUM": "the notional {value} is below the venue's minimum of {bound}",
    "MIN_SIZE": "the size {value} is below your smallest of {bound}: enter more, or change the setting",
    "MAX_SIZE": "the size {value} is above your largest of {bound}: enter less, or change the setting",
    "PRICE_MISSING": "an order of type {value} needs {bound}",
    "STOP_WRONG_SIDE": "the stop {value} is on the wrong side of {bound}",
    "STOP_WOULD_FIRE": "the stop {value} would fire at once; the market is at {bound}",
    "STOP_OFF_TICK": "the stop {value} is off the tick; the nearest is {bound}",
    "STOP_REQUIRED": "an entry needs a stop (risk.require_stop)",
    "STOP_LOOSER": "the stop {value} is wider than {bound}: that needs a reason",
    "STOP_BEYOND_LIQUIDATION": "the stop {value} lies beyond the liquidation price {bound}",
    "TARGET_WRONG_SIDE": "the target {value} is on the wrong side of {bound}",
    "TARGETS_OUT_OF_ORDER": "the target {value} is not beyond {bound}: name the nearest first",
    "TRIGGER_WRONG_SIDE": "the trigger {value} is already through the market at {bound}",
    "LIMIT_TOO_FAR": "the limit {value} is further from the market than {bound}",
    "SLIPPAGE": "the expected slippage of {value} is above the limit of {bound}",
    "BOOK_SHARE": "the order takes {value} of the visible book; the limit is {bound}",
    "MAX_POSITIONS": "{value} positions and entries in flight; the limit is {bound}",
    "MAX_POSITIONS_PER_SYMBOL": "{value}, positions and entries in flight; the limit is {bound}: close one, or change the setting",
    "MAX_ORDER_NOTIONAL": "the order's notional {value} is above the limit of {bound}",
    "MAX_POSITION_NOTIONAL": "the position's notional {value} is above the limit of {bound}",
    "MAX_EXPOSURE": "the account's exposure {value} is above the limit of {bound}",
    "MAX_TRADE_RISK": "the trade's risk {value} is above the limit of {bound}",
    "MAX_OPEN_RISK": "the open risk {value} is above the limit of {bound}",
    "INSUFFICIENT_FUNDS": "{value} is needed and {bound} is free",
    "INSUFFICIENT_MARGIN": "{value} of margin is needed and {bound} is free",
    "CANNOT_SHORT": "{value} can't be sold short on this account",
    "LEVERAGE_TOO_HIGH": "leverage {value} is above the instrument's {bound}",
    "OPPOSITE_POSITION": "{value} is open on the other side of this symbol: close or reverse it",
    "IN_DOUBT": "the outcome of {value} is unknown; asking the venue",
    "ALREADY_CLOSING": "{value} is being closed already",
    "NOTHING_TO_DO": "{value}",
    "NOTHING_LEFT": "{value} is no longer open",
    "PENDING": "{value} has a request under way; wait for its outcome",
    "PART_TOO_SMALL": "{value} of the position is below the venue's minimum of {bound}",
    "NOT_RESUMABLE": "{value} can't be cleared by hand: {bound}",
    "WRONG_NAME": "{value} is not the account's name, which is {bound}",
    "EXPIRED": "asked until {value}, and taken {bound} later",
    "WITHDRAWN": "it was withdrawn before it was taken",
    "TOO_LATE": "{value} was answered already: {bound}",
    "NO_TOKENS": "0 entries more can leave within {value}: the venue's rate limits, and what a flatten needs of them; the next one {bound}",
    "TOO_MANY_OPEN_ORDERS": "{value} orders are open; the limit is {bound}",
}
"""From a code to its words."""


class Refusal(Struct, frozen=True):
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
