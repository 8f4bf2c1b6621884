"""Where a recording is to be played to: a time, the next fill, or a move of the price."""

import re
from decimal import Decimal

from engine.clock import SECOND
from engine.market.layout import MarketError
from engine.market.moments import CLOCK, moment
from engine.market.times import date_of
from engine.model.quote import Candle, Depth, Quote, Tick

MOVE = re.compile(r"(\d{1,3}(?:\.\d{1,6})?) ?%", re.ASCII)
NEAR = 12 * 3_600 * SECOND
"""A time of day that would come later than this is one that is past."""
LEAST = Decimal("0.0001")
"""The smallest move, in percent, that is waited for."""


class Goal:
    """Play on until something; `reached` tells what it was."""

    told = ""
    """Where it goes, for people."""
    at: int | None = None
    """The time (ns) that it goes to, where it is one."""

    def seen(self, tick: Tick) -> str:
        """What has been reached with a price; empty where nothing has."""
        return ""

    def filled(self, what: str) -> str:
        """What has been reached with a fill of ours."""
        return ""


class Until(Goal):
    """A time."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.told = f"to {clock(at)}"


class NextFill(Goal):
    """A fill of ours."""

    told = "to the next fill"

    def filled(self, what: str) -> str:
        return what


class NextMove(Goal):
    """Any symbol's price is so much from where it stood when it was first seen."""

    def __init__(self, percent: Decimal) -> None:
        self._fraction = percent / 100
        self._from: dict[str, Decimal] = {}
        self.told = f"to the next move of {percent} %"

    def seen(self, tick: Tick) -> str:
        if isinstance(tick, Depth):
            return ""
        price = (
            tick.mid
            if isinstance(tick, Quote)
            else (tick.close if isinstance(tick, Candle) else tick.price)
        )
        base = self._from.setdefault(tick.symbol, price)
        moved = price / base - 1
        if abs(moved) < self._fraction:
            return ""
        return f"{tick.symbol} moved {moved * 100:+.2f} % to {price}"


def clock(at: int) -> str:
    """A time of a recording, for people: to the second, UTC."""
    return f"{date_of(at)}:{at // SECOND % 60:02}"


def seek(text: str, now: int, end: int | None) -> Until:
    """The goal that `seek` names; `end` is the time of the last price, where that is known. Raises
    MarketError for what is not ahead.
    """
    at = moment(text, now)
    of_day = CLOCK.fullmatch(text.strip()) is not None
    if at <= now or (of_day and at - now > NEAR and (end is None or at > end)):
        raise MarketError(
            f"{text} is behind {clock(now)}: flatout fork --at {text} NAME makes an account of what"
            f" this one was then; flatout --account NAME --from {text} plays it anew"
        )
    if end is not None and at > end:
        raise MarketError(f"{text} is after the last price, at {clock(end)}")
    return Until(at)


def next_of(words: str) -> Goal:
    """The goal that `next` names. Raises MarketError."""
    if words == "fill":
        return NextFill()
    move = MOVE.fullmatch(words.removeprefix("move").strip())
    if not words.startswith("move") or move is None or Decimal(move.group(1)) < LEAST:
        raise MarketError("say next fill, or next move 0.5%")
    return NextMove(Decimal(move.group(1)))
